"""The retriever that `train-reader --joint` trains beside a reader (paper, appendix D)."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from densecli.configs.training import TrainConfig

if TYPE_CHECKING:
    from densecli.encoders.torch_base import Retriever

PLACE = "retriever"
"""Where it is in the reader's folder."""

JointOption = Annotated[
    str | None,
    typer.Option(
        "--joint",
        metavar="RETRIEVER",
        help="Also train the question encoder of this retriever, against all passages retrieved for "
        "a batch. The result is OUTPUT/retriever; existing vectors and index fit it. [paper: "
        "appendix D]",
    ),
]


def joint_folder(named: str | None) -> Path | None:
    """Return the folder of the retriever that is named, if any.

    Raises:
        ArtifactError: no such folder, and the Hub does not have it or is out of reach.
    """
    from densecli.workflows.models import base_folder

    return None if named is None else base_folder(named, "retriever")


@dataclass(frozen=True)
class Joint:
    """An open retriever, and what its cosines were divided by when it was trained."""

    retriever: "Retriever"
    temperature: float

    @classmethod
    def open(cls, folder: Path) -> "Joint":
        """Open the retriever in `folder`; one that does not tell its temperature has the default.

        Raises:
            ArtifactError: it is no densecli retriever, or incomplete or damaged.
            UsageError: it has one encoder for questions and passages.
        """
        from densecli.io.manifest import read_row
        from densecli.training.joint import open_joint

        told = (read_row(folder) or {}).get("config", {})
        return cls(open_joint(folder), float(told.get("temperature") or TrainConfig.temperature))

    def write(self, reader: Path) -> None:
        """Write the retriever, as it is now, into a reader's folder."""
        from densecli.encoders.folder import fingerprint
        from densecli.encoders.torch_save import save_retriever
        from densecli.io.manifest import Manifest

        folder = reader / PLACE
        save_retriever(self.retriever, folder)
        Manifest("train-reader", {"temperature": self.temperature}, fingerprint(folder)).write(folder)
