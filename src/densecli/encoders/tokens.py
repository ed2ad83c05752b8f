"""Text to word-piece ids, as the reference does it: `[CLS] title [SEP] text [SEP]`."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from tokenizers import Tokenizer

from densecli.encoders.folder import TOKENIZER, Card, RetrieverCard, present
from densecli.errors import ArtifactError
from densecli.records import Passage

PADS = ("[PAD]", "<pad>", "<|padding|>")


class Tokens:
    """A tokenizer with a model's limits; `cls`, `sep` and `pad` are ids."""

    def __init__(self, tokenizer: Tokenizer, card: Card) -> None:
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self.tokenizer = tokenizer
        self.cls, self.sep = tokenizer.encode("").ids
        self.pad = next(i for i in map(tokenizer.token_to_id, PADS) if i is not None)
        if isinstance(card, RetrieverCard):
            self._limits = card.max_question_tokens, card.max_passage_tokens
            self._prefixes = card.question_prefix, card.passage_prefix
            self._trailing = [self.sep] if card.trailing_sep else []
        else:
            self._limits = card.max_tokens, card.max_tokens
            self._prefixes = "", ""
            self._trailing = []

    @classmethod
    def open(cls, folder: Path, card: Card) -> "Tokens":
        """Read `tokenizer.json` of a model folder.

        Raises:
            ArtifactError: the file is missing, broken, or not of the BERT family.
        """
        return cls(read_tokenizer(folder), card)

    def questions(self, texts: Sequence[str]) -> list[list[int]]:
        """Return `[CLS] question [SEP]` for each question, cut to the model's limit.

        A model with a trailing `[SEP]` gets it, unless the question fills the limit.
        """
        prefix = self._prefixes[0]
        return self._encode([prefix + straight_quotes(text) for text in texts], self._limits[0])

    def passages(self, passages: Sequence[Passage]) -> list[list[int]]:
        """Return `[CLS] title [SEP] text [SEP]` (`[CLS] text [SEP]` without a title).

        Text is stripped; where title and text are too long the longer of them is cut.
        """
        prefix = self._prefixes[1]
        inputs: list[str | tuple[str, str]] = [
            (prefix + p.title, p.text.strip()) if p.title else prefix + p.text.strip() for p in passages
        ]
        return self._encode(inputs, self._limits[1])

    def _encode(self, inputs: Sequence[str | tuple[str, str]], limit: int) -> list[list[int]]:
        self.tokenizer.enable_truncation(limit, strategy="longest_first")
        found = [encoding.ids for encoding in self.tokenizer.encode_batch_fast(inputs)]
        self.tokenizer.no_truncation()
        return [(ids + self._trailing)[:limit] for ids in found] if self._trailing else found


def straight_quotes(question: str) -> str:
    """Replace the right typographic quote by an apostrophe, as the reference does in questions."""
    return question.replace("\u2019", "'")


def read_tokenizer(folder: Path) -> Tokenizer:
    """Read `tokenizer.json` and check that it writes `[CLS] ... [SEP]` and knows how to pad.

    Raises:
        ArtifactError: the file is missing, broken, or not of the BERT family.
    """
    path = present(folder / TOKENIZER, "tokenizer")
    try:
        tokenizer = Tokenizer.from_str(path.read_text(encoding="utf-8"))
    except Exception as error:  # the Rust library raises bare Exception
        raise ArtifactError(f"{path}: not a tokenizer ({error}); copy the model folder again") from None
    check_tokenizer(tokenizer, path)
    return tokenizer


def check_tokenizer(tokenizer: Tokenizer, place: object) -> None:
    """Refuse a tokenizer that does not frame a text by two special tokens.

    Raises:
        ArtifactError: names `place`.
    """
    frame = (
        len(tokenizer.encode("").ids)
        if tokenizer.padding is None
        else tokenizer.num_special_tokens_to_add(False)
    )
    if frame != 2 or all(tokenizer.token_to_id(name) is None for name in PADS):
        raise ArtifactError(
            f"{place}: the tokenizer writes no [CLS], [SEP] and [PAD]; use a BERT-family model"
        )


def check_vocabulary(tokenizer: Tokenizer, word_rows: Iterable[int], place: object) -> None:
    """Refuse a tokenizer that knows more pieces than a word table has rows.

    Raises:
        ArtifactError: names `place` and both numbers.
    """
    pieces, rows = tokenizer.get_vocab_size(), min(word_rows)
    if pieces > rows:
        raise ArtifactError(
            f"{place}: the tokenizer knows {pieces} pieces, the word table has {rows}:"
            " they belong to two models; copy the whole model folder"
        )
