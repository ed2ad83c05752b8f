"""Fetches splits that are not on this disk: from the cache of `datasets`, the authors' server, or the Hub."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from densecli.errors import ArtifactError
from densecli.files.jsonl import write_lines
from densecli.files.network import why_offline
from densecli.records import Question
from densecli.registry.download import Advance, download
from densecli.registry.hub import cached_questions, hub_questions
from densecli.registry.hub_files import fetch_examples, reach
from densecli.registry.local import CUT
from densecli.registry.sets import QuestionSet, Split, registry

VARIABLE = "DENSECLI_DPR_URL"
Transfer = Callable[[str], AbstractContextManager[Advance]]
"""Opens the progress of one download, which has a name."""
Warn = Callable[[str], None]
"""Receives the reason why a source is skipped for the next."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """A split to fetch into the first of `folders`."""

    one: QuestionSet
    split: Split
    folders: list[Path]
    transfer: Transfer
    warn: Warn

    def questions(self) -> Path:
        """Return the file of the split's questions.

        Raises:
            ArtifactError: they cannot be had; says why of each source, and what to put where.
        """
        if not self.split.questions_published:
            return self.examples()
        name = f"{self.one.stems[0]}-{self.split.name}.qa.csv"
        authors = partial(self._authors, self.split.dpr_questions)
        here_first = (self.find_cached, authors, self._hub)
        # the Hub has train and dev in one split: our cut of it is not the authors', so their file comes first
        own_cut_last = (authors, self.find_cached, self._hub)
        sources = own_cut_last if self.one.is_cut(self.split) else here_first
        return self._first(sources, "questions", name)

    def examples(self) -> Path:
        """Return the file of the split's training examples.

        Raises:
            ArtifactError: they cannot be had; says why of each source, and what to put where.
        """
        name = f"biencoder-{self.one.stems[0]}-{self.split.name}.json.gz"
        return self._first(
            (partial(self._authors, self.split.dpr_examples), self._tevatron), "training examples", name
        )

    def _first(self, sources: Iterable[Callable[[], Path | None]], what: str, name: str) -> Path:
        failed: list[str] = []
        for source in sources:
            try:
                path = source()
            except ArtifactError as error:
                failed.append(str(error))
                continue
            if path is not None:
                for reason in failed:
                    self.warn(f"skipped {reason}")
                return path
        raise ArtifactError(
            f"no {what} of {self.one.name} {self.split.name} in {' and '.join(map(str, self.folders))};"
            f" {'; '.join(failed)}; put {name} into {self.folders[0]}, or name the folder that has it"
            " with `data_dir`"
        )

    def find_cached(self) -> Path | None:
        """Return the file of questions that `datasets` has in its cache, made from there, or None.

        Raises:
            ArtifactError: what is there cannot be read, or is not what the registry says.
        """
        if self.one.hub is None or self.split.hub_split is None:
            return None
        rows = cached_questions(self.one.hub, self.split.hub_split, self.one.answer_type)
        return None if rows is None else self._keep(rows)

    def _hub(self) -> Path | None:
        if self.one.hub is None or self.split.hub_split is None:
            return None
        reach(self.one.hub.repo)
        with self.transfer(f"{self.one.hub.repo} {self.split.hub_split}"):
            rows = hub_questions(self.one.hub, self.split.hub_split, self.one.answer_type)
        return self._keep(rows)

    def _authors(self, path: str | None) -> Path | None:
        if path is None:
            return None
        mirror = os.environ.get(VARIABLE)
        url = f"{(mirror or registry().dpr_url).rstrip('/')}/{path}"
        why = why_offline(url)
        if why is not None:
            raise ArtifactError(f"{url}: {why}")
        target = self.folders[0] / Path(path).name
        with self.transfer(target.name) as progress:
            download(url, target, progress, None if mirror else registry().md5.get(path))
        return target

    def _tevatron(self) -> Path:
        reach(self.one.tevatron)
        target = self.folders[0] / f"{self.one.stems[0]}-{self.split.name}.jsonl.gz"
        with self.transfer(f"{self.one.tevatron} {self.split.name}") as progress:
            fetch_examples(self.one.tevatron, self.split.name, target, progress)
        return target

    def _keep(self, rows: Iterator[Question]) -> Path:
        """Write the questions of a Hub split, or of the part of it that is this split.

        Raises:
            ArtifactError: there are not as many as the registry says.
        """
        one, split = self.one, self.split
        held = list(rows)
        expected = sum(other.questions for other in one.splits.values() if other.hub_split == split.hub_split)
        if len(held) != expected:
            raise ArtifactError(
                f"{one.name} {split.hub_split} on the Hub: {len(held):,} questions, not {expected:,}"
            )
        name = f"{one.stems[0]}-{split.name}"
        if not one.is_cut(split):
            return _write(held, self.folders[0] / f"{name}.jsonl")
        # by a hash of the question: the same cut everywhere, whatever the order of the rows
        dev = set(
            sorted(range(len(held)), key=lambda row: _sort_key(held[row]))[: one.splits["dev"].questions]
        )
        part = (row for row in range(len(held)) if (row in dev) == (split.name == "dev"))
        return _write((held[row] for row in part), self.folders[0] / f"{name}.{CUT}")


def _sort_key(question: Question) -> bytes:
    return hashlib.sha256(question.question.encode()).digest()


def _write(questions: Iterable[Question], target: Path) -> Path:
    write_lines(target, (question.to_json() for question in questions))
    return target
