"""Conversion: records, models, vectors and indexes to and from the forms of other programs."""

from collections import Counter
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from densecli.artifacts.building import building
from densecli.artifacts.kinds import (
    ExportManifest,
    IndexManifest,
    Manifest,
    ReaderManifest,
    RetrieverManifest,
    VectorsManifest,
)
from densecli.artifacts.passages.store import PassageStore
from densecli.artifacts.recipe import Input
from densecli.artifacts.workspace import Workspace, find_workspace
from densecli.configs.convert import GIVEN_VECTORS, MODEL_FORMS, TAKEN_VECTORS, ConvertConfig
from densecli.configs.corpus import EmbedConfig
from densecli.configs.resolve import resolve_config
from densecli.counts import format_counts
from densecli.dense.rows_by_id import PREFIX, PassageRows
from densecli.errors import UpToDate, UsageError
from densecli.files.atomic import new_file, resolve_path
from densecli.files.bad_records import BadRecords
from densecli.files.streams import display_name, new_stream
from densecli.formats.beir_folder import write_folder
from densecli.formats.convert import convert as convert_each
from densecli.formats.convert import find_target, idle, locate_errors
from densecli.formats.known import QRELS
from densecli.formats.read_any import open_lookup, open_records
from densecli.observer import SILENT, Observer
from densecli.workflows.models import base_folder, describe_model, model_folder, retriever_place
from densecli.workflows.reporting import collect_bad_records

FILE_FORMS = ("dpr-checkpoint",)
"""Models that are one file."""
ONE_FILE = "`force` has an effect only on a folder; a file is replaced anyway"
Output = Path | BinaryIO


@dataclass(frozen=True)
class Conversion:
    """What came of a conversion.

    Attributes:
        counts: what was converted, and what the new form has no place for, by reason; empty for a model.
        up_to_date: whether the folder was made before from the same inputs and with the same settings.
    """

    counts: Mapping[str, int]
    up_to_date: bool = False


def convert(
    source: Path | str,
    *,
    output: Output,
    form: str | None = None,
    questions: Path | str | None = None,
    passages: Path | None = None,
    retriever: str | None = None,
    workspace: Workspace | Path | str | None = None,
    force: bool = False,
    config: ConvertConfig | None = None,
    observer: Observer = SILENT,
    **settings: Any,
) -> Conversion:
    """Rewrite records, a model, vectors or an index for another program.

    Args:
        source: a file or folder of questions, training examples, results, judgments or passages (`-` is
            standard input); or a model, vectors or an index.
        output: file or folder to write. Records may go to a binary stream; a file whose name ends in `.gz`,
            `.bz2`, `.xz` or `.zst` is compressed.
        form: form of the records, such as `trec`; by default detected from the first record.
        questions: file of questions, for records that hold only their ids.
        passages: passage store, for records that hold only passage ids; for vectors and indexes in place of
            the workspace's.
        retriever: folder, Hub name or `starter`: what made the vectors of another program.
        workspace: where passages and retriever are; by default the nearest `.densecli`.
        force: rebuild a folder that was made from other inputs or with other settings.
        config: the form to write, and how.
        observer: receives messages, warnings and progress.
        **settings: fields of ConvertConfig, such as `to="dpr"`.

    Raises:
        InputError: records cannot be read, or lack what the form needs.
        ArtifactError: a model, vectors or an index is missing or damaged, parts do not belong together, or
            the output was made from other inputs or settings and `force` is off.
        UsageError: there is no such form, or a setting has no effect.

    Example:
        >>> convert("found.jsonl", output=Path("found.run"), to="trec").counts
        Counter({'records': 12})
    """
    config = resolve_config(ConvertConfig, "convert", config, settings)
    home = find_workspace(workspace)
    named = {
        "form": form,
        "questions": questions,
        "take": settings.get("take"),
        "retriever": retriever,
        "passages": passages,
    }
    _check_effect(config.to, {name for name, value in named.items() if value is not None})
    job = _Job(str(source), output, config, force, observer, settings.keys())
    try:
        if config.to in MODEL_FORMS:
            return Conversion(_convert_model(job))
        if config.to not in (*TAKEN_VECTORS, *GIVEN_VECTORS):
            return Conversion(_convert_records(job, form, questions, passages))
        store = PassageStore.open(passages or home.passages)
        if config.to in GIVEN_VECTORS:
            return Conversion(_give_vectors(job, store))
        maker = model_folder(retriever_place(home, observer, retriever))
        return Conversion(_take_vectors(job, store, maker))
    except UpToDate:
        return Conversion({}, up_to_date=True)


def _check_effect(to: str | None, named: set[str]) -> None:
    """Refuse what is named and has no effect on such a conversion.

    Raises:
        UsageError: names it.
    """
    if to in MODEL_FORMS:
        useless = named
    elif to in (*TAKEN_VECTORS, *GIVEN_VECTORS):
        useless = named - ({"passages", "retriever"} if to in TAKEN_VECTORS else {"passages"})
    elif "retriever" in named:
        raise UsageError(f"`retriever` has an effect only with `to` {' or '.join(TAKEN_VECTORS)}")
    else:
        return
    for name in sorted(useless):
        raise UsageError(f"`{name}` has no effect with `to` {to}")


@dataclass(frozen=True)
class _Job:
    """What every conversion needs."""

    source: str
    output: Output
    config: ConvertConfig
    force: bool
    observer: Observer
    asked: Set[str]
    """The settings that must have an effect."""

    def path(self, made: str = "a file or folder") -> Path:
        """Return where to write.

        Raises:
            UsageError: that is a stream.
        """
        if not isinstance(self.output, Path):
            raise UsageError(f"`to` {self.config.to} makes {made}: name it with `output`")
        return self.output


def _convert_records(
    job: _Job, form: str | None, texts_from: Path | str | None, passages: Path | None
) -> Counter[str]:
    """Convert records one by one; return the counts."""
    questions = None if texts_from is None else str(texts_from)
    config, source = job.config, job.source
    counts: Counter[str] = Counter()
    bad = collect_bad_records(config.on_error, job.observer)
    given = {name for name, one in (("questions", questions), ("passages", passages)) if one is not None}
    with open_records(source, form, bad) as (records, kind):
        taken, target = find_target(kind, config.to, config.take)
        for option in idle(kind, taken) & given:
            raise UsageError(f"`{option}` has no effect when {taken} are written from {kind}")
        if target.write is not None and "qrels_split" in job.asked:
            raise UsageError("`qrels_split` has an effect only on a BEIR folder of training examples")
        with (
            open_lookup(source, questions, passages, bad, needed=taken != QRELS) as lookup,
            locate_errors(display_name(source), counts, bad) as refuse,
        ):
            tracked = job.observer.progress(records, "convert", unit="records ")
            converted = bad.usable(
                display_name(source), convert_each(tracked, kind, taken, target, lookup, counts, refuse)
            )
            if target.write is None:
                inputs = [path for path in (source, questions, passages) if path is not None]
                return _write_beir_folder(job, converted, lookup.store, inputs, counts, bad)
            if job.force:
                raise UsageError(ONE_FILE)
            with _open_output(job.output) as stream:
                target.write(converted, stream)
    counts.update(bad.counts)
    name = job.output if isinstance(job.output, Path) else "output"
    job.observer.message(f"{name}: {format_counts(counts) or 'no records'}")
    return counts


def _write_beir_folder(
    job: _Job, examples: Any, store: Any, inputs: list[str | Path], counts: Counter[str], bad: BadRecords
) -> Counter[str]:
    output, split = job.path("a folder of training examples"), job.config.qrels_split
    with building(ExportManifest, "convert", output, job.config, inputs, job.force, job.observer) as build:
        build.counts["passages"] = write_folder(build.folder, examples, store, split)
        build.counts.update(counts + bad.counts)
        fingerprint = build.digest("corpus.jsonl", "queries.jsonl", f"qrels/{split}.tsv")
        build.manifest = ExportManifest(fingerprint=fingerprint)
    return build.counts


@contextmanager
def _open_output(output: Output) -> Iterator[BinaryIO]:
    """Yield the stream to write to: the one given, or a file that appears when it is whole."""
    if not isinstance(output, Path):
        yield output
        output.flush()
        return
    with new_stream(output) as stream:
        yield stream


def _convert_model(job: _Job) -> Counter[str]:
    """Write a model as a file or folder; there is nothing to count."""
    from densecli.encoders.convert import CONVERSIONS, ModelOptions, needs_torch
    from densecli.models.folder import fingerprint

    config, output = job.config, job.path()
    role = "reader" if config.to == "reader" else "retriever"  # which of the two `starter` means
    source = Path(job.source) if Path(job.source).is_file() else base_folder(job.source, role)
    if config.to in ("retriever", "reader") and not source.is_file():
        for name in ("base", "trailing_sep", "token_types"):
            if name in job.asked:
                raise UsageError(
                    f"`{name}` has an effect only on a DPR checkpoint, not on a folder ({source})"
                )
    trailing_sep = None if config.trailing_sep == "auto" else config.trailing_sep == "yes"
    token_types = None if config.token_types == "auto" else config.token_types
    options = ModelOptions(config.base, trailing_sep, token_types)
    form = str(config.to)
    if needs_torch(form, source):
        from densecli.encoders.torch_convert import CONVERSIONS as HEAVY

        write = HEAVY[form]
    else:
        write = CONVERSIONS[form]
    if config.to in FILE_FORMS:
        if job.force:
            raise UsageError(ONE_FILE)
        with new_file(resolve_path(output)) as path:
            write(source, path, options)
        job.observer.message(f"{output}: written")
        return Counter()
    base = Path(config.base) if config.base is not None else None
    inputs: list[str | Path | Input] = [describe_model(source) if source.is_dir() else source]
    inputs += [base] if base is not None and base.exists() else []
    kind = {"retriever": RetrieverManifest, "reader": ReaderManifest}.get(str(config.to), ExportManifest)
    with building(kind, "convert", output, config, inputs, job.force, job.observer) as build:
        write(source, build.folder, options)
        build.manifest = kind(fingerprint=fingerprint(build.folder))
    return Counter()


def _take_vectors(job: _Job, store: PassageStore, retriever: Path) -> Counter[str]:
    """Make vectors or an index of ours from those of another program; return the counts."""
    from densecli.dense.convert import RetrieverIdentity, input_files, take_index, take_vectors  # loads FAISS

    config, output, source = job.config, job.path(), Path(job.source)
    rows = PassageRows(store, PREFIX if config.id_prefix is None else config.id_prefix)
    maker = RetrieverIdentity.of(retriever)
    inputs = [*input_files(source), retriever, store.folder]
    kind: type[Manifest] = IndexManifest if config.to == "index" else VectorsManifest
    with building(kind, "convert", output, config, inputs, job.force, job.observer) as build:
        size = EmbedConfig().shard_rows
        if config.to == "index":
            structure = take_index(source, rows, maker, build.folder, build.counts, config.allow_missing)
        else:
            take_vectors(source, rows, maker, build.folder, size, build.counts, config.allow_missing)
        fingerprint = build.digest(*sorted(path.name for path in build.folder.iterdir()))
        if config.to == "index":
            build.manifest = IndexManifest(
                fingerprint=fingerprint,
                retriever=maker.fingerprint,
                passage_tower=maker.passage_tower,
                passages=store.fingerprint,
                structure=structure,
                dimension=maker.dimension,
            )
        else:
            build.manifest = VectorsManifest(
                fingerprint=fingerprint,
                retriever=maker.fingerprint,
                passage_tower=maker.passage_tower,
                passages=store.fingerprint,
                rows=len(store),
                dimension=maker.dimension,
                shards=-(-len(store) // size),
            )
    return build.counts


def _give_vectors(job: _Job, store: PassageStore) -> Counter[str]:
    """Write vectors or an index of ours for another program; return the counts."""
    from densecli.dense.convert import open_made, write_for  # loads FAISS

    output, source = job.path(), Path(job.source)
    program, _, what = str(job.config.to).partition("-")
    made = open_made(source, what, store)
    inputs = [source, store.folder]
    with building(ExportManifest, "convert", output, job.config, inputs, job.force, job.observer) as build:
        prefix = job.config.id_prefix or ""
        build.counts["vectors"] = write_for(program, made, store, build.folder, prefix)
        fingerprint = build.digest(*sorted(path.name for path in build.folder.iterdir()))
        build.manifest = ExportManifest(fingerprint=fingerprint)
    return build.counts
