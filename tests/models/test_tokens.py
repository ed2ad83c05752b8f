import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from densecli.errors import ArtifactError
from densecli.models.folder import ReaderConfig, RetrieverConfig
from densecli.models.tokens import Tokens, check_vocabulary, read_tokenizer, second_segment, straight_quotes
from densecli.records import Passage
from encoder_families import BERT_FRAME, trained_tokenizer

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "tensorizer.json").read_text(encoding="utf-8"))
FRAMED = [case for case in GOLDEN["cases"] if case.get("add_special_tokens", True)]


@pytest.fixture(scope="module")
def golden_tokenizer() -> Tokenizer:
    """BERT's pieces that the golden cases use, with BERT's ids."""
    vocabulary = {
        token: number
        for case in GOLDEN["cases"]
        for token, number in zip(case["tokens"], case["ids"], strict=True)
    }
    tokenizer = Tokenizer(models.WordPiece(vocabulary | {"[UNK]": 100}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 102), ("[CLS]", 101))
    return tokenizer


def without_padding(case: dict[str, Any]) -> list[int]:
    """The ids without padding and the `[SEP]` that the reference writes after it."""
    ids: list[int] = case["ids"]
    return ids[: ids.index(0)] if 0 in ids else ids


@pytest.mark.parametrize("case", FRAMED, ids=[case["name"] for case in FRAMED])
def test_ids_match_the_reference(golden_tokenizer: Tokenizer, case: dict[str, Any]) -> None:
    limit = case["max_length"]
    tokens = Tokens(golden_tokenizer, RetrieverConfig(max_question_tokens=limit, max_passage_tokens=limit))
    if not case["name"].startswith("reader"):
        assert tokens.passages([Passage("1", case.get("title") or "", case["text"])]) == [
            without_padding(case)
        ]
    if "title" not in case:
        assert tokens.questions([case["text"]]) == [without_padding(case)]
    assert (tokens.cls, tokens.sep, tokens.pad) == (101, 102, 0)


def test_typographic_apostrophes_in_questions_are_straightened(golden_tokenizer: Tokenizer) -> None:
    assert straight_quotes("who\u2019s \u2018he\u2019") == "who's \u2018he'"


def test_prefixes_come_before_question_and_title(tiny_tokenizer: Tokenizer) -> None:
    bare = Tokens(tiny_tokenizer, RetrieverConfig())
    tokens = Tokens(tiny_tokenizer, RetrieverConfig(question_prefix="who ", passage_prefix="the "))
    assert tokens.questions(["was king"]) == bare.questions(["who was king"])
    titled = [Passage("1", "king", "of city"), Passage("2", "", " of city ")]
    assert tokens.passages(titled) == bare.passages(
        [Passage("1", "the king", "of city"), Passage("2", "", "the of city")]
    )


def test_saved_padding_and_truncation_are_ignored(tiny_tokenizer: Tokenizer, tmp_path: Path) -> None:
    tokenizer = Tokenizer.from_str(tiny_tokenizer.to_str())
    tokenizer.enable_truncation(5)
    tokenizer.enable_padding(length=128)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    tokens = Tokens.open(tmp_path, RetrieverConfig())
    assert list(map(len, tokens.questions(["who", "who was the king of the sea"]))) == [3, 9]


def test_the_limit_of_a_reader_applies_to_question_and_passage(tiny_tokenizer: Tokenizer) -> None:
    tokens = Tokens(tiny_tokenizer, ReaderConfig(max_tokens=6))
    assert len(tokens.questions(["who was the king of the sea"])[0]) == 6
    assert len(tokens.passages([Passage("1", "king", "the river and the sea")])[0]) == 6


def test_an_empty_text_has_only_special_tokens(tiny_tokenizer: Tokenizer) -> None:
    tokens = Tokens(tiny_tokenizer, RetrieverConfig())
    assert tokens.questions([" ", ""]) == [[tokens.cls, tokens.sep]] * 2
    assert tokens.questions([]) == []


def test_a_tokenizer_that_is_not_bert_is_refused(tiny_tokenizer: Tokenizer, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="the tokenizer is missing"):
        read_tokenizer(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ArtifactError, match="not a tokenizer"):
        read_tokenizer(tmp_path)
    Tokenizer(models.WordLevel({"[PAD]": 0, "x": 1}, unk_token="x")).save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(ArtifactError, match="no token before and behind"):
        read_tokenizer(tmp_path)


def test_truncated_texts_are_counted(tiny_tokenizer: Tokenizer) -> None:
    tokens = Tokens(tiny_tokenizer, RetrieverConfig(max_question_tokens=4, max_passage_tokens=7))
    tokens.questions(["who was", "who was king", "who"])
    fitting, longer = Passage("1", "king", "the river sea"), Passage("2", "king", "of the river sea")
    tokens.passages([fitting, longer, Passage("3", "", "the river and the sea")])
    tokens.passages([longer])
    assert tokens.counts == {"questions": 3, "questions cut": 1, "passages": 4, "passages cut": 2}


WORDS = ["sea", "river's", "  ", "\n", "x" * 120, "who?", "é", "\u3000", "don't", "kings,kings", "1,2"]


@settings(deadline=None, max_examples=12)
@given(
    st.lists(st.sampled_from(WORDS), min_size=80, max_size=200), st.lists(st.sampled_from(WORDS), max_size=60)
)
@pytest.mark.parametrize("kind", ["pieces", "bytes", "unigram"])
def test_enormous_titles_are_truncated_as_in_the_library(kind: str, head: list[str], body: list[str]) -> None:
    tokenizer = trained_tokenizer(kind, BERT_FRAME)
    tokens, title, text = (
        Tokens(tokenizer, RetrieverConfig(max_passage_tokens=24)),
        "".join(head),
        " ".join(body),
    )
    tokenizer.enable_truncation(24, strategy="longest_first")
    expected = tokenizer.encode(title, text.strip()).ids
    assert tokens.passages([Passage("1", title, text)]) == [expected]
    tokenizer.no_truncation()
    assert tokens.counts["passages cut"] == (len(tokenizer.encode(title, text.strip())) > 24)


def test_an_enormous_title_and_text_are_encoded_quickly(tiny_tokenizer: Tokenizer) -> None:
    """The library's own way takes minutes and tens of gigabytes."""
    long = "the king of the sea " * 10_000
    (ids,) = Tokens(tiny_tokenizer, RetrieverConfig()).passages([Passage("1", long, long)])
    assert len(ids) == 256
    assert ids.index(tiny_tokenizer.token_to_id("[SEP]")) == 127


def test_a_tokenizer_without_a_padding_token_uses_another_one(tiny_tokenizer: Tokenizer) -> None:
    other = Tokenizer.from_str(tiny_tokenizer.to_str().replace("[PAD]", "[NIL]"))
    tokens = Tokens(other, RetrieverConfig())
    assert tokens.pad == tokens.sep


@pytest.mark.parametrize("more", [-1, 1001])
def test_a_vocabulary_of_another_model_is_refused(tiny_tokenizer: Tokenizer, more: int) -> None:
    pieces = tiny_tokenizer.get_vocab_size()
    check_vocabulary(tiny_tokenizer, [pieces, pieces + 1000], "here")
    told = f"here: the tokenizer knows {pieces} pieces, the word table has {pieces + more} rows"
    with pytest.raises(ArtifactError, match=told):
        check_vocabulary(tiny_tokenizer, [pieces, pieces + more], "here")


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from([1, 2, 3]), min_size=6, max_size=6), min_size=1, max_size=4))
def test_the_second_segment_begins_after_the_first_separator(rows: list[list[int]]) -> None:
    expected = [[2 in row[:place] for place in range(len(row))] for row in rows]
    np.testing.assert_array_equal(second_segment(np.array(rows), 2), expected)
    assert second_segment(torch.tensor(rows), 2).tolist() == expected
