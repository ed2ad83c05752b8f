"""The side of `densecli convert` that turns models, vectors and indexes into other programs' and back."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from densecli.cli.session import Session
from densecli.configs.convert import MODEL_FORMS, TAKEN_VECTORS, ConvertConfig
from densecli.configs.corpus import EmbedConfig
from densecli.errors import UsageError
from densecli.workflows.building import building
from densecli.workflows.models import model_folder, retriever_place

if TYPE_CHECKING:
    from densecli.io.store.passages import PassageStore

FILE_FORMS = ("dpr-checkpoint",)


def convert_artefact(
    session: Session,
    config: ConvertConfig,
    source: str,
    retriever: str | None,
    passages: Path | None,
    output: Path | None,
    force: bool,
) -> None:
    """Write `source` as `config.to` says.

    Raises:
        UsageError: there is no --output, or an option has no effect.
    """
    if output is None:
        raise UsageError(f"--to {config.to} makes a file or folder: name it with --output")
    if config.to in MODEL_FORMS:
        if retriever is not None or passages is not None:
            option = "--retriever" if retriever is not None else "--passages"
            raise UsageError(f"{option} has no effect with --to {config.to}")
        _convert_model(session, config, model_folder_or_file(source), output, force)
        return
    from densecli.io.store.passages import PassageStore

    store = PassageStore.open(passages or session.workspace.passages)
    if config.to in TAKEN_VECTORS:
        place = model_folder(retriever_place(session.workspace, session.terminal, retriever))
        _take_vectors(session, config, Path(source), place, store, output, force)
    elif retriever is not None:
        raise UsageError(f"--retriever has no effect with --to {config.to}")
    else:
        _give_vectors(session, config, Path(source), store, output, force)


def model_folder_or_file(source: str) -> Path:
    """Return a checkpoint's file, or the folder of a model, fetched from the Hub when it is a name there."""
    return Path(source) if Path(source).is_file() else model_folder(source)


def _convert_model(session: Session, config: ConvertConfig, source: Path, output: Path, force: bool) -> None:
    from densecli.encoders.folder import fingerprint, is_model_folder
    from densecli.io.atomic import new_file
    from densecli.stages.convert_models import CONVERSIONS, ModelOptions

    trailing_sep = None if config.trailing_sep == "auto" else config.trailing_sep == "yes"
    token_types = None if config.token_types == "auto" else config.token_types
    options = ModelOptions(config.base, trailing_sep, token_types)
    write = CONVERSIONS[str(config.to)]
    if config.to in FILE_FORMS:
        if force:
            raise UsageError("--force has an effect only on a folder; a file is replaced anyway")
        with new_file(output) as path:
            write(source, path, options)
        session.terminal.message(f"{output}: written")
        return
    with building(session.command, output, config, [source], force, session.terminal) as build:
        write(source, build.folder, options)
        if is_model_folder(build.folder):
            build.fingerprint = fingerprint(build.folder)


def _take_vectors(
    session: Session,
    config: ConvertConfig,
    source: Path,
    retriever: Path,
    store: "PassageStore",
    output: Path,
    force: bool,
) -> None:
    from densecli.io.vectors.rows import PREFIX, PassageRows
    from densecli.stages.convert_vectors import Maker, input_files, take_index, take_vectors

    made_by = {"vectors": "embed", "index": "index"}[str(config.to)]
    session = replace(session, command=made_by)  # whose result it stands for
    rows = PassageRows(store, PREFIX if config.id_prefix is None else config.id_prefix)
    maker = Maker.of(retriever)
    inputs = [*input_files(source), retriever, store.folder]
    with building(session.command, output, config, inputs, force, session.terminal) as build:
        build.parents = {
            "retriever": maker.fingerprint,
            "passage_tower": maker.passage_tower,
            "passages": store.fingerprint,
        }
        if config.to == "index":
            kind = take_index(source, rows, maker, build.folder, build.counts, config.allow_missing)
            build.facts = {"kind": kind, "dimension": maker.dimension}
        else:
            size = EmbedConfig().shard_rows
            take_vectors(source, rows, maker, build.folder, size, build.counts, config.allow_missing)
            shards = -(-len(store) // size)
            build.facts = {"rows": len(store), "dimension": maker.dimension, "shards": shards}
        build.seal(*sorted(path.name for path in build.folder.iterdir()))


def _give_vectors(
    session: Session, config: ConvertConfig, source: Path, store: "PassageStore", output: Path, force: bool
) -> None:
    from densecli.stages.convert_vectors import open_made, write_for

    program, _, what = str(config.to).partition("-")
    made = open_made(source, what, store)
    with building(session.command, output, config, [source, store.folder], force, session.terminal) as build:
        build.counts["vectors"] = write_for(program, made, store, build.folder, config.id_prefix or "")
        build.seal(*sorted(path.name for path in build.folder.iterdir()))
