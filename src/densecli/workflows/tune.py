"""Tuning the weight λ of hybrid search (paper, section 5.1)."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from densecli.artifacts.fusion_weight import FusionWeight
from densecli.artifacts.manifest import describe_input
from densecli.artifacts.recipe import shown_path
from densecli.artifacts.tuned_file import FUSION
from densecli.artifacts.workspace import Workspace, find_workspace
from densecli.configs.asking import SearchConfig
from densecli.configs.resolve import resolve_config
from densecli.counts import format_counts
from densecli.errors import InputError, UsageError
from densecli.evaluation.accuracy import Summary
from densecli.files.atomic import refuse_unwritable
from densecli.files.count_lines import count_lines
from densecli.formats.read_questions import read_questions
from densecli.observer import SILENT, Observer
from densecli.report.text_table import TextTable
from densecli.retrieval.tune import BestWeight, WeightSweep, tune
from densecli.workflows.batch_size import usual_batch_size
from densecli.workflows.engines import CustomRetriever, Parts, open_hybrid, open_place
from densecli.workflows.evaluation_tables import accuracy_table
from densecli.workflows.reporting import collect_bad_records


def tune_fusion_weight(
    questions: Path,
    *,
    workspace: Workspace | Path | str | None = None,
    passages: Path | None = None,
    index: Path | None = None,
    bm25: Path | None = None,
    retriever: str | CustomRetriever | None = None,
    config: SearchConfig | None = None,
    observer: Observer = SILENT,
    **settings: Any,
) -> BestWeight:
    """Find λ on questions with answers, store it with the dense index, and return what was found.

    Args:
        questions: a file of questions with answers.
        workspace: its folder; by default the nearest `.densecli`.
        passages: passage store, in place of the workspace's.
        index: dense index, in place of the workspace's.
        bm25: BM25 index, in place of the workspace's.
        retriever: folder, Hub name, `starter`, or a `CustomRetriever`.
        config: how to search.
        observer: receives messages, warnings and progress.
        **settings: fields of SearchConfig, such as `missing="min"`.

    Returns:
        λ, and top-k accuracy in percent of BM25, dense and hybrid search with it.

    Raises:
        ArtifactError: a side of the collection is missing, or the parts do not belong together.
        InputError: no question has an answer.
        UsageError: a setting has no effect on tuning.
    """
    config = resolve_config(SearchConfig, "search", config, settings)
    _check_effect(settings)
    home = find_workspace(workspace)
    bad = collect_bad_records(config.on_error, observer)
    described = describe_input(questions)
    parts = Parts(retriever, index, bm25, passages)
    place, store = open_place(home, parts, observer)
    engine, pair = open_hybrid(home, config, parts, place, store, observer, single=False)
    refuse_unwritable(pair.index / FUSION)
    sweep = WeightSweep()
    counts: Counter[str] = Counter()
    asked = read_questions(str(questions), config.answer_type, bad)
    size = usual_batch_size(engine, config, config.candidates)
    swept = tune(asked, engine, store, size, sweep, counts)
    for _ in observer.progress(swept, "tune", count_lines(questions), "questions "):
        pass
    best = sweep.best()
    if not best.questions:
        raise InputError(questions, None, "no question with an answer", "questions with answers")
    tuned = FusionWeight(
        best.weight,
        config.missing,
        pair.retriever,
        pair.bm25,
        shown_path(described.path, home.root),
        described.sha256 or "",
        best.questions,
    )
    path = tuned.write(pair.index, best.to_json())
    observer.message(f"{path}: λ {best.weight:.4g} ({format_counts(+counts + bad.counts)})")
    return best


def weight_table(best: BestWeight) -> TextTable:
    """Return the accuracy of both sides and of their fusion with the best λ."""
    names = {"bm25": "BM25", "dense": "dense", "hybrid": f"BM25 + {best.weight:.4g} dense"}
    return accuracy_table(
        {label: Summary(best.questions, best.top_k[name], None) for name, label in names.items()}
    )


def _check_effect(chosen: Mapping[str, Any]) -> None:
    """Refuse settings that were chosen and have no effect on tuning.

    Raises:
        UsageError: names the setting.
    """
    if chosen.get("mode") not in (None, "hybrid"):
        raise UsageError(f"λ has no effect on {chosen['mode']} search; leave `mode` out")
    for name in ("k", "preset", "fusion_weight", "fusion"):
        if chosen.get(name) not in (None, "linear"):
            raise UsageError(f"`{name}` has no effect when λ is tuned; leave it out")
