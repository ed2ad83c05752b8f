"""One tower of a retriever without torch, on the compiled engines."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from densecli.encoders.encoding import Encoder, Forward
from densecli.encoders.pooling import finish, pool
from densecli.encoders.session import OpenSession
from densecli.encoders.tower import CompiledTower, Ids, TowerParts, stored_tower
from densecli.errors import ArtifactError
from densecli.models.bert import read_config
from densecli.models.folder import WEIGHTS, RetrieverConfig, read_model_config
from densecli.models.tokens import Tokens, check_vocabulary
from densecli.models.weights import FloatArray, load_tensor

T = TypeVar("T")


@dataclass(frozen=True)
class Side:
    """One tower of a retriever outside of any engine.

    Attributes:
        name: `question` or `passage`.
        folder: the folder of the model.
        model_config: the properties of the model.
        tokens: the tokenizer with the model's limits.
        parts: the encoder.
        projection: weight and bias of the layer behind the pooling; empty without one.
    """

    name: str
    folder: Path
    model_config: RetrieverConfig
    tokens: Tokens
    parts: TowerParts
    projection: Sequence[FloatArray]

    @classmethod
    def open(cls, folder: Path, name: str) -> "Side":
        """Read one tower of a compiled model folder.

        Raises:
            ArtifactError: the folder is no whole retriever model.
        """
        model_config = read_model_config(folder, RetrieverConfig)
        tokens = Tokens.open(folder, model_config)
        tower = folder / model_config.tower(name)
        heads = model_config.heads(read_config(tower)["hidden_size"])
        parts = stored_tower(tower, folder / model_config.words[name], heads)
        check_vocabulary(tokens.tokenizer, [parts.words.shape[0]], folder)
        limit = f"max_{name}_tokens"
        asked, held = getattr(model_config, limit), parts.encoder.max_tokens
        if asked > held:
            raise ArtifactError(
                f"{folder}: {limit} is {asked}, but the tower has {held} positions; copy the model's folder"
                " again"
            )
        projection = [load_tensor(tower / WEIGHTS, head) for head in heads]
        return cls(name, folder, model_config, tokens, parts, projection)

    @property
    def dimension(self) -> int:
        """The length of the vectors that search sees."""
        return self.model_config.dimension(self.parts.encoder.hidden)


def compiled_forward(side: Side, open_session: OpenSession) -> tuple[Forward, str]:
    """Load a tower in an engine; return what runs it, and its arithmetic.

    Raises:
        ArtifactError: the engine refuses the tower.
    """
    model_config = side.model_config
    tower = CompiledTower(
        side.parts,
        open_session,
        side.tokens.pad,
        model_config.last_position(side.name),
        side.tokens.separator,
    )

    def forward(batches: Iterable[Ids]) -> Iterator[FloatArray]:
        for hidden, mask in tower.hidden(batches):
            pooled = pool(hidden, mask, model_config.pooling)
            if side.projection:
                weight, bias = side.projection
                pooled = pooled @ weight.T + bias
            yield finish(pooled, model_config, side.name)

    return forward, tower.arithmetic


def compiled_encoder(
    side: Side,
    word_pieces: Callable[[Sequence[T]], list[list[int]]],
    open_session: OpenSession,
    engine: str,
    batch_tokens: int,
) -> Encoder[T]:
    """Load a tower in an engine.

    Args:
        side: the tower.
        word_pieces: texts to ids, one of the methods of its `tokens`.
        open_session: loads a graph in the engine.
        engine: the name of the engine.
        batch_tokens: padded word pieces of a batch.

    Raises:
        ArtifactError: the engine refuses the tower.
    """
    forward, precision = compiled_forward(side, open_session)
    arithmetic, counts = f"{engine} {precision}", side.tokens.counts
    return Encoder(side.folder, word_pieces, forward, side.dimension, arithmetic, batch_tokens, counts)
