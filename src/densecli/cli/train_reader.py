"""`densecli train-reader`: search results to a reader."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from densecli.cli.interruption import stop_on_ctrl_c
from densecli.cli.joint import PLACE, Joint, JointOption, joint_folder
from densecli.cli.options import Force, command
from densecli.cli.session import Session
from densecli.cli.shared_options import ExcludeOption, SaveEveryOption, TensorBoardOption
from densecli.configs.training import TrainReaderConfig
from densecli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
        save_every: SaveEveryOption = None,
        tensorboard: TensorBoardOption = None,
        force: Force = False,
    ) -> None:
        """Train the reader on search results.

        A question that is also a test question is dropped and counted.
        """
        from densecli.encoders.folder import fingerprint
        from densecli.io.manifest import describe_input
        from densecli.records import RankedList
        from densecli.workflows.checkpointer import Checkpointer, resumable
        from densecli.workflows.fitting import check_validation, describe_hardware, follow_training
        from densecli.workflows.models import base_folder
        from densecli.workflows.record_sets import RecordSet, as_record_sets
        from densecli.workflows.training_data import find_excluded, question_keys, read_result_sets

        terminal = session.terminal
        given = results or [session.input_or_stdin(None, "search results")]
        sources = as_record_sets(given, RankedList, "search results")
        dev_set = RecordSet[RankedList](dev) if dev else None
        check_validation(session.typed, dev, tensorboard)
        if config.passages > config.depth and {"passages", "depth"} <= session.typed:
            raise UsageError(
                f"--passages {config.passages:,} cannot be sampled from --depth {config.depth:,}:"
                " raise --depth, or lower --passages"
            )
        base = base_folder(config.encoder, "reader")
        left_out = find_excluded(session.workspace, None, exclude or (), terminal)
        beside = joint_folder(joint)
        records: list[RecordSet[Any]] = [*sources, *([dev_set] if dev_set else []), *left_out]
        inputs = [one.describe() for one in records]
        inputs += [describe_input(folder) for folder in ([base, beside] if beside else [base])]
        target = output or session.workspace.reader
        with (
            stop_on_ctrl_c(session) as stop_requested,
            resumable(
                "train-reader", target, config, inputs, force, terminal, home=session.workspace
            ) as build,
        ):
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

            saved = Checkpointer(build, config, write, terminal, save_every, tensorboard, stop_requested)
            jointly = f", and the question encoder of {beside} with it" if beside else ""
            hardware = describe_hardware(config, ALONE)
            terminal.message(f"training a reader from {base}{jointly} ({hardware})")
            bad = session.bad_records(config.on_error)
            dev_depth = min(config.depth, config.dev_depth)
            held_out = read_result_sets([dev_set], bad, dev_depth) if dev_set else None
            found = read_result_sets(sources, bad, config.depth)
            ranked = without_questions(found, question_keys(left_out), build.counts)
            more = () if retriever is None else (retriever.retriever, retriever.temperature)
            reports = run(ranked, held_out, reader, config, build.counts, saved, *more)

            def tell() -> None:
                count = build.counts["questions trained on"]
                epochs, size = config.passes(count), config.batch(count)
                terminal.message(f"{count:,} questions in batches of {size}, epochs: {epochs:,}")

            build.facts = follow_training("train-reader", _begun(reports, tell), saved, terminal)
            build.counts.update(bad.counts)
            saved.finish()
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
