"""The command that makes an artifact again."""

import shlex

from densecli.artifacts.kinds import KINDS, IndexManifest, Manifest, VectorsManifest
from densecli.artifacts.recipe import WITHIN
from densecli.artifacts.workspace import Workspace
from densecli.files.names import display_path

INPUTS = {"passages": " CORPUS", "examples": " QUESTIONS", "reader": " RESULTS", "export": " INPUT"}


def rebuild_command(
    kind: str, home: Workspace, name: str, manifest: Manifest | None = None, force: bool = True
) -> str:
    """Return the command that makes an artifact of a workspace again, empty where its kind is not known.

    Args:
        kind: the kind of artifact.
        home: the workspace.
        name: its folder there.
        manifest: what it says of itself; None where it cannot be read, or is not whole yet.
        force: whether it takes the place of another one.
    """
    if not kind:
        return ""
    command = KINDS[kind].rebuild + INPUTS.get(kind, "")
    if manifest is not None and manifest.recipe.command == "convert" and kind != "export":
        command = f"densecli convert INPUT --to {kind} -o {shlex.quote(display_path(home.root / name))}"
    else:
        if isinstance(manifest, IndexManifest) and manifest.structure != "flat":
            command = f"densecli index --kind {manifest.structure}"
        if isinstance(manifest, VectorsManifest) and manifest.recipe.inputs:
            made_by = manifest.recipe.inputs[0].path
            if not made_by.startswith((f"{WITHIN}/", "starter")):
                command = f"densecli embed --retriever {shlex.quote(made_by)}"
        if name != kind and kind != "examples":
            command += f" -o {shlex.quote(display_path(home.root / name))}"
    return f"{command} --force" if force else command
