"""`densecli mine-negatives`: questions to training examples."""

import re
from pathlib import Path
from typing import Annotated

import typer

from densecli.cli.audit import AuditOption, audit
from densecli.cli.mining import fill, open_mined
from densecli.cli.options import Force, command
from densecli.cli.session import Session
from densecli.cli.shared_options import DataDirOption, DatasetOption, RetrieverOption, SplitOption
from densecli.configs.mining import MineConfig
from densecli.errors import UpToDate, UsageError
from densecli.io.workspace import EXAMPLES_FILE
from densecli.workflows.building import building
from densecli.workflows.datasets import check_size, choose_dataset, question_file
from densecli.workflows.engines import Parts

FILE_ENDINGS = re.compile(r"(\.(qa|jsonl|json|csv|txt|gz|bz2))+$")


def register(app: typer.Typer) -> None:
    """Add the command to the program."""

    @command(app, "mine-negatives", MineConfig)
    def mine_negatives(
        session: Session,
        config: MineConfig,
        questions: Annotated[
            str | None,
            typer.Argument(
                help="Questions with answers, gold passages or training examples (docs/formats.md), or -."
            ),
        ] = None,
        passages: Annotated[
            Path | None, typer.Option("--passages", help="Passage store. [default: WORKSPACE/passages]")
        ] = None,
        bm25: Annotated[
            Path | None,
            typer.Option("--bm25", help="BM25 index, built when missing. [default: WORKSPACE/bm25]"),
        ] = None,
        index: Annotated[
            Path | None,
            typer.Option("--index", help="Index for dense negatives. [default: WORKSPACE/index]"),
        ] = None,
        retriever: RetrieverOption = None,
        output: Annotated[
            Path | None,
            typer.Option("--output", "-o", help="Folder to write. [default: WORKSPACE/examples/QUESTIONS]"),
        ] = None,
        dataset: DatasetOption = None,
        split: SplitOption = None,
        data_dir: DataDirOption = None,
        audit_size: AuditOption = 0,
        workers: Annotated[
            int | None,
            typer.Option("--workers", min=1, max=1024, help="Processes that mine. [default: one per core]"),
        ] = None,
        force: Force = False,
    ) -> None:
        """Find a positive and hard negatives for each question.

        The result is what `train` reads: one example for each question that has a positive passage. An
        interrupted run goes on where it was stopped.
        """
        from densecli.io.doors.asked import read_asked
        from densecli.io.manifest import describe_input
        from densecli.io.parallel import cores

        if audit_size and session.terminal.quiet:
            raise UsageError("--audit has no effect with --quiet")
        if "seed" in session.typed and not (audit_size or {"random", "gold"} & set(config.wanted)):
            raise UsageError("--seed has an effect only on random and gold --negatives, and on --audit")
        bad = session.bad_records(config.on_error)
        choice = choose_dataset(session.workspace, dataset, split, data_dir, "train")
        if choice is not None:
            if questions is not None:
                raise UsageError("--dataset and a file of questions contradict each other")
            one, part = choice.single()
            name, file = f"{one.name}-{part.name}", question_file(choice, session.terminal)
            source, answer_type = str(file), config.answer_type or one.answer_type
            asked = check_size(choice, file, read_asked(source, answer_type, bad), session.terminal)
        else:
            source = session.input_or_stdin(questions, "questions")
            name = "stdin" if source == "-" else FILE_ENDINGS.sub("", Path(source).name)
            asked = read_asked(source, config.answer_type, bad)
        known = describe_input(source)  # a missing file is refused before BM25 is built, which may take long
        target = output or session.workspace.examples / name
        if target.resolve() == Path(source).resolve():
            raise UsageError(f"{target} would take the place of its own input; name another --output")
        named = Parts(retriever, index, bm25, passages)
        collection = open_mined(session, config, named, workers or cores())
        inputs: list[str | Path] = [source, *collection.folders]
        again = "sha256" in known  # what comes through a pipe cannot be gone on with
        try:
            with building(
                session.command, target, config, inputs, force, session.terminal, keep_partial=again
            ) as build:
                fill(session, config, collection, asked, build, workers or cores())
                build.counts.update(bad.counts)
        except UpToDate:
            audit(session, target / EXAMPLES_FILE, audit_size, config.seed)
            raise
        audit(session, target / EXAMPLES_FILE, audit_size, config.seed)
