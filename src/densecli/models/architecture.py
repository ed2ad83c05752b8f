"""The encoders that compiled engines run: their sizes and weights, as Hugging Face names them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from densecli.models.weights import Shape

Config = Mapping[str, Any]
LARGEST = 1 << 24
"""No size in a config is larger,"""
MOST_LAYERS = 1024
"""and no encoder has more layers."""
ACTIVATIONS = ("gelu", "gelu_new", "gelu_pytorch_tanh", "relu")


@dataclass(frozen=True)
class Names:
    """The parts of one layer; `layer` takes its number."""

    layer: str = "encoder.layer.{}"
    query: str = "attention.self.query"
    key: str = "attention.self.key"
    value: str = "attention.self.value"
    mixed: str = "attention.output.dense"
    attention_norm: str = "attention.output.LayerNorm"
    wide: str = "intermediate.dense"
    narrow: str = "output.dense"
    norm: str = "output.LayerNorm"


BERT = Names()
DISTILBERT = Names(
    layer="transformer.layer.{}",
    query="attention.q_lin",
    key="attention.k_lin",
    value="attention.v_lin",
    mixed="attention.out_lin",
    attention_norm="sa_layer_norm",
    wide="ffn.lin1",
    narrow="ffn.lin2",
    norm="output_layer_norm",
)
MPNET = Names(
    query="attention.attn.q",
    key="attention.attn.k",
    value="attention.attn.v",
    mixed="attention.attn.o",
    attention_norm="attention.LayerNorm",
)


@dataclass(frozen=True)
class PostNorm:
    """An encoder as BERT's: positions from a table, and norms behind attention and feed-forward layers.

    Attributes:
        hidden: length of a state.
        wide: length inside a feed-forward layer.
        layers: their number.
        heads: attention heads of a layer.
        vocabulary: rows of the word table.
        position_rows: rows of the position table.
        reserved: how many of these, the first, are not for tokens (RoBERTa's padding has them).
        types: rows of the token-type table, 0 without one.
        buckets: distances between tokens for which the heads have biases (MPNet's), 0 without them.
        epsilon: of the norms.
        activation: of the feed-forward layers, one of ACTIVATIONS.
        names: of the weights in a layer.
    """

    hidden: int
    wide: int
    layers: int
    heads: int
    vocabulary: int
    position_rows: int
    reserved: int = 0
    types: int = 0
    buckets: int = 0
    epsilon: float = 1e-12
    activation: str = "gelu"
    names: Names = field(default=BERT)

    words = "embeddings.word_embeddings.weight"
    positions = "embeddings.position_embeddings.weight"
    token_types = "embeddings.token_type_embeddings.weight"
    biases = "encoder.relative_attention_bias.weight"
    first_norm = "embeddings.LayerNorm"

    @property
    def max_tokens(self) -> int:
        """The longest sequence that has positions."""
        return self.position_rows - self.reserved

    def shapes(self) -> dict[str, Shape]:
        """Return the weights, all but the word table."""
        return dict(self._weights())

    def _weights(self) -> Iterator[tuple[str, Shape]]:
        names = self.names
        yield self.positions, (self.position_rows, self.hidden)
        if self.types:
            yield self.token_types, (self.types, self.hidden)
        if self.buckets:
            yield self.biases, (self.buckets, self.heads)
        yield from _norm(self.first_norm, self.hidden)
        for number in range(self.layers):
            layer = names.layer.format(number)
            for part in (names.query, names.key, names.value, names.mixed):
                yield from _linear(f"{layer}.{part}", self.hidden, self.hidden)
            yield from _norm(f"{layer}.{names.attention_norm}", self.hidden)
            yield from _linear(f"{layer}.{names.wide}", self.wide, self.hidden)
            yield from _linear(f"{layer}.{names.narrow}", self.hidden, self.wide)
            yield from _norm(f"{layer}.{names.norm}", self.hidden)


@dataclass(frozen=True)
class ModernBert:
    """A ModernBERT: rotated positions, attention of most layers within a window, norms before the parts.

    Attributes:
        hidden: length of a state.
        wide: length inside a feed-forward layer, half of which are gates.
        layers: for each layer, whether its tokens attend to near tokens alone.
        heads: attention heads of a layer.
        vocabulary: rows of the word table.
        max_tokens: the longest sequence.
        window: how far apart tokens of a layer with a window attend to each other.
        bases: of the frequencies of positions, for layers without and with a window.
        norm_bias, attention_bias, wide_bias: whether these parts have biases.
        epsilon: of the norms.
        activation: of the feed-forward layers, one of ACTIVATIONS.
    """

    hidden: int
    wide: int
    layers: tuple[bool, ...]
    heads: int
    vocabulary: int
    max_tokens: int
    window: int
    bases: tuple[float, float]
    norm_bias: bool
    attention_bias: bool
    wide_bias: bool
    epsilon: float
    activation: str

    words = "embeddings.tok_embeddings.weight"
    first_norm = "embeddings.norm"
    last_norm = "final_norm"
    types = 0

    def shapes(self) -> dict[str, Shape]:
        """Return the weights, all but the word table."""
        return dict(self._weights())

    def _weights(self) -> Iterator[tuple[str, Shape]]:
        yield from _norm(self.first_norm, self.hidden, self.norm_bias)
        for number in range(len(self.layers)):
            layer = f"layers.{number}"
            if number:
                yield from _norm(f"{layer}.attn_norm", self.hidden, self.norm_bias)
            yield from _linear(f"{layer}.attn.Wqkv", 3 * self.hidden, self.hidden, self.attention_bias)
            yield from _linear(f"{layer}.attn.Wo", self.hidden, self.hidden, self.attention_bias)
            yield from _norm(f"{layer}.mlp_norm", self.hidden, self.norm_bias)
            yield from _linear(f"{layer}.mlp.Wi", 2 * self.wide, self.hidden, self.wide_bias)
            yield from _linear(f"{layer}.mlp.Wo", self.hidden, self.wide, self.wide_bias)
        yield from _norm(self.last_norm, self.hidden, self.norm_bias)


Architecture = PostNorm | ModernBert


def _linear(name: str, rows: int, columns: int, bias: bool = True) -> Iterator[tuple[str, Shape]]:
    yield f"{name}.weight", (rows, columns)
    if bias:
        yield f"{name}.bias", (rows,)


def _norm(name: str, size: int, bias: bool = True) -> Iterator[tuple[str, Shape]]:
    yield f"{name}.weight", (size,)
    if bias:
        yield f"{name}.bias", (size,)


def architecture(config: Config) -> Architecture | None:
    """Return what a Hugging Face config says; None where a compiled graph can't say all of it.

    A config that leaves out a size, or names one of another kind or beyond reason, is left to torch.
    """
    reading = READERS.get(config.get("model_type", ""))
    if reading is None or config.get("is_decoder", False) or config.get("add_cross_attention", False):
        return None
    try:
        found = reading(config)
    except (KeyError, TypeError, AttributeError):
        return None
    if found is None or found.activation not in ACTIVATIONS or not _is_plausible(found):
        return None
    return found


def _is_plausible(found: PostNorm | ModernBert) -> bool:
    """Whether the sizes of an encoder are sizes, and none is so large that a file must be damaged."""
    layers = len(found.layers) if isinstance(found, ModernBert) else found.layers
    positions = found.max_tokens if isinstance(found, ModernBert) else found.position_rows
    sizes = (found.hidden, found.wide, found.heads, found.vocabulary, positions)
    return (
        all(type(size) is int and 0 < size <= LARGEST for size in sizes)
        and type(layers) is int
        and 0 < layers <= MOST_LAYERS
        and found.hidden % found.heads == 0
        and type(found.epsilon) is float
        and 0 < found.epsilon < 1
    )


def _bert(config: Config) -> PostNorm | None:
    if config.get("position_embedding_type", "absolute") != "absolute":
        return None
    return PostNorm(
        **_sizes(config),
        types=config["type_vocab_size"],
        epsilon=config.get("layer_norm_eps", 1e-12),
        activation=config.get("hidden_act", "gelu"),
    )


def _roberta(config: Config) -> PostNorm | None:
    if config.get("position_embedding_type", "absolute") != "absolute":
        return None
    return PostNorm(
        **_sizes(config),
        reserved=config["pad_token_id"] + 1,
        types=config["type_vocab_size"],
        epsilon=config["layer_norm_eps"],
        activation=config["hidden_act"],
    )


def _distilbert(config: Config) -> PostNorm:
    return PostNorm(
        hidden=config["dim"],
        wide=config["hidden_dim"],
        layers=config["n_layers"],
        heads=config["n_heads"],
        vocabulary=config["vocab_size"],
        position_rows=config["max_position_embeddings"],
        activation=config["activation"],
        names=DISTILBERT,
    )


def _mpnet(config: Config) -> PostNorm:
    return PostNorm(
        **_sizes(config),
        reserved=2,  # the config may say something else about padding
        buckets=config["relative_attention_num_buckets"],
        epsilon=config["layer_norm_eps"],
        activation=config["hidden_act"],
        names=MPNET,
    )


def _sizes(config: Config) -> dict[str, Any]:
    return {
        "hidden": config["hidden_size"],
        "wide": config["intermediate_size"],
        "layers": config["num_hidden_layers"],
        "heads": config["num_attention_heads"],
        "vocabulary": config["vocab_size"],
        "position_rows": config["max_position_embeddings"],
    }


def _modernbert(config: Config) -> ModernBert | None:
    rotations = config.get("rope_parameters") or {
        "full_attention": {"rope_theta": config["global_rope_theta"]},
        "sliding_attention": {"rope_theta": config["local_rope_theta"]},
    }
    if config.get("rope_scaling") or any(
        one.get("rope_type", "default") != "default" for one in rotations.values()
    ):
        return None
    kinds = config.get("layer_types") or [
        "sliding_attention" if number % config["global_attn_every_n_layers"] else "full_attention"
        for number in range(config["num_hidden_layers"])
    ]
    if len(kinds) != config["num_hidden_layers"] or not {*kinds} <= {"full_attention", "sliding_attention"}:
        return None
    return ModernBert(
        hidden=config["hidden_size"],
        wide=config["intermediate_size"],
        layers=tuple(kind == "sliding_attention" for kind in kinds),
        heads=config["num_attention_heads"],
        vocabulary=config["vocab_size"],
        max_tokens=config["max_position_embeddings"],
        window=config["local_attention"] // 2,
        bases=(
            float(rotations["full_attention"]["rope_theta"]),
            float(rotations["sliding_attention"]["rope_theta"]),
        ),
        norm_bias=config["norm_bias"],
        attention_bias=config["attention_bias"],
        wide_bias=config["mlp_bias"],
        epsilon=config["norm_eps"],
        activation=config["hidden_activation"],
    )


READERS = {
    "bert": _bert,
    "roberta": _roberta,
    "xlm-roberta": _roberta,
    "camembert": _roberta,
    "distilbert": _distilbert,
    "mpnet": _mpnet,
    "modernbert": _modernbert,
}
