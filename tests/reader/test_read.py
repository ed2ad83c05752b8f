"""Ranked lists to predictions."""

from collections import Counter
from pathlib import Path

import pytest

from densecli.configs.asking import ReadConfig
from densecli.errors import InputError
from densecli.reader.engines import open_reader
from densecli.reader.read import read
from densecli.reader.runtime import Reader
from densecli.reader.selection import Selection
from densecli.reader.torch_folder import open_reader_base, save_reader
from densecli.records import Passage, Prediction, Question, RankedList, ScoredPassage

PASSAGES = (
    ScoredPassage(Passage("1", "Sea", "the song of the sea"), 3.0),
    ScoredPassage(Passage("2", "City", "a king was born in the city"), 2.0, has_answer=False),
    ScoredPassage(Passage("3", "River", "the river and the king"), 1.0),
)
ASKED = Question("q1", "who was born in the city?", ("King",))


@pytest.fixture(scope="module")
def reader(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    folder = tmp_path_factory.mktemp("models") / "reader"
    save_reader(open_reader_base(str(tiny_base), 64, 4, seed=3), folder)
    return open_reader(folder)


def predict(reader: Reader, *ranked: RankedList, **options: int) -> tuple[list[Prediction], Counter[str]]:
    counts: Counter[str] = Counter()
    return list(read(ranked, reader, ReadConfig(**options), counts)), counts


def test_each_list_gets_one_prediction_in_order(reader):
    lists = [RankedList(Question(name, ASKED.question), PASSAGES) for name in ("b", "a", "c")]
    found, counts = predict(reader, *lists, alternatives=2)
    assert [one.ranked.question.id for one in found] == ["b", "a", "c"]
    texts = {ctx.passage.id: ctx.passage.text for ctx in PASSAGES}
    for one in found:
        assert len(one.spans) == 3
        assert one.answer == one.spans[0].text
        assert all(texts[span.passage_id][span.start : span.end] == span.text for span in one.spans)
    assert +counts == {"questions": 3, "passages": 9}


def test_a_new_order_counts_and_not_the_scores_of_the_search(reader):
    selection = Selection("joint", 0.0, 0.0, 1.0)  # by retrieval alone
    reranked = (PASSAGES[2], PASSAGES[0], PASSAGES[1])
    (one,) = read([RankedList(ASKED, reranked)], reader, ReadConfig(), Counter(), selection=selection)
    assert one.spans[0].passage_id == "3"


def test_only_the_first_passages_are_read_and_all_are_kept(reader):
    (one,), counts = predict(reader, RankedList(ASKED, PASSAGES), depth=1, alternatives=9)
    assert {span.passage_id for span in one.spans} == {"1"}
    assert len(one.ranked.ctxs) == 3
    assert counts["passages"] == 1


def test_missing_has_answer_is_filled_in_when_answers_are_known(reader):
    (one,), counts = predict(reader, RankedList(ASKED, PASSAGES))
    assert [ctx.has_answer for ctx in one.ranked.ctxs] == [False, False, True]
    (other,), _ = predict(reader, RankedList(Question("q2", "who?"), PASSAGES))
    assert [ctx.has_answer for ctx in other.ranked.ctxs] == [None, False, None]
    empty = Question("q3", "who?", ("king", " "))
    _, counts = predict(reader, RankedList(empty, PASSAGES))
    assert counts["empty_answers_dropped"] == 1


def test_a_question_without_text_gets_an_empty_prediction_and_is_counted(reader):
    found, counts = predict(
        reader,
        RankedList(ASKED, ()),
        RankedList(ASKED, (ScoredPassage(Passage("1", "Sea", "\u200b"), 1.0),)),
    )
    assert [one.spans for one in found] == [(), ()]
    assert [one.answer for one in found] == ["", ""]
    assert (counts["without_passages"], counts["without_answer"]) == (1, 1)


def test_results_without_text_name_the_cause(reader):
    textless = RankedList(ASKED, (ScoredPassage(Passage("1", "", ""), 1.0),))
    with pytest.raises(InputError, match="`text=False`"):
        predict(reader, textless)


def test_a_prediction_survives_its_json_form_without_text(reader):
    (one,), _ = predict(reader, RankedList(ASKED, PASSAGES))
    again = Prediction.from_json(one.to_json(with_text=False))
    assert again.spans == one.spans
    assert [ctx.has_answer for ctx in again.ranked.ctxs] == [False, False, True]


def test_passages_that_are_too_long_are_counted(reader):
    long = ScoredPassage(Passage("4", "", "the river is a sea " * 60), 0.5)
    _, counts = predict(reader, RankedList(ASKED, (PASSAGES[0], long, long)))
    assert (counts["passages"], counts["passages_cut"]) == (3, 2)
