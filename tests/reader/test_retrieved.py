"""Which passages of a search result are read."""

import pytest

from densecli.errors import InputError
from densecli.reader.retrieved import retrieved_passages
from densecli.records import RankedList

ROW = {
    "question": "who?",
    "ctxs": [{"id": "1", "text": "", "score": 2}, {"id": "2", "text": "b", "score": 1}],
}


def test_the_first_passages_are_taken_in_order():
    ranked = RankedList.from_json(ROW)
    assert [passage.id for passage in retrieved_passages(ranked, 5)] == ["1", "2"]
    assert retrieved_passages(RankedList.from_json({**ROW, "ctxs": []}), 5) == []


def test_passages_without_any_text_are_an_error_that_names_the_question():
    textless = RankedList.from_json({**ROW, "ctxs": [{"id": "1", "score": 2}]})
    with pytest.raises(InputError, match=r"question 'who\?'.*without `text=False`"):
        retrieved_passages(textless, 5)
