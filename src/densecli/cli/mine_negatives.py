"""`densecli mine-negatives`: questions with answers to training examples."""

import re
from pathlib import Path
from typing import Annotated

import typer

from densecli.cli.building import building
from densecli.cli.engines import open_bm25
from densecli.cli.index import build_bm25_index
from densecli.cli.options import Force, command
from densecli.cli.session import Session
from densecli.configs.corpus import IndexConfig
from densecli.configs.training import MineConfig

FILE_ENDINGS = re.compile(r"(\.(qa|jsonl|json|csv|txt|gz))+$")


def register(app: typer.Typer) -> None:
    """Add the command to the program."""

    @command(app, "mine-negatives", MineConfig)
    def mine_negatives(
        session: Session,
        config: MineConfig,
        questions: Annotated[str, typer.Argument(help="Questions with answers: JSONL, DPR's qa.csv, or -.")],
        passages: Annotated[
            Path | None, typer.Option("--passages", help="Passage store. [default: WORKSPACE/passages]")
        ] = None,
        bm25: Annotated[
            Path | None,
            typer.Option("--bm25", help="BM25 index, built when missing. [default: WORKSPACE/bm25]"),
        ] = None,
        output: Annotated[
            Path | None,
            typer.Option("--output", "-o", help="Folder to write. [default: WORKSPACE/examples/QUESTIONS]"),
        ] = None,
        force: Force = False,
    ) -> None:
        """Find positives and hard negatives with BM25.

        The result is what `train` reads: one example for each question for which a passage that holds an
        answer was found.
        """
        from densecli.io.jsonl import write_lines
        from densecli.io.manifest import describe_input
        from densecli.io.passages import PassageStore
        from densecli.io.questions import read_questions
        from densecli.stages.mine import mine

        describe_input(questions)  # a missing file is refused before BM25 is built, which may take long
        store = PassageStore.open(passages or session.workspace.passages)
        place = bm25 or session.workspace.bm25
        if not place.exists():
            build_bm25_index(session, IndexConfig(kind="bm25"), store.folder, place)
        index = open_bm25(place, store)
        name = "stdin" if questions == "-" else FILE_ENDINGS.sub("", Path(questions).name)
        target = output or session.workspace.examples / name
        with building(session, target, config, [questions, store.folder, place], force) as build:
            examples = mine(read_questions(questions, config.answer_type), index, store, config, build.counts)
            tracked = session.terminal.track(examples, "mine", unit="examples ")
            write_lines(build.folder / "examples.jsonl", (e.to_json() for e in tracked))
            build.parents = {"passages": store.fingerprint}
            build.seal("examples.jsonl")
