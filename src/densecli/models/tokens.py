"""Text to word-piece ids in the tokenizer's own frame: BERT's is `[CLS] title [SEP] text [SEP]`."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from densecli.errors import ArtifactError
from densecli.models.folder import TOKENIZER, ModelConfig, RetrieverConfig, present
from densecli.records import Passage

CUT = " cut"
"""What the name of a count of texts that were too long ends with."""
PADS = ("[PAD]", "<pad>", "<|padding|>", "<|pad|>")
USUAL_LETTERS = 8
"""A title of more letters for each piece that has room is cut before it is made into pieces."""
SPARE_ROWS = 1000
"""Rows that a word table may have beyond its tokenizer's pieces: tables are rounded up for speed."""


class Tokens:
    """A tokenizer with a model's limits.

    `cls`, `sep` and `pad` are ids: the first and the last of a framed text, and what fills short rows.
    `counts` has how many `questions` and `passages` were encoded, and how many of them were too long
    (`questions cut`, `passages cut`).
    """

    def __init__(self, tokenizer: Tokenizer, model_config: ModelConfig) -> None:
        # saved settings would cut and pad before the lengths are known
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self.tokenizer = tokenizer
        frame = _frame(tokenizer)
        self.cls, self.sep = frame[0], frame[-1]
        self.pad = next((i for i in map(tokenizer.token_to_id, PADS) if i is not None), self.sep)
        self.separator = self.sep if model_config.token_types == "segments" else None
        self.counts: Counter[str] = Counter()
        if isinstance(model_config, RetrieverConfig):
            self._limits = model_config.max_question_tokens, model_config.max_passage_tokens
            self._prefixes = model_config.question_prefix, model_config.passage_prefix
            # DPR 1.0 overwrites the last position of every padded input by [SEP], and attends to it
            self._trailing = [self.sep] if model_config.trailing_sep else []
        else:
            self._limits = model_config.max_tokens, model_config.max_tokens
            self._prefixes = "", ""
            self._trailing = []

    @classmethod
    def open(cls, folder: Path, model_config: ModelConfig) -> "Tokens":
        """Read `tokenizer.json` of a model folder.

        Raises:
            ArtifactError: the file is missing, broken, or frames no text.
        """
        return cls(read_tokenizer(folder), model_config)

    def questions(self, texts: Sequence[str]) -> list[list[int]]:
        """Return `[CLS] question [SEP]` for each question, cut to the model's limit.

        A model with a trailing `[SEP]` gets it, unless the question fills the limit.
        """
        prefix = self._prefixes[0]
        return self._encode("questions", [prefix + straight_quotes(text) for text in texts], self._limits[0])

    def passages(self, passages: Sequence[Passage]) -> list[list[int]]:
        """Return `[CLS] title [SEP] text [SEP]` (`[CLS] text [SEP]` without a title).

        A tokenizer that parts a pair otherwise, as RoBERTa's does, parts title and text so. Text is stripped;
        where title and text are too long the longer of them is cut.
        """
        prefix = self._prefixes[1]
        inputs: list[str | tuple[str, str]] = [
            # the text is stripped and the title is not, as in DPR
            (self._title(prefix + p.title), p.text.strip()) if p.title else prefix + p.text.strip()
            for p in passages
        ]
        return self._encode("passages", inputs, self._limits[1])

    def _title(self, title: str) -> str:
        """Return as much of a title as may have room.

        The library takes time and memory by the product of what it cuts off title and text.
        """
        limit = self._limits[1]
        if len(title) <= limit * USUAL_LETTERS:
            return title
        whole = self.tokenizer.encode(title, add_special_tokens=False)
        word = whole.token_to_word(limit) if len(whole) > limit else None
        letters = None if word is None else whole.word_to_chars(word)
        return title if letters is None else title[: letters[1]]

    def _encode(self, what: str, inputs: Sequence[str | tuple[str, str]], limit: int) -> list[list[int]]:
        self.tokenizer.enable_truncation(limit, strategy="longest_first")
        encodings = self.tokenizer.encode_batch_fast(inputs)
        self.tokenizer.no_truncation()
        self.counts[what] += len(encodings)
        self.counts[what + CUT] += sum(
            len(encoding) == limit and bool(encoding.overflowing) for encoding in encodings
        )
        return [(encoding.ids + self._trailing)[:limit] for encoding in encodings]


def second_segment(ids: Any, separator: int) -> Any:
    """Return where tokens are of type 1: behind the first `separator` of their row, as in DPR 1.0's readers.

    Args:
        ids: (B, L), an array of numpy or torch.
        separator: an id.

    Returns:
        Truth values (B, L) of the same kind of array.
    """
    ends = ids == separator
    return ends.cumsum(1) > ends


def straight_quotes(question: str) -> str:
    """Replace the right typographic quote by an apostrophe, as the reference does in questions."""
    return question.replace("\u2019", "'")


def read_tokenizer(folder: Path) -> Tokenizer:
    """Read `tokenizer.json` and check that it frames a text.

    Raises:
        ArtifactError: the file is missing, broken, or writes no special tokens around a text.
    """
    path = present(folder / TOKENIZER, "tokenizer")
    try:
        tokenizer = Tokenizer.from_str(path.read_text(encoding="utf-8"))
    except Exception as error:  # the Rust library raises bare Exception
        raise ArtifactError(f"{path}: not a tokenizer ({error}); copy the model folder again") from None
    check_tokenizer(tokenizer, path)
    return tokenizer


def check_tokenizer(tokenizer: Tokenizer, place: object) -> None:
    """Refuse a tokenizer that does not frame a text by special tokens, one before and one behind it.

    Raises:
        ArtifactError: names `place`.
    """
    if len(_frame(tokenizer)) < 2:
        raise ArtifactError(
            f"{place}: the tokenizer writes no token before and behind a text, as [CLS] and [SEP];"
            " use the model of an encoder, such as BERT or RoBERTa"
        )


def _frame(tokenizer: Tokenizer) -> list[int]:
    """Return the special tokens around a text."""
    # what it writes around an empty text; a padding that it was saved with is not attended to
    bare = tokenizer.encode("")
    places = zip(bare.ids, bare.special_tokens_mask, bare.attention_mask, strict=True)
    return [i for i, special, attended in places if special and attended]


def check_vocabulary(tokenizer: Tokenizer, word_rows: Iterable[int], place: object) -> None:
    """Refuse a tokenizer that knows more pieces than a word table has rows, or far fewer.

    Raises:
        ArtifactError: names `place` and both numbers.
    """
    pieces = tokenizer.get_vocab_size()
    for rows in word_rows:
        if not rows - SPARE_ROWS <= pieces <= rows:
            raise ArtifactError(
                f"{place}: the tokenizer knows {pieces} pieces, the word table has {rows} rows:"
                " they belong to two models; copy the whole model folder"
            )
