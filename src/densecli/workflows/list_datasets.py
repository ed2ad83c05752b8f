"""The datasets of the paper (section 4.2): what of them is on this disk, and fetching the rest."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from densecli.artifacts.workspace import Workspace, find_workspace
from densecli.configs.data import DatasetsConfig
from densecli.configs.resolve import resolve_config
from densecli.errors import UsageError
from densecli.files.names import display_path
from densecli.observer import SILENT, Observer
from densecli.registry.local import find_examples, find_questions
from densecli.registry.sets import QuestionSet, Split, members, registry
from densecli.report.text_table import TextTable
from densecli.workflows.datasets import DatasetChoice, example_files, question_file

CACHE = "cache of `datasets`"


@dataclass(frozen=True)
class DatasetSplit:
    """A split of a dataset.

    Attributes:
        dataset: short name, as `--dataset` takes it.
        title: full name.
        split: `train`, `dev` or `test`.
        questions: their number in the paper.
        examples: number of the authors' training examples; None where they publish none.
        answer_type: how answers are matched, `string` or `regex`.
        license: as the publishers state it.
        questions_here: file of the questions on this disk, or `CACHE`; None if there is none.
        examples_here: file of the training examples on this disk; None if there is none.
    """

    dataset: str
    title: str
    split: str
    questions: int
    examples: int | None
    answer_type: str
    license: str
    questions_here: str | None
    examples_here: str | None

    def to_json(self) -> dict[str, Any]:
        """Return the fields."""
        return asdict(self)


def list_datasets(
    dataset: str | None = None,
    *,
    workspace: Workspace | Path | str | None = None,
    data_dir: Path | None = None,
    config: DatasetsConfig | None = None,
    observer: Observer = SILENT,
    **settings: Any,
) -> list[DatasetSplit]:
    """List the datasets of the paper, split by split; with `fetch`, bring their files here first.

    Args:
        dataset: one of them, or a mix of several; by default all.
        workspace: where files may be, in `data`; by default the nearest `.densecli`.
        data_dir: folder where files may be too, and where fetched ones go.
        config: what to fetch.
        observer: receives messages, warnings and transfers.
        **settings: fields of DatasetsConfig, such as `fetch="questions"`.

    Returns:
        One row for each split of each dataset.

    Raises:
        ArtifactError: a file cannot be fetched.
        UsageError: there is no such dataset, or `fetch` is set without one.

    Example:
        >>> [(one.split, one.questions) for one in list_datasets("nq")]
        [('train', 79168), ('dev', 8757), ('test', 3610)]
    """
    config = resolve_config(DatasetsConfig, "datasets", config, settings)
    home = find_workspace(workspace)
    if config.fetch is not None and dataset is None:
        raise UsageError("`fetch` needs the name of a dataset: the files are large")
    sets = list(registry().sets.values()) if dataset is None else [one for one, _ in members(dataset)]
    folders = [*([] if data_dir is None else [data_dir]), home.data]
    for one in sets:
        _fetch(one, config.fetch, folders, home, observer)
    return [_look(one, split, folders) for one in sets for split in one.splits.values()]


def datasets_table(splits: Sequence[DatasetSplit]) -> TextTable:
    """Return a row for each split; `-` stands for what is not published or not on this disk."""
    rows = [
        [
            one.dataset,
            one.split,
            f"{one.questions:,}",
            "-" if one.examples is None else f"{one.examples:,}",
            one.questions_here or "-",
            one.examples_here or "-",
        ]
        for one in splits
    ]
    return TextTable(["dataset", "split", "questions", "examples", "questions here", "examples here"], rows)


def _fetch(
    one: QuestionSet, what: str | None, folders: Sequence[Path], home: Workspace, observer: Observer
) -> None:
    for split in one.splits.values():
        choice = DatasetChoice(one.name, split.name, list(folders))
        if what in ("questions", "all"):
            question_file(choice, observer)
        if what in ("examples", "all") and split.dpr_examples is not None:
            example_files(choice, home, observer, mined=False)


def _look(one: QuestionSet, split: Split, folders: Sequence[Path]) -> DatasetSplit:
    """Return what is known of a split, and which of its files are in the folders."""
    questions = find_questions(folders, one, split)
    examples = find_examples(folders, one, split)
    return DatasetSplit(
        dataset=one.name,
        title=one.title,
        split=split.name,
        questions=split.questions,
        examples=split.examples,
        answer_type=one.answer_type,
        license=one.license,
        questions_here=display_path(questions) if questions else _find_cached(one, split),
        examples_here=display_path(examples) if examples else None,
    )


def _find_cached(one: QuestionSet, split: Split) -> str | None:
    if one.hub is None or split.hub_split is None:
        return None
    from densecli.registry.hub import is_cached  # `datasets` takes seconds to load

    return CACHE if is_cached(one.hub) else None
