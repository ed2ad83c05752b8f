"""The workspace: one obvious place for what each stage makes."""

import os
from dataclasses import dataclass
from pathlib import Path

NAME = ".densecli"
VARIABLE = "DENSECLI_WORKSPACE"
EXAMPLES_FILE = "examples.jsonl"
"""What `mine-negatives` writes into the folder of a set."""


@dataclass(frozen=True)
class Workspace:
    """The folders of one piece of work; none of them need exist yet."""

    root: Path

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
        """Files of data sets: fetched, or put there by hand."""
        return self.root / "data"

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
    def prepared(self) -> bool:
        """Whether there is a collection to search."""
        return self.passages.exists()


def find_workspace(named: "Workspace | Path | str | None" = None) -> Workspace:
    """Return the workspace: the named one, else `$DENSECLI_WORKSPACE`, else the nearest
    `.densecli` upward from here, else `.densecli` here (not created yet)."""
    if isinstance(named, Workspace):
        return named
    if named is not None:
        return Workspace(Path(named))
    if os.environ.get(VARIABLE):
        return Workspace(Path(os.environ[VARIABLE]))
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / NAME).is_dir():
            return Workspace(folder / NAME)
    return Workspace(here / NAME)
