"""`densecli status`: the artifacts of a workspace, and what to run next."""

from typing import TYPE_CHECKING

from densecli.cli.session import Session
from densecli.cli.shared_options import JsonOption
from densecli.configs.status import StatusConfig
from densecli.errors import ArtifactError

if TYPE_CHECKING:
    from densecli.workflows.status import WorkspaceStatus


def status(session: Session, config: StatusConfig, json: JsonOption = False) -> None:
    """List the artifacts of the workspace.

    It shows what they are, whether they are up to date, and what to run next.

    --verify reads every file and compares its digest.
    """
    from densecli.workflows.status import status as run

    found = run(**session.arguments(config))
    try:
        if session.terminal.shows_tables and not json:
            if found.artifacts:
                session.terminal.show(found.table())
        else:
            session.write((one.to_json() for one in found.artifacts), None)
    except BrokenPipeError:
        _refuse_damaged(found, config)  # nobody reads the list, but the exit code still counts
        raise
    for line in found.problems:
        session.terminal.message(line)
    _refuse_damaged(found, config)
    session.terminal.message(f"{found.folder}: next: {found.next}")


def _refuse_damaged(found: "WorkspaceStatus", config: StatusConfig) -> None:
    if config.verify and found.damaged:
        names = ", ".join(one.name for one in found.damaged)
        raise ArtifactError(f"{found.folder}: damaged: {names}; run `{found.damaged[0].next or found.next}`")
