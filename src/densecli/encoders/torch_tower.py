"""One tower in torch: a Hugging Face encoder, its pooling, and the steps for its similarity."""

import inspect
from typing import Any

import torch
from torch import Tensor, nn

from densecli.errors import ArtifactError
from densecli.models.folder import RetrieverConfig
from densecli.models.tokens import second_segment


class Tower(nn.Module):
    """Ids and mask to vectors: the last hidden states, pooled, and projected where the model does that."""

    def __init__(
        self,
        model: Any,
        model_config: RetrieverConfig,
        side: str,
        separator: int | None = None,
        projection: nn.Linear | None = None,
    ) -> None:
        """Put an encoder behind a model's properties.

        Args:
            model: the encoder.
            model_config: the properties of the model.
            side: `question` or `passage`.
            separator: the id behind whose first place tokens are of type 1; None: all are of type 0.
            projection: a layer behind the pooling.

        Raises:
            ArtifactError: the encoder has no token types or takes no positions, and the model needs them.
        """
        super().__init__()
        self.model = model
        self.encode_proj = projection
        self.model_config = model_config
        self.side = side
        self.separator = separator
        self.last_position = model_config.last_position(side)
        self._reserved = reserved_positions(model)
        known = inspect.signature(model.forward).parameters
        if separator is not None:
            check_token_types(model)
        if self.last_position is not None and "position_ids" not in known:
            raise ArtifactError(
                f"an encoder of type {model.config.model_type!r} takes no positions, so its inputs can't"
                " end in a trailing [SEP]; use `trailing_sep=no`"
            )

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return the vectors (B, D) that search sees, float32, for ids and mask, both (B, L)."""
        return self.finish(self.pool(ids, mask))

    def pool(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return pooled and projected vectors (B, d), float32, before the steps for the similarity."""
        more = {}
        if self.last_position is not None:
            more["position_ids"] = self._positions(ids, mask)
        if self.separator is not None:
            more["token_type_ids"] = second_segment(ids, self.separator).long()
        hidden = self.model(input_ids=ids, attention_mask=mask, **more).last_hidden_state.float()
        if self.model_config.pooling == "cls":
            vectors: Tensor = hidden[:, 0]
        else:
            weights = mask.unsqueeze(-1).float()
            vectors = (hidden * weights).sum(1) / weights.sum(1)
        if self.encode_proj is None:
            return vectors
        # bfloat16 would round away what decides between similar passages
        with torch.autocast(ids.device.type, enabled=False):
            projected: Tensor = self.encode_proj(vectors)
        return projected

    def finish(self, vectors: Tensor) -> Tensor:
        """Return what search sees of pooled vectors; `pooling.finish` says how."""
        if self.model_config.normalize:
            vectors = nn.functional.normalize(vectors, dim=-1)
        if self.model_config.similarity == "l2":
            halves = vectors.square().sum(-1, keepdim=True) / -2
            more = torch.ones_like(halves) if self.side == "question" else halves
            vectors = torch.cat([vectors, more], dim=-1)
        return vectors

    def _positions(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return positions (B, L): each token's place, but the length's last for the last of a sequence."""
        places = torch.arange(ids.shape[1], device=ids.device).repeat(len(ids), 1)
        # DPR 1.0 pads to the full length and overwrites the last id by [SEP]. Without the padding the same
        # result needs the [SEP] right behind the text, but with the position of the length's end.
        places[torch.arange(len(ids)), mask.sum(1) - 1] = self.last_position or 0
        return places + self._reserved

    @property
    def width(self) -> int:
        """The length of pooled and projected vectors."""
        hidden = int(self.model.config.hidden_size)
        return hidden if self.encode_proj is None else self.encode_proj.out_features

    @property
    def dimension(self) -> int:
        """The length of the vectors that search sees."""
        return self.model_config.dimension(int(self.model.config.hidden_size))

    @property
    def trainable(self) -> bool:
        """Whether any weight is trained."""
        return any(weight.requires_grad for weight in self.parameters())


def word_table_name(model: Any) -> str:
    """Return the state-dict name of the word-embedding table."""
    table = model.get_input_embeddings().weight
    return next(
        str(name) for name, weight in model.named_parameters(remove_duplicate=False) if weight is table
    )


def reserved_positions(model: Any) -> int:
    """Return how many positions before a text's first are not for tokens (RoBERTa's padding has them)."""
    table = getattr(getattr(model, "embeddings", None), "position_embeddings", None)
    padding = getattr(table, "padding_idx", None)
    # RoBERTa counts positions from the padding's id + 1
    return 0 if padding is None else int(padding) + 1


def position_limit(model: Any) -> int:
    """Return the longest sequence the encoder has positions for."""
    return int(getattr(model.config, "max_position_embeddings", 512)) - reserved_positions(model)


def check_token_types(model: Any) -> None:
    """Refuse an encoder that does not distinguish two types of tokens.

    Raises:
        ArtifactError: names the encoder's type.
    """
    known = inspect.signature(model.forward).parameters
    if "token_type_ids" not in known or (getattr(model.config, "type_vocab_size", 0) or 0) < 2:
        raise ArtifactError(
            f"an encoder of type {model.config.model_type!r} knows one type of tokens: it can't mark"
            " segments; use `token_types=zeros`"
        )
