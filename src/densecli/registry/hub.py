"""Datasets of the Hugging Face Hub, through `datasets`: files are read, a loading script is never run."""

import logging
import re
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import datasets
from datasets.packaged_modules.cache.cache import Cache
from huggingface_hub import constants

from densecli.corpus.columns import Columns, record_of
from densecli.corpus.source import Source
from densecli.errors import ArtifactError
from densecli.fields import Json
from densecli.records import Question
from densecli.registry.hub_files import hub_errors, reach
from densecli.registry.sets import HubQuestions

FILES = re.compile(r"/|\.parquet$|\.jsonl?(\.gz)?$")

# nothing below cli/ talks, its libraries included
datasets.disable_progress_bars()
datasets.logging.set_verbosity(logging.CRITICAL)


def is_cached(hub: HubQuestions) -> bool:
    """Whether `datasets` has a set's questions in its cache, at the commit of the registry."""
    folder = Path(datasets.config.HF_DATASETS_CACHE) / hub.repo.replace("/", "___") / hub.config
    return (folder / "0.0.0" / hub.revision / "dataset_info.json").is_file()


def cached_questions(hub: HubQuestions, split: str, answer_type: str) -> Iterator[Question] | None:
    """Return the questions of a Hub split when `datasets` has them in its cache at the right commit.

    Raises:
        ArtifactError: what is there cannot be read.
    """
    if not is_cached(hub):
        return None
    name = hub.repo.rpartition("/")[2]
    with hub_errors(f"{hub.repo} in the cache"):
        # load_dataset would ask the network even for what is in the cache
        made = Cache(
            repo_id=hub.repo, dataset_name=name, config_name=hub.config, version="0.0.0", hash=hub.revision
        )
        return _questions(made.as_dataset(split=split), hub, answer_type)


def hub_questions(hub: HubQuestions, split: str, answer_type: str) -> Iterator[Question]:
    """Return the questions of a Hub split, fetched at the commit of the registry.

    Raises:
        ArtifactError: the Hub does not give them.
    """
    with hub_errors(hub.repo):
        rows = datasets.load_dataset(hub.repo, hub.config, split=split, revision=hub.revision)
    return _questions(rows, hub, answer_type)


def _questions(rows: Any, hub: HubQuestions, answer_type: str) -> Iterator[Question]:
    columns = [column.split(".") for column in hub.answers]
    with hub_errors(hub.repo):
        for number, row in enumerate(rows, 1):
            answers = dict.fromkeys(value for column in columns for value in values_at(row, column))
            yield Question(str(number), row[hub.question], tuple(answers), answer_type)


def values_at(value: Any, path: list[str]) -> list[str]:
    """Return the texts at the end of a path of columns; a list on the way is followed in all its items."""
    if isinstance(value, list):
        return [text for item in value for text in values_at(item, path)]
    if path:
        return values_at(value[path[0]], path[1:])
    return [value]


def stream_corpus(name: str, columns: Columns) -> Source:
    """Open a corpus on the Hub, of which no more is fetched than is read.

    Args:
        name: `repository`, `repository:configuration`, `repository:configuration:split`, or
            `repository:pattern` for the Parquet or JSON files of that pattern (with a `/` or a `.parquet`
            in it); each may end in `@commit`. Without a split it is train, or the only one.
        columns: which fields are id, title and text.

    Raises:
        ArtifactError: the Hub is out of reach, has no such corpus, or it can be read by a script only.
    """
    place, _, revision = name.partition("@")
    repo, _, rest = place.partition(":")
    if not constants.HF_HUB_OFFLINE:  # offline `datasets` uses its cache
        reach(repo)
    config, _, split = rest.partition(":")
    with hub_errors(name):
        if FILES.search(rest):
            files = f"hf://datasets/{repo}@{revision or 'main'}/{rest}"
            kind = "parquet" if rest.endswith(".parquet") else "json"
            held = datasets.load_dataset(kind, data_files=files, streaming=True)
        else:
            held = datasets.load_dataset(repo, config or None, revision=revision or None, streaming=True)
            held = {split: held[split]} if split else held
    splits = list(held)
    if len(splits) > 1 and "train" not in splits:
        raise ArtifactError(
            f"{name} on the Hub: name a split, as {repo}:{config}:{splits[0]}; it has {', '.join(splits)}"
        )
    rows = held["train" if "train" in splits else splits[0]]
    return Source(name, _number(name, rows), partial(record_of, columns), _weight)


def _number(name: str, rows: Iterable[Json]) -> Iterator[tuple[int, Json]]:
    with hub_errors(name):
        yield from enumerate(rows, 1)


def _weight(row: Json) -> int:
    return sum(len(value) for value in row.values() if isinstance(value, str))
