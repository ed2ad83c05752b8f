"""Models small enough to train in a test, and real in every other respect.

torch and transformers are imported by the fixtures that need them: loading them takes longer than most tests.
"""

import os
import string
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # before torch: of several tests at once, each would wait for the others

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from tokenizers import Tokenizer

pytest_plugins = ["memory", "shell", "skips", "slow", "peers"]

# Other work on the machine must not fail a test: no clock decides.
settings.register_profile("densecli", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("densecli")

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
WORDS = [
    "who",
    "what",
    "where",
    "when",
    "was",
    "is",
    "the",
    "of",
    "in",
    "and",
    "a",
    "born",
    "river",
    "city",
    "king",
    "wrote",
    "song",
    "film",
    "sea",
]


@pytest.fixture(scope="session")
def tiny_tokenizer() -> "Tokenizer":
    """Word pieces: a few words and every ASCII letter, digit and mark: all English has pieces."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    signs = string.ascii_lowercase + string.digits
    pieces = [
        *SPECIAL,
        *WORDS,
        *sorted(set(signs) - {"a"}),
        *(f"##{sign}" for sign in signs),
        *string.punctuation,
    ]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(name, vocabulary[name]) for name in ("[CLS]", "[SEP]")],
    )
    tokenizer.add_special_tokens(list(SPECIAL))
    return tokenizer


@pytest.fixture(scope="session")
def tiny_base(tiny_tokenizer: "Tokenizer", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Hugging Face folder: a random BERT of 2 layers, 32 wide, with 512 positions."""
    import torch
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("models") / "tiny-bert"
    config = BertConfig(
        vocab_size=tiny_tokenizer.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=512,
        initializer_range=0.15,
    )
    with torch.random.fork_rng():
        torch.manual_seed(7)
        BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    tiny_tokenizer.save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture(scope="session")
def tiny_retriever(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A densecli model folder made from `tiny_base`, untrained; do not change it."""
    from densecli.encoders.torch_save import save_retriever
    from densecli.encoders.torch_start import open_base

    folder = tmp_path_factory.mktemp("models") / "tiny-retriever"
    save_retriever(open_base(str(tiny_base), None, 64, 256), folder)
    return folder


@pytest.fixture(scope="session")
def tiny_reader(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reader folder made from `tiny_base`, untrained; do not change it."""
    from densecli.reader.torch_folder import open_reader_base, save_reader

    folder = tmp_path_factory.mktemp("models") / "tiny-reader"
    save_reader(open_reader_base(str(tiny_base), max_tokens=96, max_answer_tokens=8, seed=3), folder)
    return folder
