"""`densecli train`: training examples to a retriever."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from densecli.cli.checkpoints import Checkpoints, SaveEvery, TensorBoard, resumable
from densecli.cli.excluded import ExcludeOption, excluded_files
from densecli.cli.fitting import base_folder, check_looks, follow, hardware
from densecli.cli.options import Force, command
from densecli.cli.session import Session
from densecli.cli.shared_options import DataDirOption, DatasetOption, SplitOption
from densecli.cli.training_sets import example_place, example_places, read_dev, read_sets
from densecli.configs.training import TrainConfig
from densecli.errors import UsageError
from densecli.workflows.datasets import choose_dataset


def register(app: typer.Typer) -> None:
    """Add the command to the program."""

    @command(app, "train", TrainConfig)
    def train(
        session: Session,
        config: TrainConfig,
        files: Annotated[
            list[str] | None,
            typer.Argument(
                metavar="EXAMPLES",
                help="Training examples: files (docs/formats.md), names of sets made by "
                "mine-negatives, or -. Several are several sets. [default: the only set in "
                "WORKSPACE/examples]",
            ),
        ] = None,
        dev: Annotated[
            str | None,
            typer.Option(
                "--dev",
                help="Examples to validate on after each epoch (with --validate-by search: "
                "questions with answers). The best model is kept.",
            ),
        ] = None,
        vectors: Annotated[
            Path | None,
            typer.Option(
                "--vectors",
                help="Vectors of the fixed passage encoder, to use instead of encoding passages "
                "again. [default: WORKSPACE/vectors if they fit]",
            ),
        ] = None,
        passages: Annotated[
            Path | None,
            typer.Option("--passages", help="Passage store of --vectors. [default: WORKSPACE/passages]"),
        ] = None,
        output: Annotated[
            Path | None,
            typer.Option("--output", "-o", help="Folder to write. [default: WORKSPACE/retriever]"),
        ] = None,
        dataset: DatasetOption = None,
        split: SplitOption = None,
        data_dir: DataDirOption = None,
        exclude: ExcludeOption = None,
        save_every: SaveEvery = None,
        tensorboard: TensorBoard = None,
        force: Force = False,
    ) -> None:
        """Train the question and the passage encoder.

        A batch never mixes several sets. With --dataset multi: nq and trivia, and webq and trec four times
        each, as in the paper. A question that is also a test question is dropped and counted.
        """
        choice = choose_dataset(session.workspace, dataset, split, data_dir, "train")
        places, config = session.in_turn(lambda: example_places(session, config, choice, files or []))
        held_out = None if dev is None else example_place(session, dev)
        check_looks(session, dev, tensorboard)
        base = session.in_turn(lambda: base_folder(config.encoder, "retriever"))
        left_out = excluded_files(session, choice, exclude)
        from densecli.training.stored import find_stored

        stored = find_stored(session.workspace, config, base, passages, vectors, session.terminal)
        if not config.distill and "teacher_temperature" in session.typed:
            raise UsageError("--teacher-temperature has an effect only with --distill")
        inputs: list[str | Path] = [*places, *([held_out] if held_out else []), *left_out, base]
        if stored is not None:
            inputs.append(stored.vectors.folder)
        with resumable(session, output or session.workspace.retriever, config, inputs, force) as build:
            from densecli.encoders.folder import fingerprint
            from densecli.encoders.torch_save import save_retriever
            from densecli.stages.train import train as run
            from densecli.training.prepare import open_to_train
            from densecli.training.ranks import ALONE

            bad = session.bad_records(config.on_error)
            sets = read_sets(places, config, left_out, build.counts, bad)
            held = read_dev(held_out, config, build.counts, bad) if held_out else None
            build.counts.update(bad.counts)
            retriever = open_to_train(str(base), config)
            similarity = retriever.card.similarity
            if similarity != "cosine" and "temperature" in session.typed:
                raise UsageError(
                    f"--temperature has no effect: {base} is trained by {similarity} unless there is"
                    " --similarity cosine"
                )
            write = partial(save_retriever, retriever)
            saved = Checkpoints(session, build, config, write, save_every, tensorboard)
            ranks = session.ranks or ALONE
            session.terminal.message(
                f"training on {len(sets):,} examples from {base}, {retriever.card.pooling} pooling,"
                f" {similarity}, epochs:"
                f" {config.passes(len(sets)):,} ({hardware(config, ranks)})"
            )
            for warning in sets.warnings(config):
                session.terminal.warning(warning)
            reports = run(
                sets.spool, held, retriever, config, build.counts, saved, sets.sources, ranks, stored,
                session.terminal,
            )  # fmt: skip
            build.facts = follow(session, "train", reports, saved) | sets.facts(config)
            saved.settle()
            build.counts["examples"] = len(sets)
            build.fingerprint = fingerprint(build.folder)
