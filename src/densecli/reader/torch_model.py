"""The reader in torch: an encoder and its two heads (paper, section 6.1)."""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from densecli.encoders.torch_dropout import set_dropout
from densecli.models.tokens import second_segment

# Of BERT's own initialization, and of DPR's heads.
INITIAL_DEVIATION = 0.02


class Logits(NamedTuple):
    """The logits of a batch: `start` and `end` (B, L), `relevance` (B,), all float32."""

    start: Tensor
    end: Tensor
    relevance: Tensor


class ReaderModel(nn.Module):
    """Encoder, span head on every position, relevance head on the `[CLS]` state.

    Tokens behind the first `separator` of a row, an id, are of type 1; without one all are of type 0.
    """

    def __init__(self, encoder: Any, separator: int | None = None) -> None:
        super().__init__()
        self.encoder = encoder
        self.separator = separator
        self.qa_outputs = nn.Linear(encoder.config.hidden_size, 2)
        self.qa_classifier = nn.Linear(encoder.config.hidden_size, 1)

    def forward(self, ids: Tensor, mask: Tensor) -> Logits:
        """Return the logits of ids and mask, both (B, L)."""
        types = {}
        if self.separator is not None:
            types["token_type_ids"] = second_segment(ids, self.separator).long()
        hidden = self.encoder(input_ids=ids, attention_mask=mask, **types).last_hidden_state
        # bf16 would round away the small differences between logits that decide
        with torch.autocast(ids.device.type, enabled=False):
            hidden = hidden.float()
            start, end = self.qa_outputs(hidden).unbind(-1)
            return Logits(start, end, self.qa_classifier(hidden[:, 0]).squeeze(-1))

    def start_heads(self, seed: int) -> None:
        """Set the heads' weights to N(0, 0.02) and their biases to zero."""
        generator = torch.Generator().manual_seed(seed)
        for head in (self.qa_outputs, self.qa_classifier):
            nn.init.normal_(head.weight, std=INITIAL_DEVIATION, generator=generator)
            nn.init.zeros_(head.bias)

    def prepare(self, dropout: float, freeze_embeddings: bool, device: torch.device) -> None:
        """Prepare for training: set dropout, move to `device`, freeze the word embeddings when asked."""
        set_dropout(self, dropout)
        self.to(device)
        self.requires_grad_(True)
        self.encoder.get_input_embeddings().weight.requires_grad_(not freeze_embeddings)

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return self.qa_outputs.weight.device
