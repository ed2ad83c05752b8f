"""The registry: sets.toml as records, and the way from a name to them."""

import difflib
import functools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from densecli.errors import UsageError

FILE = Path(__file__).with_name("sets.toml")
SPLITS = ("train", "dev", "test")


@dataclass(frozen=True, slots=True)
class HubQuestions:
    """Questions on the Hugging Face Hub.

    Attributes:
        repo: the dataset's name there.
        config: its configuration.
        revision: the commit.
        question: the column of the question.
        answers: the columns of the answers; a dot leads into a column of records.
    """

    repo: str
    config: str
    revision: str
    question: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """A published row: accuracies by k and exact match, in percent."""

    name: str
    top_k: Mapping[int, float]
    exact_match: float | None


@dataclass(frozen=True, slots=True)
class Split:
    """One split in the authors' sense; sets.toml says what each field holds."""

    name: str
    questions: int
    examples: int | None
    dpr_questions: str | None
    dpr_examples: str | None
    hub_split: str | None
    other_files: tuple[str, ...]
    published: tuple[Reference, ...]

    @property
    def questions_published(self) -> bool:
        """Whether all questions are published, and not only those with training examples."""
        return bool(self.dpr_questions or self.hub_split)


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """A dataset of the paper; sets.toml says what each field holds."""

    name: str
    title: str
    aliases: tuple[str, ...]
    stems: tuple[str, ...]
    answer_type: str
    license: str
    hub: HubQuestions | None
    tevatron: str
    splits: Mapping[str, Split]

    def is_cut(self, split: Split) -> bool:
        """Whether the Hub's split holds this one and another."""
        same = [one for one in self.splits.values() if one.hub_split == split.hub_split]
        return split.hub_split is not None and len(same) > 1


@dataclass(frozen=True, slots=True)
class Mix:
    """Several sets to train on together, and how often an epoch repeats each of them."""

    name: str
    title: str
    aliases: tuple[str, ...]
    times: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Registry:
    """All sets, all mixes, where the authors' files lie, and the MD5 of some of them.

    Attributes:
        published_passages: how many passages the published rows were searched in.
    """

    dpr_url: str
    published_passages: int
    md5: Mapping[str, str]
    sets: Mapping[str, QuestionSet]
    mixes: Mapping[str, Mix]


@functools.cache
def registry() -> Registry:
    """Return what sets.toml says."""
    table = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return Registry(
        table["dpr_url"],
        table["published_passages"],
        table["md5"],
        {name: _set(name, row) for name, row in table["sets"].items()},
        {
            name: Mix(name, row["title"], tuple(row["aliases"]), row["times"])
            for name, row in table["mixes"].items()
        },
    )


def members(name: str) -> list[tuple[QuestionSet, int]]:
    """Return the set of that name, or the sets of a mix, each with the number of its repetitions.

    Raises:
        UsageError: no set or mix has that name.
    """
    known = registry()
    names = {_plain(alias): one.name for one in _all_named() for alias in (one.name, one.title, *one.aliases)}
    names |= {_plain(one.hub.repo): one.name for one in known.sets.values() if one.hub}
    found = names.get(_plain(name))
    if found is None:
        given = _plain(name)
        # names are short: without this "nq" would be close to many
        alike = [one for one in names if abs(len(one) - len(given)) <= 1]
        near = difflib.get_close_matches(given, alike, 1, cutoff=0.75)
        hint = f"; did you mean {names[near[0]]}?" if near else ""
        raise UsageError(f"no dataset {name!r}; known: {', '.join([*known.sets, *known.mixes])}{hint}")
    mix = known.mixes.get(found)
    return [(known.sets[found], 1)] if mix is None else [(known.sets[one], n) for one, n in mix.times.items()]


def split_of(one: QuestionSet, name: str) -> Split:
    """Return a split by its name.

    Raises:
        UsageError: it is not train, dev or test; the official names are known, too.
    """
    if name in one.splits:
        return one.splits[name]
    official = [split.name for split in one.splits.values() if split.hub_split == name]
    why = f"; what the Hub calls {name} is {' and '.join(official)} here" if official else ""
    raise UsageError(f"`split` is {name!r}; {one.name} has {', '.join(SPLITS)}, in the paper's sense{why}")


def _all_named() -> list[QuestionSet | Mix]:
    return [*registry().sets.values(), *registry().mixes.values()]


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _set(name: str, row: Mapping[str, Any]) -> QuestionSet:
    hub = row.get("hub")
    return QuestionSet(
        name,
        row["title"],
        tuple(row["aliases"]),
        tuple(row["stems"]),
        row["answer_type"],
        row["license"],
        HubQuestions(**{**hub, "answers": tuple(hub["answers"])}) if hub else None,
        row["tevatron"],
        {split: _split(split, values) for split, values in row["splits"].items()},
    )


def _split(name: str, row: Mapping[str, Any]) -> Split:
    published = (
        Reference(
            title, {int(k): value for k, value in measures["top_k"].items()}, measures.get("exact_match")
        )
        for title, measures in row.get("published", {}).items()
    )
    return Split(
        name,
        row["questions"],
        row.get("examples"),
        row.get("dpr_questions"),
        row.get("dpr_examples"),
        row.get("hub_split"),
        tuple(row.get("other_files", ())),
        tuple(published),
    )
