import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer

from densecli.models.folder import RetrieverConfig
from densecli.models.tokens import Tokens
from densecli.records import Passage, Question, TrainingExample
from densecli.training.batches import lay_out
from densecli.training.examples import ExampleSpool, SampledExample

LAYOUTS = json.loads((Path(__file__).parents[1] / "golden" / "batching.json").read_text())["batch_layout"]
PLAIN = [case for case in LAYOUTS if not case["other_negatives"]]


@pytest.mark.parametrize("case", PLAIN, ids=[case["name"] for case in PLAIN])
def test_columns_match_the_reference(tiny_tokenizer: Tokenizer, case: dict[str, Any]) -> None:
    rows, starts = case["ctx_rows"], [*case["is_positive"], len(case["ctx_rows"])]
    picks = [
        SampledExample(
            str(n),
            f"who is q{n}",
            Passage(rows[begin], "", rows[begin]),
            tuple(Passage(name, "", name) for name in rows[begin + 1 : end]),
        )
        for n, (begin, end) in enumerate(pairwise(starts))
    ]
    tokens = Tokens(tiny_tokenizer, RetrieverConfig())
    batch = lay_out(picks, tokens)
    assert list(batch.positives) == case["is_positive"]
    assert [tiny_tokenizer.decode(ids).replace(" ##", "") for ids in batch.passages] == rows
    assert batch.questions == tokens.questions([pick.question for pick in picks])
    assert batch.ids == tuple(str(n) for n in range(len(picks)))


def passage(text: str) -> Passage:
    return Passage(text, "", text)


def spool(*rows: tuple[str, list[str], list[str]]) -> ExampleSpool:
    """Examples of questions, texts of positives, and texts of hard negatives."""
    examples = [
        TrainingExample(Question(str(n), asked), tuple(map(passage, right)), tuple(map(passage, wrong)))
        for n, (asked, right, wrong) in enumerate(rows)
    ]
    return ExampleSpool(examples, Counter())


def equal_pairs(given: ExampleSpool, tokens: Tokens, hard: int = 1) -> list[list[int]]:
    """Return (row, column) of each passage that equals a positive of another question."""
    batch = lay_out(given.draw(range(len(given)), 0, hard, 0, 0, 0), tokens)
    parts = [
        lay_out(given.draw(range(len(given)), 0, hard, 0, 0, 0), tokens, range(n, n + 1)) for n in (0, 1)
    ]
    if batch.equal is None:
        assert [part.equal for part in parts] == [None, None]
        return []
    assert all(part.equal is not None and torch.equal(part.equal, batch.equal) for part in parts)
    assert batch.pairs_left_out(in_batch=True) == int(batch.equal.sum())
    return batch.equal.nonzero().tolist()


@pytest.fixture
def tokens(tiny_tokenizer: Tokenizer) -> Tokens:
    return Tokens(tiny_tokenizer, RetrieverConfig())


def test_a_batch_of_different_texts_has_no_equal_pairs(tokens: Tokens) -> None:
    assert equal_pairs(spool(("who", ["a king"], ["a sea"]), ("what", ["a film"], ["a sea"])), tokens) == []


def test_a_positive_of_two_questions_is_not_a_negative_of_either(tokens: Tokens) -> None:
    given = spool(("who", ["a king"], []), ("where", ["A  King."], []), ("when", ["a film"], []))
    assert equal_pairs(given, tokens) == [[0, 1], [1, 0]]


def test_a_positive_that_is_not_drawn_is_not_a_negative(tokens: Tokens) -> None:
    given = spool(("who", ["a king", "a sea"], []), ("where", ["a river"], ["the sea"]))
    assert equal_pairs(given, tokens) == [[0, 2]]


def test_a_question_asked_twice_has_the_positives_of_both(tokens: Tokens) -> None:
    given = spool(
        ("who was it?", ["a king"], ["a film"]),
        ("Who  was it", ["a river"], ["a song"]),
        ("when", ["a"], ["b"]),
    )
    assert equal_pairs(given, tokens) == [[0, 2], [1, 0]]
    crossed = spool(("who?", ["a king"], ["a film"]), ("who", ["a film"], []))
    assert equal_pairs(crossed, tokens) == [[0, 1], [0, 2], [1, 0], [1, 1]]


def test_without_in_batch_negatives_only_the_questions_own_are_counted(tokens: Tokens) -> None:
    given = spool(("who?", ["a king"], ["a film"]), ("who", ["a film"], []))
    batch = lay_out(given.draw(range(2), 0, 1, 0, 0, 0), tokens)
    assert batch.pairs_left_out(in_batch=True) == 4
    assert batch.pairs_left_out(in_batch=False) == 1


def test_similar_texts_are_not_equal(tokens: Tokens) -> None:
    given = spool(("who", ["an ant"], []), ("what", ["a hat"], []))  # the same letters but for a, t, h, e, n
    assert equal_pairs(given, tokens) == []
