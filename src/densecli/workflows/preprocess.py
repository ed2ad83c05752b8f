"""Preprocessing: a corpus to a passage store (paper, section 4.1)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, cast

from densecli.artifacts.building import Building, building, returns_artifact
from densecli.artifacts.kinds import PassagesManifest
from densecli.artifacts.passages.writer import PassageSink
from densecli.artifacts.recipe import Input
from densecli.artifacts.workspace import Workspace, find_workspace
from densecli.configs.corpus import PreprocessConfig
from densecli.configs.resolve import resolve_config
from densecli.corpus import memory
from densecli.corpus.cut import CutBlock
from densecli.corpus.cut import preprocess as cut_into_passages
from densecli.corpus.detect import columns_of, open_sources
from densecli.corpus.source import Source
from densecli.counts import format_counts
from densecli.errors import InputError, UsageError
from densecli.files.bad_records import DUPLICATE, EXAMPLES
from densecli.files.parallel import cores
from densecli.observer import SILENT, Observer
from densecli.records import Article, Passage
from densecli.workflows.describe_records import describe_records

Corpus = Path | str | Iterable[Path | str] | Iterable[Article | Passage]
CorpusInput = str | Input
LOST = ("dropped", "skipped")
"""How counts of records begin that give no passage."""
FILES_ONLY = ("input_format", "id_column", "title_column", "text_column", "document_seconds")


@returns_artifact
def preprocess(
    corpus: Corpus = (),
    *,
    hub: str | Sequence[str] = (),
    workspace: Workspace | Path | str | None = None,
    output: Path | None = None,
    workers: int | None = None,
    force: bool = False,
    config: PreprocessConfig | None = None,
    observer: Observer = SILENT,
    **settings: Any,
) -> Path:
    """Cut a corpus into passages of 100 words.

    An interrupted run resumes, unless the corpus can be read only once: a pipe, or an iterator.

    Args:
        corpus: a file or folder, several (`-` is standard input), or records: articles to cut, or passages,
            which are taken as they are.
        hub: names of corpora on the Hugging Face Hub. They come after the files.
        workspace: its folder; by default the nearest `.densecli`.
        output: folder to write; by default `passages` in the workspace.
        workers: processes that parse and cut; by default one for each core. The result is the same.
        force: rebuild passages that were made from other inputs or with other settings.
        config: how to read and cut.
        observer: receives messages, warnings and progress.
        **settings: fields of PreprocessConfig, such as `words=50`.

    Raises:
        InputError: the corpus cannot be read, holds no passage, or two with the same id.
        ArtifactError: a corpus of the Hub cannot be reached, or the output was made from other inputs
            or settings and `force` is off.
        UsageError: there is no corpus, or a setting has no effect.

    Example:
        >>> preprocess([Article("1", "Ulm", "Einstein was born in Ulm.")], workspace="notes")
        Artifact(folder=PosixPath('notes/passages'), up_to_date=False)
    """
    config = resolve_config(PreprocessConfig, "preprocess", config, settings)
    home = find_workspace(workspace)
    if config.stride is not None and config.stride > config.words:
        raise UsageError(
            f"`stride` {config.stride} is more than `words` {config.words}: the words between are lost"
        )
    names = [hub] if isinstance(hub, str) else list(hub)
    sources, inputs = _open_corpus(corpus, names, config, settings)
    once = any(_read_once(one) for one in inputs)
    target = output or home.passages
    with building(
        PassagesManifest,
        "preprocess",
        target,
        config,
        inputs,
        force,
        observer,
        keep_partial=not once,
        home=home,
    ) as build:
        plan = None if once else build.plan
        name = ", ".join(one if isinstance(one, str) else one.path for one in inputs)
        _write_passages(sources, name, plan, config, workers or cores(), build, observer)
    return target


def _open_corpus(
    corpus: Corpus, hub: list[str], config: PreprocessConfig, settings: Mapping[str, Any]
) -> tuple[Iterator[Source], list[CorpusInput]]:
    """Return the sources, each opened when it is its turn, and what they are for the manifest.

    Raises:
        UsageError: there is no corpus, or a setting has no effect on such a corpus.
        ArtifactError: a corpus of the Hub cannot be reached, or does not exist.
    """
    paths, records = _paths_or_records(corpus)
    if records is not None:
        useless = [name for name in FILES_ONLY if name in settings]
        if useless and not hub:
            raise UsageError(f"`{useless[0]}` has no effect on records in memory")
        sources: Iterator[Source] = iter([memory.memory_source(records, config.make_ids)])
        inputs: list[CorpusInput] = [describe_records(memory.NAME, records)]
    else:
        sources, inputs = open_sources(paths, config, () if hub else settings), [*paths]
    if not hub:
        if not inputs:
            raise UsageError("no corpus given: name files or folders, - for stdin, or `hub` and a name")
        return sources, inputs
    if not paths and settings.get("input_format", "auto") != "auto":
        raise UsageError("`input_format` has no effect on corpora of the Hub")
    from densecli.registry.hub import stream_corpus  # `datasets` takes seconds to load
    from densecli.registry.hub_files import resolve_revision

    pinned_names = [resolve_revision(name) for name in hub]
    streams = (stream_corpus(name, columns_of(config)) for name in pinned_names)
    inputs += [Input(f"hf://{one}", one.partition("@")[2] or None) for one in pinned_names]
    return chain(sources, streams), inputs


def _paths_or_records(corpus: Corpus) -> tuple[list[str], Iterable[Article | Passage] | None]:
    """Return the paths of a corpus, or its records, which are not read here.

    Raises:
        TypeError: it is neither, or both.
    """
    if isinstance(corpus, str | Path):
        return [str(corpus)], None
    stream = iter(corpus)
    first = next(stream, None)
    if isinstance(first, Article | Passage):
        # an iterator gives its first record only once
        records = chain([first], stream) if stream is corpus else corpus
        return [], cast("Iterable[Article | Passage]", records)
    paths = [] if first is None else [first, *stream]
    if not all(isinstance(one, str | Path) for one in paths):
        raise TypeError("a corpus is either paths, or Article and Passage records")
    return [str(one) for one in paths], None


def _read_once(one: CorpusInput) -> bool:
    """Return whether an input cannot be read a second time, or may then be another one."""
    if isinstance(one, str):
        return one == "-" or Path(one).is_fifo()
    return one.sha256 is None


def _write_passages(
    sources: Iterator[Source],
    name: str,
    plan: str | None,
    config: PreprocessConfig,
    workers: int,
    build: Building,
    observer: Observer,
) -> None:
    """Fill a passage store; `plan` ties what an interrupted run left to this one."""
    with PassageSink(build.folder, config.keep_offsets, plan) as sink:
        done = sink.begun
        if done.records:
            observer.message(f"resuming at record {done.records + 1:,}")
        cuts = cut_into_passages(sources, config, workers, done.records)
        for cut in observer.progress(cuts, "preprocess", unit="blocks ", note=_place_of):
            done = done.after(cut.records, len(cut.passages), cut.counts, cut.errors)
            sink.add(cut.passages, cut.name, done)
        for error in done.errors:
            observer.warning(f"skipped {error}")
        if not done.rows:
            reasons = {
                reason: times for reason, times in done.counts.items() if reason.startswith(LOST) and times
            }
            why = f" ({format_counts(reasons)})" if reasons else ""
            raise InputError(name, None, f"no passage in it{why}", "at least one record with text")
        finished = sink.finish(name, unique=config.on_error == "skip")
    for error in finished.errors[: EXAMPLES - len(done.errors)]:
        observer.warning(f"skipped {error}")
    build.counts.update(done.counts)
    if finished.left_out:
        build.counts[f"skipped_{DUPLICATE}"] = finished.left_out
    build.counts["passages"] = finished.rows
    build.manifest = PassagesManifest(fingerprint=finished.fingerprint)


def _place_of(cut: CutBlock) -> str:
    place = cut.passages.last_place
    return cut.name if place is None else f"{cut.name}:{place}"
