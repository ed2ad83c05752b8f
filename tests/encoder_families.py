"""Random encoders of every family, tiny, with tokenizers trained on a few sentences."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    AlbertConfig,
    AutoModel,
    AutoModelForMaskedLM,
    BertConfig,
    DebertaV2Config,
    DistilBertConfig,
    ElectraConfig,
    ModernBertConfig,
    MPNetConfig,
    RobertaConfig,
    XLMRobertaConfig,
)

SENTENCES = [
    "The river runs through the old city and down to the sea.",
    "Who was the king that wrote the song of the sea?",
    "A film about a song; the singer was born in a city by the river.",
    "Where is the tower of the king? It stands where two rivers meet.",
]
BERT_FRAME = ("[CLS]", "[SEP]", "[PAD]", "[UNK]")
ROBERTA_FRAME = ("<s>", "</s>", "<pad>", "<unk>")
SIZES: dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}
POSITIONS = 64


@dataclass(frozen=True)
class Family:
    """An architecture: its config's class, its own settings, and its tokenizer."""

    config: Callable[..., Any]
    settings: dict[str, Any]
    frame: tuple[str, str, str, str]
    kind: str
    dropouts: tuple[str, ...] = ("hidden_dropout_prob", "attention_probs_dropout_prob")
    reserved: int = 0

    def save(self, folder: Path, dropout: float = 0.1, head: bool = False) -> Path:
        """Write a Hugging Face folder with random weights; with `head`, as a masked language model's."""
        tokenizer = trained_tokenizer(self.kind, self.frame)
        ids = {
            f"{name}_token_id": tokenizer.token_to_id(sign)
            for name, sign in zip(("bos", "eos", "pad"), self.frame, strict=False)
        }
        dropouts = dict.fromkeys(self.dropouts, dropout)
        config = self.config(vocab_size=tokenizer.get_vocab_size(), **self.settings, **dropouts, **ids)
        with torch.random.fork_rng():
            torch.manual_seed(11)
            kind = AutoModelForMaskedLM if head else AutoModel
            model = kind.from_config(config)
            for weight in model.parameters():  # as a trained model's: every part has a say
                torch.nn.init.normal_(weight, std=0.3, mean=float(weight.ndim < 2))
            model.save_pretrained(folder)
        tokenizer.save(str(folder / "tokenizer.json"))
        return folder


FAMILIES = {
    "bert": Family(BertConfig, {**SIZES, "max_position_embeddings": POSITIONS}, BERT_FRAME, "pieces"),
    "electra": Family(
        ElectraConfig,
        {**SIZES, "max_position_embeddings": POSITIONS, "embedding_size": 8},
        BERT_FRAME,
        "pieces",
    ),
    "albert": Family(
        AlbertConfig,
        {**SIZES, "max_position_embeddings": POSITIONS, "embedding_size": 8},
        BERT_FRAME,
        "unigram",
    ),
    "distilbert": Family(
        DistilBertConfig,
        {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32, "max_position_embeddings": POSITIONS},
        BERT_FRAME,
        "pieces",
        ("dropout", "attention_dropout"),
    ),
    "deberta-v2": Family(
        DebertaV2Config,
        {
            **SIZES,
            "max_position_embeddings": POSITIONS,
            "relative_attention": True,
            "pos_att_type": ["p2c", "c2p"],
            "position_biased_input": False,
            "type_vocab_size": 0,
        },
        BERT_FRAME,
        "unigram",
    ),
    "modernbert": Family(
        ModernBertConfig,
        {**SIZES, "max_position_embeddings": POSITIONS, "local_attention": 8},
        BERT_FRAME,
        "bytes",
        ("embedding_dropout", "mlp_dropout", "attention_dropout"),
    ),
    "roberta": Family(
        RobertaConfig,
        {**SIZES, "max_position_embeddings": POSITIONS + 2, "type_vocab_size": 1},
        ROBERTA_FRAME,
        "bytes",
        reserved=2,
    ),
    "xlm-roberta": Family(
        XLMRobertaConfig,
        {**SIZES, "max_position_embeddings": POSITIONS + 2, "type_vocab_size": 1},
        ROBERTA_FRAME,
        "unigram",
        reserved=2,
    ),
    "mpnet": Family(
        MPNetConfig,
        {**SIZES, "max_position_embeddings": POSITIONS + 2},
        ROBERTA_FRAME,
        "pieces",
        reserved=2,
    ),
}


@cache
def trained_tokenizer(kind: str, frame: tuple[str, str, str, str]) -> Tokenizer:
    """Return word pieces, byte pairs or unigrams of the sentences, framed as BERT or RoBERTa frames."""
    first, last, pad, unknown = frame
    special = [first, pad, last, unknown]  # RoBERTa's order: the padding is 1
    options: dict[str, Any] = {"vocab_size": 200, "special_tokens": special, "show_progress": False}
    trainer: Any
    if kind == "pieces":
        tokenizer = Tokenizer(models.WordPiece(unk_token=unknown))
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(**options)
    elif kind == "bytes":
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(**{**options, "vocab_size": 400}, initial_alphabet=alphabet)
    else:
        tokenizer = Tokenizer(models.Unigram())
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        trainer = trainers.UnigramTrainer(**options, unk_token=unknown)
    tokenizer.train_from_iterator(SENTENCES, trainer)
    parted = f"{last} {last}" if frame == ROBERTA_FRAME else last
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}",
        pair=f"{first} $A {parted} $B:1 {last}:1",
        special_tokens=[(sign, tokenizer.token_to_id(sign)) for sign in (first, last)],
    )
    return tokenizer
