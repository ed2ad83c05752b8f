"""The reference's observations of its reader, and the tokenizer they were made with."""

import json
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from densecli.models.folder import ReaderConfig
from densecli.models.tokens import Tokens

GOLDEN = Path(__file__).parents[1] / "golden" / "reader.json"


@pytest.fixture(scope="session")
def golden() -> dict[str, Any]:
    return json.loads(GOLDEN.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def golden_tokens(golden: dict[str, Any]) -> Tokens:
    """Word pieces of the 41-piece vocabulary that the observations were made with."""
    vocabulary = {piece: number for number, piece in enumerate(golden["tiny_vocab"])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    frame = [("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])]
    tokenizer.post_processor = processors.BertProcessing(frame[1], frame[0])
    return Tokens(tokenizer, ReaderConfig())
