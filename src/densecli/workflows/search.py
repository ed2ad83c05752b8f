"""Search: the best passages for questions (paper, section 3.1)."""

import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from densecli.artifacts.workspace import Workspace, find_workspace
from densecli.configs.asking import SearchConfig
from densecli.configs.resolve import resolve_config
from densecli.errors import FieldError, UsageError
from densecli.files.arrivals import has_arrived
from densecli.files.bad_records import BadRecords
from densecli.files.streams import STDIN, refuse_missing
from densecli.files.urls import is_remote
from densecli.observer import SILENT, Observer
from densecli.records import Question, RankedList
from densecli.workflows.collection import as_questions, open_collection
from densecli.workflows.engines import CustomRetriever
from densecli.workflows.reporting import collect_bad_records, report_at_end, warn_of_patterns

ENDINGS = (".jsonl", ".csv", ".txt", ".gz", ".bz2", ".xz", ".zst", ".json", ".tsv", ".parquet")
Questions = str | Question | Path | Iterable[str | Question]


def search(
    questions: Questions | None = None,
    *,
    workspace: Workspace | Path | str | None = None,
    passages: Path | None = None,
    index: Path | None = None,
    bm25: Path | None = None,
    retriever: str | CustomRetriever | None = None,
    dataset: str | None = None,
    split: str | None = None,
    data_dir: Path | None = None,
    one_at_a_time: bool = False,
    config: SearchConfig | None = None,
    observer: Observer = SILENT,
    **settings: Any,
) -> Iterator[RankedList]:
    """Find the best passages for questions.

    The collection is opened at once; questions are read and answered as the result is consumed.

    Args:
        questions: a question, several, or the path of a file of them (`Path("-")` is standard input).
        workspace: folder of the collection; by default the nearest `.densecli`. Where nothing is prepared,
            the sample answers, but not for a named file or a dataset.
        passages: passage store, in place of the workspace's.
        index: dense or BM25 index, in place of the workspace's.
        bm25: BM25 index, in place of the workspace's.
        retriever: folder, Hub name, `starter`, or a `CustomRetriever`.
        dataset: a dataset of the paper, in place of questions.
        split: its split; by default test.
        data_dir: folder with files of the dataset.
        one_at_a_time: answer each question before the next is read, as in a conversation.
        config: how to search.
        observer: receives messages, warnings and progress.
        **settings: fields of SearchConfig, such as `k=20` or `mode="bm25"`.

    Returns:
        One ranked list for each question, in order. `has_answer` is set where the question has answers.

    Raises:
        ArtifactError: something is missing, or the parts do not belong together.
        InputError: a file cannot be read or is not a list of questions.
        UsageError: a setting has no effect, or there are both questions and a dataset, or neither.

    Example:
        >>> [ranked] = search("who voiced Meg", k=1)
        >>> ranked.ctxs[0].passage.title
        'Meg Griffin'
    """
    config = resolve_config(SearchConfig, "search", config, settings)
    home = find_workspace(workspace)
    bad = collect_bad_records(config.on_error, observer)
    given = open_questions(questions, home, config, bad, observer, dataset, split, data_dir)
    single = one_at_a_time or isinstance(questions, str | Question)
    collection = open_collection(
        home,
        passages=passages,
        index=index,
        bm25=bm25,
        retriever=retriever,
        single=single,
        sample=questions is not None and not is_named_file(questions),
        config=config,
        observer=observer,
        **settings,
    )
    if config.k is not None and config.k > len(collection):
        observer.warning(
            f"`k` is {config.k}, and the collection has {len(collection):,} passages: all are shown"
        )
    ranked = collection.search(given, batch_size=1 if single else None, has_arrived=arrival_check(questions))
    return report_at_end(ranked, bad, observer)


def is_named_file(questions: object) -> bool:
    """Return whether questions come from a file that somebody named; standard input is none."""
    return isinstance(questions, Path) and str(questions) != STDIN


def question_or_file(text: str) -> Question | Path:
    """Return the file that has this name, else a question with this text.

    `-` is standard input. A single word that ends like a file's name, and a URL, must be a file.

    Raises:
        UsageError: the text is empty.
    """
    if text == STDIN or is_file(text) or _like_a_file(text):
        return Path(text)
    return parse_question(text)


def parse_question(text: str) -> Question:
    """Return a question with this text.

    Raises:
        UsageError: the text is empty.
    """
    try:
        return Question.from_json({"question": text}, "1")
    except FieldError as error:
        raise UsageError(f"{error.what}; ask something, or name a file of questions") from None


def is_file(text: str) -> bool:
    """Return whether something that can be read has this name; a question may be too long for one."""
    return os.path.exists(text) and not os.path.isdir(text)


def _like_a_file(text: str) -> bool:
    named = os.sep in text and os.path.isdir(text)
    return named or is_remote(text) or (" " not in text.strip() and text.endswith(ENDINGS))


def arrival_check(questions: object) -> Callable[[], bool] | None:
    """Return a function that says whether the next record of a file or stream has arrived."""
    return partial(has_arrived, str(questions)) if isinstance(questions, Path) else None


def open_questions(
    questions: Questions | None,
    workspace: Workspace,
    config: SearchConfig,
    bad: BadRecords,
    observer: Observer,
    dataset: str | None = None,
    split: str | None = None,
    data_dir: Path | None = None,
) -> Iterator[Question]:
    """Return the questions that are given, in a file, or those of a dataset.

    Raises:
        UsageError: there are both questions and a dataset, or neither.
        ArtifactError: the dataset is not on this disk and cannot be fetched.
        InputError: a file is missing, or is not a list of questions.
        ValueError: a question is empty.
    """
    # a question that is given as text needs neither the forms of files nor the table of datasets
    choice = None
    if any(given is not None for given in (dataset, split, data_dir)):
        from densecli.workflows.datasets import choose_dataset, question_file, read_split_questions

        choice = choose_dataset(workspace, dataset, split, data_dir, "test")
    if (choice is None) == (questions is None):
        raise UsageError("give either questions (or a file of them) or a dataset")
    if choice is not None:
        file = question_file(choice, observer)
        return read_split_questions(choice, file, config.answer_type, bad, observer)
    if isinstance(questions, Path):
        from densecli.formats.read_questions import read_questions

        refuse_missing(str(questions))
        found = read_questions(str(questions), config.answer_type, bad)
        return found if config.answer_type else warn_of_patterns(found, lambda one: one, observer)
    return as_questions([questions] if isinstance(questions, str | Question) else questions or ())
