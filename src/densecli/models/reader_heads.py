"""The two heads of the reader: stored names, shapes, products with hidden states (paper, section 6.1)."""

from dataclasses import dataclass
from pathlib import Path

from densecli.models.weights import FloatArray, Shape, load_tensor

ENCODER = "encoder"
SPAN = "qa_outputs"
RELEVANCE = "qa_classifier"


def head_shapes(hidden: int) -> dict[str, Shape]:
    """Return the heads' weights, named as in DPR's checkpoints: start and end (2, H), relevance (1, H)."""
    return {
        f"{SPAN}.weight": (2, hidden),
        f"{SPAN}.bias": (2,),
        f"{RELEVANCE}.weight": (1, hidden),
        f"{RELEVANCE}.bias": (1,),
    }


@dataclass(frozen=True, slots=True)
class Heads:
    """The heads' weights, float32."""

    span_weight: FloatArray
    span_bias: FloatArray
    relevance_weight: FloatArray
    relevance_bias: FloatArray

    @classmethod
    def open(cls, path: Path) -> "Heads":
        """Read the heads from a tower's weight file whose shapes have been checked."""
        return cls(*(load_tensor(path, name) for name in head_shapes(0)))

    def spans(self, hidden: FloatArray) -> FloatArray:
        """Return start and end logits (..., 2) of hidden states (..., H)."""
        logits: FloatArray = hidden @ self.span_weight.T + self.span_bias
        return logits

    def relevance(self, hidden: FloatArray) -> FloatArray:
        """Return the relevance logits (B,) of hidden states (B, L, H), read off the `[CLS]` state."""
        logits: FloatArray = hidden[:, 0] @ self.relevance_weight[0] + self.relevance_bias
        return logits
