"""`densecli train-reader`: search results to a reader."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from densecli.cli.checkpoints import Checkpoints, SaveEvery, TensorBoard, resumable
from densecli.cli.excluded import ExcludeOption, excluded_files, question_keys
from densecli.cli.fitting import base_folder, check_looks, follow, hardware
from densecli.cli.joint import PLACE, Joint, JointOption, joint_folder
from densecli.cli.options import Force, command
from densecli.cli.session import Session
from densecli.configs.training import TrainReaderConfig
from densecli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from densecli.io.bad_records import BadRecords
    from densecli.records import RankedList
    from densecli.training.report import StepReport


def register(app: typer.Typer) -> None:
    """Add the command to the program."""

    @command(app, "train-reader", TrainReaderConfig)
    def train_reader(
        session: Session,
        config: TrainReaderConfig,
        results: Annotated[
            list[str] | None,
            typer.Argument(
                help="Search results with text for questions with answers: files, or - for stdin."
            ),
        ] = None,
        dev: Annotated[
            str | None,
            typer.Option(
                "--dev", help="Search results to validate on after each epoch. The best reader is kept."
            ),
        ] = None,
        output: Annotated[
            Path | None, typer.Option("--output", "-o", help="Folder to write. [default: WORKSPACE/reader]")
        ] = None,
        joint: JointOption = None,
        exclude: ExcludeOption = None,
        save_every: SaveEvery = None,
        tensorboard: TensorBoard = None,
        force: Force = False,
    ) -> None:
        """Train the reader on search results.

        A question that is also a test question is dropped and counted.
        """
        sources = results or [session.input_or_stdin(None, "search results")]
        check_looks(session, dev, tensorboard)
        if config.passages > config.depth and {"passages", "depth"} <= session.typed:
            raise UsageError(
                f"--passages {config.passages:,} cannot be sampled from --depth {config.depth:,}:"
                " raise --depth, or lower --passages"
            )
        base = base_folder(config.encoder, "reader")
        left_out = excluded_files(session, None, exclude)
        beside = joint_folder(joint)
        inputs: list[str | Path] = [*sources, *([dev] if dev else []), *left_out, base]
        inputs += [beside] if beside else []
        with resumable(session, output or session.workspace.reader, config, inputs, force) as build:
            from densecli.encoders.folder import fingerprint
            from densecli.reader.torch_folder import open_reader_base, save_reader
            from densecli.stages.train_reader import train_reader as run
            from densecli.training.hygiene import without_questions
            from densecli.training.ranks import ALONE

            types = None if config.token_types == "auto" else config.token_types
            reader = open_reader_base(
                str(base), config.max_tokens, config.max_answer_tokens, config.seed, types
            )
            retriever = Joint.open(beside) if beside else None

            def write(folder: Path) -> None:
                save_reader(reader, folder)
                if retriever is not None:
                    retriever.write(folder)

            saved = Checkpoints(session, build, config, write, save_every, tensorboard)
            jointly = f", and the question encoder of {beside} with it" if beside else ""
            session.terminal.message(f"training a reader from {base}{jointly} ({hardware(config, ALONE)})")
            bad = session.bad_records(config.on_error)
            held_out = _results([dev], bad, min(config.depth, config.dev_depth)) if dev else None
            found = _results(sources, bad, config.depth)
            ranked = without_questions(found, question_keys(left_out), build.counts)
            more = () if retriever is None else (retriever.retriever, retriever.temperature)
            reports = run(ranked, held_out, reader, config, build.counts, saved, *more)

            def tell() -> None:
                count = build.counts["questions trained on"]
                epochs, size = config.passes(count), config.batch(count)
                session.terminal.message(f"{count:,} questions in batches of {size}, epochs: {epochs:,}")

            build.facts = follow(session, "train-reader", _begun(reports, tell), saved)
            build.counts.update(bad.counts)
            saved.settle()
            build.fingerprint = fingerprint(build.folder)
            if beside:
                build.parents = {"retriever": fingerprint(beside)}
                build.facts = {**build.facts, "retriever": fingerprint(build.folder / PLACE)}


def _begun(reports: "Iterator[StepReport]", tell: "Callable[[], None]") -> "Iterator[StepReport]":
    """Tell what is trained on after the first update: by then it has been read."""
    for number, report in enumerate(reports):
        if not number:
            tell()
        yield report


def _results(sources: list[str], bad: "BadRecords", depth: int) -> "Iterator[RankedList]":
    from densecli.io.doors.results import read_ranked
    from densecli.reader.retrieved import check_texts

    check = partial(check_texts, depth=depth)
    return (one for source in sources for one in read_ranked(source, bad, check=check))
