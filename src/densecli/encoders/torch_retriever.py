"""Questions and passages to vectors in torch."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import torch

from densecli.encoders.built import built_tower
from densecli.encoders.encoding import Encoder, Forward
from densecli.encoders.length_batches import pad
from densecli.encoders.side import Side
from densecli.encoders.torch_base import Retriever, open_retriever
from densecli.encoders.torch_hardware import (
    arithmetic,
    batch_tokens_on,
    pick_device,
    pick_precision,
    precision_name,
)
from densecli.encoders.torch_tower import Tower
from densecli.encoders.tower import Ids
from densecli.models.architecture import architecture
from densecli.models.weights import FloatArray
from densecli.records import Passage


def torch_forward(tower: Tower, pad_id: int, precision: torch.dtype) -> Forward:
    """Return what runs a tower, as it is at the time and without dropout."""
    device = next(tower.parameters()).device

    def forward(batches: Iterable[Ids]) -> Iterator[FloatArray]:
        for batch in batches:
            # in each batch: a training validates with it and switches dropout on in between
            tower.eval()
            ids, mask = (torch.from_numpy(array).to(device) for array in pad(batch, pad_id))
            with torch.inference_mode(), arithmetic(device, precision):
                vectors = tower(ids, mask)
            yield vectors.cpu().numpy()

    return forward


class PassageEncoder(Encoder[Passage]):
    """The passage tower of any model in torch: a densecli, Hugging Face or sentence-transformers folder."""

    def __init__(
        self,
        source: str | Path | Retriever,
        device: str = "cpu",
        precision: str = "fp32",
        batch_tokens: int | None = None,
    ) -> None:
        """Open a model by folder or Hub name, or take an open one.

        Raises:
            ArtifactError: no such model, or it is incomplete or not supported.
        """
        opened = source if isinstance(source, Retriever) else open_retriever(str(source))
        tokens, dimension = opened.tokens, opened.passage.dimension
        forward, placed, usual = _place(opened.passage, tokens.pad, device, precision)
        size = batch_tokens or usual
        super().__init__(opened.folder, tokens.passages, forward, dimension, placed, size, tokens.counts)


class TorchQuestionEncoder(Encoder[str]):
    """The question tower of any model in torch."""

    def __init__(self, source: str | Path, device: str = "cpu", precision: str = "fp32") -> None:
        """Open a model by folder or Hub name.

        Raises:
            ArtifactError: no such model, or it is incomplete or not supported.
        """
        opened = open_retriever(str(source))
        tokens, dimension = opened.tokens, opened.question.dimension
        forward, placed, size = _place(opened.question, tokens.pad, device, precision)
        super().__init__(opened.folder, tokens.questions, forward, dimension, placed, size, tokens.counts)


def _place(tower: Tower, pad_id: int, device: str, precision: str) -> tuple[Forward, str, int]:
    """Return what runs a tower, what says where and how, and the padded word pieces of a batch."""
    place = pick_device(device)
    chosen = pick_precision(precision, place)
    forward = torch_forward(tower.to(place), pad_id, chosen)
    return forward, f"torch {precision_name(chosen)} on {place.type}", batch_tokens_on(place)


def compiled_side(retriever: Retriever, name: str) -> Side | None:
    """Return one tower of an open model for the compiled engines; None where they can't run its encoder."""
    tower = retriever.passage if name == "passage" else retriever.question
    encoder = architecture(tower.model.config.to_dict())
    if encoder is None:
        return None
    state = {name: weight.numpy(force=True) for name, weight in tower.model.state_dict().items()}
    layer = tower.encode_proj
    projection = [] if layer is None else [part.numpy(force=True) for part in (layer.weight, layer.bias)]
    parts = built_tower(retriever.folder, encoder, state)
    return Side(name, retriever.folder, retriever.model_config, retriever.tokens, parts, projection)
