"""BERT tokenizers of folders that other programs wrote: `tokenizer.json`, or only `vocab.txt`."""

from pathlib import Path
from typing import Any

import orjson
from tokenizers import Tokenizer
from tokenizers.implementations.bert_wordpiece import BertWordPieceTokenizer

from densecli.errors import ArtifactError
from densecli.models.folder import TOKENIZER
from densecli.models.tokens import check_tokenizer, read_tokenizer

VOCABULARY = "vocab.txt"
SETTINGS = "tokenizer_config.json"
PLAIN_CLASSES = ("PreTrainedTokenizerFast", "TokenizersBackend")
"""Classes of tokenizers that follow `tokenizer.json` alone."""


def open_bert_tokenizer(folder: Path, lower_case: bool | None = None) -> Tokenizer:
    """Return the tokenizer of a folder.

    Args:
        folder: holds `tokenizer.json`, or `vocab.txt` and perhaps `tokenizer_config.json`.
        lower_case: what the model was trained with; None takes the folder's word, which is yes by default.

    Raises:
        ArtifactError: there is no tokenizer, it is broken or not BERT's, or contradicts `lower_case`.
    """
    if (folder / TOKENIZER).is_file():
        tokenizer = read_tokenizer(folder)
        lowers = tokenizer.encode("A").ids == tokenizer.encode("a").ids
        if lower_case is not None and lowers != lower_case:
            stored = "lower-cased text" if lower_case else "text as it is"
            raise ArtifactError(f"{folder / TOKENIZER}: the model was trained on {stored}; name another base")
        check_lower_case(tokenizer, folder)
        return tokenizer
    path = folder / VOCABULARY
    if not path.is_file():
        raise ArtifactError(
            f"{folder}: no {TOKENIZER} and no {VOCABULARY} in it; copy the whole model folder"
        )
    if lower_case is None:
        lower_case = _settings(folder).get("do_lower_case", True) is not False
    try:
        made = BertWordPieceTokenizer(str(path), lowercase=lower_case)
        tokenizer = Tokenizer.from_str(made.to_str())
    except Exception as error:  # the Rust library raises bare Exception
        raise ArtifactError(f"{path}: no vocabulary of a BERT ({error}); copy it again") from None
    check_tokenizer(tokenizer, path)
    return tokenizer


def check_lower_case(tokenizer: Tokenizer, folder: Path) -> None:
    """Refuse a folder whose `do_lower_case` contradicts its `tokenizer.json`.

    transformers goes by the setting, for a BERT's tokenizer.

    Raises:
        ArtifactError: names both.
    """
    settings = _settings(folder)
    stored = settings.get("do_lower_case")
    lowers = tokenizer.encode("A").ids == tokenizer.encode("a").ids
    if isinstance(stored, bool) and stored != lowers and settings.get("tokenizer_class") not in PLAIN_CLASSES:
        does = "lower-cases text" if lowers else "keeps upper case"
        raise ArtifactError(
            f"{folder / SETTINGS}: do_lower_case is {str(stored).lower()}, but {TOKENIZER} {does}; change one"
            " of them"
        )


def write_hugging_face_tokenizer(tokenizer: Tokenizer, folder: Path, max_tokens: int, kind: str) -> None:
    """Write a tokenizer as transformers reads it.

    Args:
        tokenizer: the tokenizer of a model.
        folder: where `tokenizer.json`, `vocab.txt` and `tokenizer_config.json` go.
        max_tokens: the longest input of the model, in word pieces.
        kind: the class that transformers takes for it.
    """
    pieces = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    (folder / VOCABULARY).write_text("".join(f"{piece}\n" for piece, _ in pieces), encoding="utf-8")
    # a copy, because the limits of the tokenizer in use must stay
    plain = Tokenizer.from_str(tokenizer.to_str())
    plain.no_padding()
    plain.no_truncation()
    (folder / TOKENIZER).write_text(plain.to_str(), encoding="utf-8")
    lowers = tokenizer.encode("A").ids == tokenizer.encode("a").ids
    settings = {"do_lower_case": lowers, "model_max_length": max_tokens, "tokenizer_class": kind}
    (folder / SETTINGS).write_bytes(orjson.dumps(settings, option=orjson.OPT_INDENT_2))


def longest_input(folder: Path, limit: int) -> int:
    """Return the longest input that a folder's tokenizer allows, at most `limit`.

    Raises:
        ArtifactError: the tokenizer cuts a long input at its start, which is not supported.
    """
    settings = _settings(folder)
    if settings.get("truncation_side", "right") != "right":
        raise ArtifactError(
            f"{folder / SETTINGS}: truncation_side is {settings['truncation_side']!r:.80}; densecli cuts long"
            " texts at their end alone"
        )
    stored = settings.get("model_max_length")
    # transformers writes 1e30 for a tokenizer without a limit, which orjson reads as a float
    return int(min(stored, limit)) if isinstance(stored, int | float) and stored >= 2 else limit


def _settings(folder: Path) -> dict[str, Any]:
    try:
        row = orjson.loads((folder / SETTINGS).read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return {}
    return row if isinstance(row, dict) else {}
