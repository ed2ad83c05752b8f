"""The workspace: one obvious place for what each stage makes."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from densecli.errors import UsageError
from densecli.files.atomic import restore_within

NAME = ".densecli"
VARIABLE = "DENSECLI_WORKSPACE"
EXAMPLES_FILE = "examples.jsonl"
"""What `mine-negatives` writes into the folder of a set."""
ENDINGS = re.compile(r"(\.(qa|jsonl|ndjson|json|parquet|csv|tsv|txt|gz|bz2|xz|zst))+$")
LONGEST = 100


@dataclass(frozen=True)
class Workspace:
    """The folders of one piece of work; none of them need exist yet."""

    root: Path
    above: bool = field(default=False, compare=False)
    """Whether it was found in a folder above the one where the program runs, and so nobody named it."""

    named: bool = field(default=False, compare=False)
    """Whether an option, the environment or a caller named it."""

    @property
    def passages(self) -> Path:
        """What `preprocess` makes."""
        return self.root / "passages"

    @property
    def bm25(self) -> Path:
        """What `index --kind bm25` makes."""
        return self.root / "bm25"

    @property
    def data(self) -> Path:
        """Files of datasets: fetched, or put there by hand."""
        return self.root / "data"

    @property
    def cache(self) -> Path:
        """What can be made again and takes time. It may be deleted."""
        return self.root / "cache"

    @property
    def examples(self) -> Path:
        """The sets that `mine-negatives` makes, one folder each."""
        return self.root / "examples"

    @property
    def retriever(self) -> Path:
        """What `train` makes."""
        return self.root / "retriever"

    @property
    def vectors(self) -> Path:
        """What `embed` makes."""
        return self.root / "vectors"

    @property
    def index(self) -> Path:
        """What `index` makes."""
        return self.root / "index"

    @property
    def reader(self) -> Path:
        """What `train-reader` makes."""
        return self.root / "reader"

    @property
    def empty(self) -> bool:
        """Whether there is nothing of a collection in it, not even a part of one."""
        return not any(one.exists() for one in (self.passages, self.bm25, self.vectors, self.index))

    @property
    def prepared(self) -> bool:
        """Whether there is a collection to search."""
        return self.passages.exists()


def find_workspace(named: "Workspace | Path | str | None" = None) -> Workspace:
    """Return the workspace: the named one, else `$DENSECLI_WORKSPACE`, else the nearest
    `.densecli` upward from here, else `.densecli` here (not created yet).

    If a run was killed while it replaced something in it, that is put back.
    """
    if isinstance(named, Workspace):
        return named
    found = _find(named)
    restore_within(found.root)
    return found


def _find(named: Path | str | None) -> Workspace:
    if named is not None:
        return Workspace(Path(named), named=True)
    if os.environ.get(VARIABLE):
        return Workspace(Path(os.environ[VARIABLE]), named=True)
    here = Path.cwd()
    for folder in (here, *here.parents):
        # as git looks for its folder, so that commands work in subfolders of a project
        if (folder / NAME).is_dir():
            return Workspace(folder / NAME, above=folder != here)
    return Workspace(here / NAME)


def name_of_set(questions: str) -> str:
    """Return the name of the set of examples that is mined for a file of questions: its own, without endings.

    Raises:
        UsageError: that would be no plain name, such as `..`, or the file is a pipe, which has none.
    """
    path = Path(questions)
    name = ENDINGS.sub("", path.name)
    plain = name.isprintable() and not name.startswith(".") and 0 < len(name) <= LONGEST
    if path.is_fifo() or not plain:
        raise UsageError(f"{questions}: no name for a set of examples can be made of it; name an `output`")
    return name
