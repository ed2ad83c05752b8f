"""`densecli train`: training examples to a retriever."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from densecli.cli.building import building
from densecli.cli.fitting import Checkpoints, base_folder, follow
from densecli.cli.named_sets import DataDirOption, DatasetOption, SplitOption, chosen, example_files
from densecli.cli.options import Force, command
from densecli.cli.session import Session
from densecli.configs.training import TrainConfig
from densecli.errors import ArtifactError, InputError, UsageError
from densecli.io.workspace import EXAMPLES_FILE

if TYPE_CHECKING:
    from collections import Counter

    from densecli.training.examples import ExampleSpool


def register(app: typer.Typer) -> None:
    """Add the command to the program."""

    @command(app, "train", TrainConfig)
    def train(
        session: Session,
        config: TrainConfig,
        examples: Annotated[
            list[str] | None,
            typer.Argument(
                help="Training examples: files of DPR's or another form (docs/formats.md), names made by "
                "mine-negatives, or -. "
                "[default: the only set in WORKSPACE/examples]"
            ),
        ] = None,
        dev: Annotated[
            str | None,
            typer.Option("--dev", help="Examples to validate on after each epoch; the best model is kept."),
        ] = None,
        output: Annotated[
            Path | None,
            typer.Option("--output", "-o", help="Folder to write. [default: WORKSPACE/retriever]"),
        ] = None,
        dataset: DatasetOption = None,
        split: SplitOption = None,
        data_dir: DataDirOption = None,
        force: Force = False,
    ) -> None:
        """Train the question and the passage encoder.

        With --dataset multi: nq and trivia, and webq and trec four times each, as in the paper.
        """
        choice = chosen(session, dataset, split, data_dir, "train")
        if choice is not None and examples:
            raise UsageError("--dataset and files of examples contradict each other")
        if choice is not None:
            sources = example_files(session, choice)
        else:
            sources = [_place(session, name) for name in examples] if examples else [_only_set(session)]
        held_out = None if dev is None else _place(session, dev)
        base = base_folder(config.encoder, "retriever")
        inputs: list[str | Path] = [*sources, *([held_out] if held_out else []), base]
        with building(session, output or session.workspace.retriever, config, inputs, force) as build:
            from densecli.encoders.folder import fingerprint
            from densecli.encoders.torch_base import open_base
            from densecli.encoders.torch_save import save_retriever
            from densecli.stages.train import train as run

            spool = _spool(sources, build.counts)
            dev_spool = _spool([held_out], build.counts) if held_out else None
            retriever = open_base(
                str(base), config.pooling, config.max_question_tokens, config.max_passage_tokens
            )
            saved = Checkpoints(build.folder, lambda folder: save_retriever(retriever, folder))
            session.terminal.say(
                f"training on {len(spool):,} examples from {base}, {retriever.card.pooling} pooling"
            )
            reports = run(spool, dev_spool, retriever, config, build.counts, saved.save)
            build.facts = follow(session, "train", reports, build.folder)
            saved.settle()
            build.counts["examples"] = len(spool)
            build.fingerprint = fingerprint(build.folder)


def _only_set(session: Session) -> str:
    folder = session.workspace.examples
    found = sorted(path.parent for path in folder.glob(f"*/{EXAMPLES_FILE}"))
    if not found:
        raise ArtifactError(
            f"{folder}: no training examples; run `densecli mine-negatives QUESTIONS` first,"
            " or name a --dataset"
        )
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise UsageError(f"several sets of examples in {folder}: name those to train on ({names})")
    return str(found[0])


def _place(session: Session, name: str) -> str:
    mined = session.workspace.examples / name
    if name == "-" or Path(name).exists():
        return name
    if not (mined / EXAMPLES_FILE).exists():
        raise InputError(name, None, "no such file or mined set", f"a file, or a name in {mined.parent}")
    return str(mined)


def _spool(sources: list[str], counts: "Counter[str]") -> "ExampleSpool":
    from densecli.io.doors.examples import read_examples
    from densecli.training.examples import ExampleSpool

    return ExampleSpool((one for source in sources for one in read_examples(source)), counts)
