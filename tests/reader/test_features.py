"""Inputs of the reader: their order, their cut, and the way back to characters."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from densecli.models.tokens import Tokens
from densecli.reader.features import answer_spans, build_features
from densecli.records import Passage

CURIE = Passage("1", "Marie Curie", "Marie Curie was a Physicist, born in WARSAW.")


def build(tokens: Tokens, passage: Passage = CURIE, question: str = "Who is he?", max_tokens: int = 350):
    return build_features(tokens, max_tokens, question, [passage])[0]


def names(golden: dict[str, Any], ids: list[int]) -> str:
    return " ".join(golden["tiny_vocab"][i] for i in ids)


def test_an_input_is_question_title_text_without_a_final_sep(golden, golden_tokens):
    found = build(golden_tokens)
    assert names(golden, found.ids) == (
        "[CLS] who is he ? [SEP] marie cu ##rie [SEP] marie cu ##rie was a physic ##ist , born in war ##saw ."
    )
    assert found.offset == 10


def test_inputs_match_the_reference(golden, golden_tokens):
    source = golden["preprocess_input"][0]
    for ctx, sample in zip(source["ctxs"], golden["preprocess"][2]["samples"][0]["passages"], strict=True):
        passage = Passage(ctx["id"], ctx["title"], ctx["text"])
        found = build(golden_tokens, passage, source["question"])
        assert found.ids == sample["sequence_ids"]
        assert found.offset == sample["passage_offset"]


def test_truncated_inputs_match_the_reference(golden, golden_tokens):
    source = golden["preprocess_input"][0]
    batch = golden["batch"]["eval"]
    passages = [Passage(ctx["id"], ctx["title"], ctx["text"]) for ctx in source["ctxs"]]
    found = build_features(golden_tokens, batch["max_length"], source["question"], passages)
    for one, row in zip(found[:3], batch["input_ids"][0], strict=True):
        assert one.ids == row[: len(one.ids)]
        assert not any(row[len(one.ids) :])


def test_an_empty_title_still_has_two_seps(golden, golden_tokens):
    found = build(golden_tokens, Passage("1", "", "paris"))
    assert names(golden, found.ids) == "[CLS] who is he ? [SEP] [SEP] paris"


def test_an_empty_text_has_no_pieces(golden, golden_tokens):
    found = build(golden_tokens, Passage("1", "Paris", " "))
    assert names(golden, found.ids) == "[CLS] who is he ? [SEP] paris [SEP]"
    assert len(found.pieces) == len(found.words) == 0
    assert answer_spans(found, [(0, 1)], 10) == []


def test_a_typographic_apostrophe_in_a_question_is_straightened(golden_tokens):
    assert build(golden_tokens, question="he’s").ids == build(golden_tokens, question="he's").ids


def test_a_long_title_is_cut_first_and_half_of_the_input_is_left_for_the_passage(golden, golden_tokens):
    passage = Passage("1", "new york city of paris", "he was born in " * 9)
    found = build(golden_tokens, passage, max_tokens=16)
    assert names(golden, found.ids) == "[CLS] who is he ? [SEP] new york city [SEP] he was born in he was"
    found = build(golden_tokens, passage, "who is he " * 20, max_tokens=16)
    assert names(golden, found.ids) == ("[CLS] who is he who is he who [SEP] [SEP] he was born in he was")


def test_a_short_passage_leaves_more_tokens_for_the_question(golden, golden_tokens):
    found = build(golden_tokens, Passage("1", "", "paris"), "who is he " * 20, max_tokens=16)
    assert names(golden, found.ids) == "[CLS] who is he who is he who is he who is he [SEP] [SEP] paris"


def test_pieces_and_words_point_into_the_original_text(golden_tokens):
    found = build(golden_tokens, Passage("1", "", "  Pierre  CURIE,\n born"))
    text = "  Pierre  CURIE,\n born"
    assert [text[a:b] for a, b in found.pieces] == ["Pierre", "CU", "RIE", ",", "born"]
    assert [text[a:b] for a, b in found.words] == ["Pierre", "CURIE", "CURIE", ",", "born"]


def test_a_word_cut_in_the_middle_keeps_its_full_offset(golden_tokens):
    found = build(golden_tokens, max_tokens=21)
    assert CURIE.text[slice(*found.pieces[-1])] == "WAR"
    assert CURIE.text[slice(*found.words[-1])] == "WARSAW"


def test_answer_spans_match_the_reference_in_text_order(golden, golden_tokens):
    source = golden["preprocess_input"][0]["ctxs"][0]
    sample = golden["preprocess"][0]["samples"][0]["positive"][0]
    text = source["text"]
    places = [(text.index("warsaw"), text.index("warsaw") + 6)]
    places += [(0, 11), (text.rindex("marie"), text.rindex("marie") + 11)]
    found = build(golden_tokens, Passage("wiki:1", source["title"], text), "who is he ?")
    assert answer_spans(found, places, 10) == sorted(tuple(span) for span in sample["answers_spans"])
    assert answer_spans(found, places, 2) == [(10, 12), (19, 20)]


def test_spans_are_unique_and_never_truncated(golden_tokens):
    warsaw = (CURIE.text.index("WARSAW"), CURIE.text.index("WARSAW") + 6)
    assert answer_spans(build(golden_tokens), [warsaw, warsaw], 10) == [(20, 21)]
    assert answer_spans(build(golden_tokens, max_tokens=22), [warsaw], 10) == [(20, 21)]
    assert answer_spans(build(golden_tokens, max_tokens=21), [warsaw], 10) == []
    assert answer_spans(build(golden_tokens, max_tokens=20), [warsaw], 10) == []


def test_an_answer_inside_a_piece_covers_the_piece(golden_tokens):
    start = CURIE.text.index("WARSAW") + 1
    assert answer_spans(build(golden_tokens), [(start, start + 4)], 10) == [(20, 21)]


@given(
    st.text(alphabet="abe é.,'-\u0301\u200b\n’ßﬁ北京 ", max_size=60),
    st.text(alphabet="who is he? ", max_size=60),
    st.integers(16, 40),
)
def test_inputs_are_never_too_long_and_offsets_are_in_the_text(golden_tokens, text, question, max_tokens):
    found = build(golden_tokens, Passage("1", "Paris", text), question, max_tokens)
    assert len(found.ids) <= max_tokens
    assert len(found.pieces) == len(found.words) == len(found.ids) - found.offset
    assert np.all(found.words[:, 0] <= found.pieces[:, 0])
    assert np.all(found.words[:, 1] >= found.pieces[:, 1])
    assert np.all(np.diff(found.words[:, 0]) >= 0)
    assert np.all(found.words <= len(text))
    if len(golden_tokens.tokenizer.encode(text, add_special_tokens=False)):
        assert len(found.pieces)
