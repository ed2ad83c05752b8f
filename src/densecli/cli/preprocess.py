"""`densecli preprocess`: a corpus to a passage store."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from densecli.cli.options import Force, command
from densecli.cli.session import Session
from densecli.configs.corpus import PreprocessConfig
from densecli.errors import UsageError
from densecli.workflows.building import building

if TYPE_CHECKING:
    from densecli.io.corpora.source import Source
    from densecli.stages.preprocess import Cut


def register(app: typer.Typer) -> None:
    """Add the command to the program."""

    @command(app, "preprocess", PreprocessConfig)
    def preprocess(
        session: Session,
        config: PreprocessConfig,
        sources: Annotated[
            list[str] | None,
            typer.Argument(
                help="Files (JSONL, JSON, TSV, CSV or Parquet with id, title and text; psgs_w100 TSV;"
                " Wikipedia dumps; WikiExtractor's output; also in gzip or bzip2), folders of documents or of"
                " BEIR, or - for stdin."
            ),
        ] = None,
        hf: Annotated[
            list[str] | None,
            typer.Option(
                "--hf", help="A corpus on the Hugging Face Hub, streamed: wikimedia/wikipedia:20231101.en."
            ),
        ] = None,
        output: Annotated[
            Path | None, typer.Option("--output", "-o", help="Folder to write. [default: WORKSPACE/passages]")
        ] = None,
        workers: Annotated[
            int | None,
            typer.Option("--workers", min=1, help="Processes that parse and cut. [default: one per core]"),
        ] = None,
        force: Force = False,
    ) -> None:
        """Cut a corpus into passages of 100 words.

        An interrupted run goes on where it was stopped, unless it reads a pipe.
        """
        from densecli.io.bad_records import DUPLICATE, EXAMPLES
        from densecli.io.manifest import digest_texts
        from densecli.io.parallel import cores
        from densecli.io.store.sink import PassageSink
        from densecli.stages.preprocess import preprocess as run

        if config.stride is not None and config.stride > config.words:
            raise UsageError(
                f"--stride {config.stride} is more than --words {config.words}: the words between are lost"
            )
        target = output or session.workspace.passages
        opened, inputs = _corpora(sources or [], hf or [], config)
        once = any(_read_once(one) for one in inputs)
        name = ", ".join([*(sources or []), *(hf or [])])
        with building(
            session.command, target, config, inputs, force, session.terminal, keep_partial=not once
        ) as build:
            plan = None if once else digest_texts([str(asdict(config)), str(build.inputs)])
            with PassageSink(build.folder, config.keep_offsets, plan) as sink:
                done = sink.begun
                if done.records:
                    session.terminal.message(f"going on at record {done.records + 1:,}")
                cuts = run(opened, config, workers or cores(), done.records)
                for cut in session.terminal.progress(cuts, "preprocess", unit="blocks ", note=_where):
                    done = done.after(cut.records, len(cut.passages), cut.counts, cut.errors)
                    sink.add(cut.passages, cut.name, done)
                for error in done.errors:
                    session.terminal.warning(f"skipped {error}")
                finished = sink.finish(name, unique=config.on_error == "skip")
            for error in finished.errors[: EXAMPLES - len(done.errors)]:
                session.terminal.warning(f"skipped {error}")
            build.counts.update(done.counts)
            if finished.left_out:
                build.counts[f"skipped_{DUPLICATE}"] = finished.left_out
            build.counts["passages"] = finished.rows
            build.fingerprint = finished.fingerprint


def _corpora(
    paths: list[str], hub: list[str], config: PreprocessConfig
) -> "tuple[Iterator[Source], list[str | Mapping[str, Any]]]":
    """Return the corpora to open in turn, and what they are for the manifest.

    Raises:
        UsageError: there are none, or a form is named for those of the Hub, which tell theirs.
        ArtifactError: one of the Hub is out of reach, or not there.
    """
    from densecli.io.corpora.sniff import columns_of, open_sources

    if not paths and not hub:
        raise UsageError("no corpus given: name files or folders, - for stdin, or --hf and a name")
    if not hub:
        return open_sources(paths, config), [*paths]
    if not paths and config.input_format != "auto":
        raise UsageError("--input-format has no effect on corpora of the Hub")
    from densecli.io.registry.hub import stream_corpus
    from densecli.io.registry.hub_files import pinned

    names = [pinned(name) for name in hub]
    streams = (stream_corpus(name, columns_of(config)) for name in names)
    commits = [name.partition("@")[2] for name in names]
    told = [{"path": f"hf://{name}", "sha256": sha or None} for name, sha in zip(names, commits, strict=True)]
    return chain(open_sources(paths, config), streams), [*paths, *told]


def _read_once(one: str | Mapping[str, Any]) -> bool:
    """Whether an input cannot be read a second time, or may then be another one."""
    if isinstance(one, str):
        return one == "-" or Path(one).is_fifo()
    return one["sha256"] is None


def _where(cut: "Cut") -> str:
    place = cut.passages.last_place
    return cut.name if place is None else f"{cut.name}:{place}"
