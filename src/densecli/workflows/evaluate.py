"""Evaluation: top-k accuracy and exact match (paper, sections 5.1 and 6.2)."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from densecli.artifacts.workspace import Workspace, find_workspace
from densecli.configs.asking import EvaluateConfig
from densecli.configs.resolve import resolve_config
from densecli.errors import ThresholdError, UsageError
from densecli.evaluation.accuracy import Summary, summarize
from densecli.evaluation.score import evaluate as score_questions
from densecli.evaluation.supply_answers import supply_answers
from densecli.files.streams import display_name
from densecli.formats.lookup import Lookup
from densecli.formats.read_results import Result, read_results
from densecli.observer import SILENT, Observer
from densecli.records import ranked_of
from densecli.workflows.datasets import DatasetChoice, choose_dataset, question_file, read_split_questions
from densecli.workflows.reporting import collect_bad_records, report_skipped, warn_of_patterns
from densecli.workflows.texts import Texts

Results = Path | str | Iterable[Result]


@dataclass(frozen=True)
class Evaluation:
    """The measures of one or more sets of results.

    Attributes:
        measured: a summary for each name.
        published: the paper's own rows for the same split, with the measures that were measured here.
    """

    measured: Mapping[str, Summary]
    published: Mapping[str, Summary] = field(default_factory=dict)

    def check_threshold(self, least: float | None) -> None:
        """Refuse exact match (without predictions: top-20 accuracy) below `least` per cent.

        Raises:
            ThresholdError: names the results, the measure and its value.
            UsageError: neither was measured.
        """
        for name, summary in self.measured.items():
            exact = summary.exact_match
            value = exact if exact is not None else summary.top_k.get(20)
            if least is None:
                return
            if value is None:
                raise UsageError("--fail-under needs predictions, or results with at least 20 passages")
            if value < least:
                measure = "exact match" if exact is not None else "top-20 accuracy"
                raise ThresholdError(f"{name}: {measure} is {value:.1f}, below {least:g}")


def evaluate(
    results: Results | Mapping[str, Results],
    *,
    workspace: Workspace | Path | str | None = None,
    texts: Texts | None = None,
    dataset: str | None = None,
    split: str | None = None,
    data_dir: Path | None = None,
    config: EvaluateConfig | None = None,
    observer: Observer = SILENT,
    **settings: Any,
) -> Evaluation:
    """Measure search results or predictions.

    Args:
        results: ranked lists, predictions or the path of a file of them (`Path("-")` is standard input); or
            several of these, by name.
        workspace: where files of the dataset may be; by default the nearest `.densecli`.
        texts: texts for results that hold only ids.
        dataset: a dataset of the paper. Results without answers get those of the dataset.
        split: its split; by default test.
        data_dir: folder with files of the dataset.
        config: how to evaluate.
        observer: receives messages, warnings and progress.
        **settings: fields of EvaluateConfig, such as `answer_type="regex"`.

    Raises:
        InputError: results cannot be read, or have neither `has_answer` nor texts.
        ArtifactError: the dataset is not on this disk and cannot be fetched.
        UsageError: a setting has no effect.
    """
    config = resolve_config(EvaluateConfig, "evaluate", config, settings)
    home = find_workspace(workspace)
    choice = choose_dataset(home, dataset, split, data_dir, "test")
    sources = results if isinstance(results, Mapping) else {_name_of(results): results}
    file = None if choice is None else question_file(choice, observer)
    bad = collect_bad_records(config.on_error, observer)
    known = (texts or Texts()).lookup(bad)
    report_skipped(bad, observer)
    measured = {name: _summarize(one, config, choice, file, known, observer) for name, one in sources.items()}
    published = {} if choice is None else _published(choice, list(measured.values()))
    return Evaluation(measured, published)


def _name_of(results: Results) -> str:
    if not isinstance(results, Path | str):
        return "results"
    return "stdin" if str(results) == "-" else str(results)


def _summarize(
    results: Results,
    config: EvaluateConfig,
    choice: DatasetChoice | None,
    file: Path | None,
    known: Lookup,
    observer: Observer,
) -> Summary:
    counts: Counter[str] = Counter()
    bad = collect_bad_records(config.on_error, observer)
    records: Iterator[Result]
    if isinstance(results, Path | str):
        name, records = display_name(str(results)), read_results(str(results), bad, known)
    else:
        name, records = "results", iter(results)
    records = observer.progress(records, "evaluate", unit="questions ")
    if choice is not None and file is not None:
        config = replace(config, answer_type=config.answer_type or choice.single()[0].answer_type)
        asked = read_split_questions(choice, file, config.answer_type, bad, observer)
        records = supply_answers(records, asked, counts)
    if config.answer_type is None:
        records = warn_of_patterns(records, lambda one: ranked_of(one).question, observer)
    summary = summarize(bad.usable(name, score_questions(records, config, counts, bad, name)))
    counts.update(bad.counts)
    summary.counts.update(counts)
    return summary


def _published(choice: DatasetChoice, measured: list[Summary]) -> dict[str, Summary]:
    """Return the paper's rows for a split, with those of their measures that were measured here too."""
    ks = {k for summary in measured for k in summary.top_k}
    read = any(summary.exact_match is not None for summary in measured)
    _, split = choice.single()
    rows = {
        row.name: Summary(
            split.questions,
            {k: value for k, value in row.top_k.items() if k in ks},
            row.exact_match if read else None,
        )
        for row in split.paper
    }
    return {name: row for name, row in rows.items() if row.top_k or row.exact_match is not None}
