"""`densecli convert`: a file or folder of one program to the form of another."""

import gzip
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, cast

import typer

from densecli.cli.convert_artefacts import convert_artefact
from densecli.cli.options import Force, command
from densecli.cli.session import Session
from densecli.cli.shared_options import QuestionsOption, RetrieverOption, TextsOption
from densecli.configs.convert import ARTEFACT_FORMS, TAKEN_VECTORS, ConvertConfig
from densecli.counts import listed
from densecli.errors import UsageError
from densecli.workflows.building import building

if TYPE_CHECKING:
    from densecli.io.bad_records import BadRecords


def register(app: typer.Typer) -> None:
    """Add the command to the program."""

    @command(app, "convert", ConvertConfig)
    def convert(
        session: Session,
        config: ConvertConfig,
        source: Annotated[
            str,
            typer.Argument(
                metavar="INPUT",
                help="Questions, training examples, results, runs, judgments or passages (- is "
                "stdin); a model, vectors or an index.",
            ),
        ],
        form: Annotated[
            str | None,
            typer.Option("--from", help="Format of the input. [default: detected from the first record]"),
        ] = None,
        questions: QuestionsOption = None,
        passages: TextsOption = None,
        retriever: RetrieverOption = None,
        output: Annotated[
            Path | None,
            typer.Option("--output", "-o", help="File (.gz compresses), or BEIR folder. [default: stdout]"),
        ] = None,
        force: Force = False,
    ) -> None:
        """Rewrite a file, a model, vectors or an index for another program."""
        if config.to in ARTEFACT_FORMS:
            for option, given in (("from", form), ("questions", questions), ("take", config.take)):
                if given is not None:
                    raise UsageError(f"--{option} has no effect with --to {config.to}")
            convert_artefact(session, config, source, retriever, passages, output, force)
            return
        if retriever is not None:
            raise UsageError(f"--retriever has an effect only with --to {' or '.join(TAKEN_VECTORS)}")
        from densecli.io.doors.records import open_lookup, open_records
        from densecli.io.streams import told
        from densecli.stages.convert import convert as run
        from densecli.stages.convert import find_target, idle, placed

        counts: Counter[str] = Counter()
        bad = session.bad_records(config.on_error)
        named = {"questions": questions, "passages": passages}
        with open_records(source, form, bad) as (records, kind):
            taken, target = find_target(kind, config.to, config.take)
            for option in idle(kind, taken) & {name for name, given in named.items() if given is not None}:
                raise UsageError(f"--{option} has no effect when {taken} are written from {kind}")
            with (
                open_lookup(source, questions, passages, bad) as lookup,
                placed(told(source), counts, bad) as refuse,
            ):
                tracked = session.terminal.progress(records, "convert", unit="records ")
                converted = bad.usable(
                    told(source), run(tracked, kind, taken, target, lookup, counts, refuse)
                )
                if target.write is None:
                    inputs = [path for path in (source, questions, passages) if path is not None]
                    _write_folder(
                        session, config, converted, lookup.store, inputs, output, force, counts, bad
                    )
                    return
                if force:
                    raise UsageError("--force has an effect only on a folder; a file is replaced anyway")
                with _stream(session, output) as stream:
                    target.write(converted, stream)
        counts.update(bad.counts)
        session.terminal.message(f"{output or 'stdout'}: {listed(counts) or 'no records'}")


def _write_folder(
    session: Session,
    config: ConvertConfig,
    examples: Any,
    store: Any,
    inputs: list[Any],
    output: Path | None,
    force: bool,
    counts: Counter[str],
    bad: "BadRecords",
) -> None:
    from densecli.io.formats.beir_folder import write_folder

    if output is None:
        raise UsageError("--to beir makes a folder of training examples: name it with --output")
    with building(session.command, output, config, inputs, force, session.terminal) as build:
        build.counts["passages"] = write_folder(build.folder, examples, store, config.qrels_split)
        build.counts.update(counts + bad.counts)
        build.seal("corpus.jsonl", "queries.jsonl", f"qrels/{config.qrels_split}.tsv")


@contextmanager
def _stream(session: Session, output: Path | None) -> Iterator[BinaryIO]:
    with session.data_out(output) as stream:
        if output is None or output.suffix != ".gz":
            yield stream
            return
        with gzip.GzipFile(filename="", fileobj=stream, mode="wb", mtime=0) as packed:
            yield cast(BinaryIO, packed)
