"""`densecli search --tune-lambda`: the weight λ of hybrid search (paper, section 5.1)."""

from collections import Counter
from typing import TYPE_CHECKING

from densecli.cli.engines import Named, open_hybrid, open_place
from densecli.cli.session import Session
from densecli.configs.asking import SearchConfig
from densecli.counts import listed
from densecli.errors import ArtifactError, InputError, UsageError

if TYPE_CHECKING:
    from densecli.io.bad_records import BadRecords
    from densecli.metrics.weight_sweep import BestWeight


def check_tuning(config: SearchConfig, question: str | None, text: bool) -> None:
    """Refuse what has no effect on tuning.

    Raises:
        UsageError: names it.
    """
    useless = {
        "a question": question,
        "-k": config.k,
        "--preset": config.preset,
        "--lambda": config.fusion_weight,
        "--fusion rrf": None if config.fusion == "linear" else config.fusion,
        "--no-text": None if text else "",
    }
    named = [name for name, value in useless.items() if value is not None]
    if config.mode not in (None, "hybrid"):
        raise UsageError("--tune-lambda has an effect only with --mode hybrid")
    if named:
        raise UsageError(f"{named[0]} has no effect beside --tune-lambda, which finds λ on its own questions")


def tune_weight(
    session: Session, config: SearchConfig, named: Named, questions: str, bad: "BadRecords"
) -> "BestWeight":
    """Find λ on questions with answers, store it with the index, and return what was found.

    Raises:
        ArtifactError: a side of the collection is missing, or the parts do not belong together.
        InputError: no question has an answer.
    """
    from densecli.io.doors.questions import read_questions
    from densecli.io.fusion_weight import FusionWeight
    from densecli.io.manifest import describe_input
    from densecli.metrics.weight_sweep import WeightSweep
    from densecli.stages.tune import tune

    described = describe_input(questions)
    place, store = open_place(session, named)
    if place != session.workspace:
        raise ArtifactError(
            f"{session.workspace.root}: no collection to tune λ for; run `densecli preprocess` first"
        )
    engine, pair = open_hybrid(session, config, named, place, store)
    sweep = WeightSweep()
    counts: Counter[str] = Counter()
    asked = read_questions(questions, config.answer_type, bad)
    seen = tune(asked, engine, store, config.batch_size, sweep, counts)
    for _ in session.terminal.progress(seen, "tune", unit="questions "):
        pass
    best = sweep.best()
    if not best.questions:
        raise InputError(questions, None, "no question with an answer", "questions with answers")
    tuned = FusionWeight(
        best.weight,
        config.missing,
        pair.retriever,
        pair.bm25,
        described["path"],
        described.get("sha256", ""),
        best.questions,
    )
    path = tuned.write(pair.index, best.to_json())
    session.terminal.message(f"{path}: λ {best.weight:.4g} ({listed(+counts + bad.counts)})")
    return best
