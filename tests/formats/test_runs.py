import pytest

from densecli.errors import FieldError, InputError
from densecli.formats import qrels, runs
from densecli.formats.documents import open_document
from densecli.formats.qrels import Judgment
from densecli.records import Passage, Question, RankedList, ScoredPassage

ENTRIES = {"trec": runs.trec_entry, "tevatron": runs.tevatron_entry, "msmarco": runs.msmarco_entry}


def read(folder, text, form="trec"):
    path = folder / "x.run"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with open_document(str(path)) as document:
        if form == "qrels":
            return list(qrels.read_qrels(document))
        found = list(runs.read_run(document, ENTRIES[form], by_rank=form == "msmarco"))
    return [(one.question.id, [(ctx.passage.id, ctx.score) for ctx in one.ctxs]) for one in found]


def test_runs_are_sorted_by_score_and_not_by_rank(tmp_path):
    """BEIR writes rank 0 everywhere, and in no order."""
    text = "q1 Q0 a 0 0.5 t\nq1 Q0 b 0 2 t\r\nq1 Q0 c 0 -1e-3 t\nq1\tQ0\td\t0\t2.0\tt\n\nq2 Q0 a 0 1 my tag\n"
    with pytest.raises(InputError, match=r":6: another number of columns \(7\); expected 6 as"):
        read(tmp_path, text)
    assert read(tmp_path, text.replace("my tag", "tag")) == [
        ("q1", [("b", 2.0), ("d", 2.0), ("a", 0.5), ("c", -0.001)]),
        ("q2", [("a", 1.0)]),
    ]


def test_tabs_separate_columns_that_contain_spaces(tmp_path):
    assert read(tmp_path, "q 1\tmy notes.md#0\t3\n", "msmarco") == [("q 1", [("my notes.md#0", 1 / 3)])]
    assert read(tmp_path, "q 1\tmy notes.md#0\t3\n", "tevatron") == [("q 1", [("my notes.md#0", 3.0)])]


def test_a_run_is_sorted_by_rank(tmp_path):
    assert read(tmp_path, "q\tb\t2\nq\ta\t1\n", "msmarco") == [("q", [("a", 1.0), ("b", 0.5)])]


@pytest.mark.parametrize(
    ("text", "form", "told"),
    [
        ("q Q0 a 1 high t\n", "trec", ":1: 'score' is 'high'; expected a number"),
        ("q Q0 a 1 nan t\n", "trec", ":1: 'score' is 'nan'"),
        ("q Q0 a 1 1e999 t\n", "trec", ":1: 'score' is '1e999'"),
        ("q Q0 a one 1 t\n", "trec", ":1: rank 'one'; expected a whole number"),
        (f"q Q0 a {'9' * 5000} 1 t\n", "trec", ":1: rank '999"),
        (
            "q Q0 a 1 1 t\nq Q0 a 2 1 t\n",
            "trec",
            ":2: passage 'a' again for question 'q'; expected each once",
        ),
        (
            "q Q0 a 1 1 t\nr Q0 a 1 1 t\nq Q0 b 2 1 t\n",
            "trec",
            ":3: question 'q' again, after others; expected a run",
        ),
        ("q Q0 a 1 1 t\nq Q0 b 2\n", "trec", ":2: another number of columns (4); expected 6"),
        (b"q Q0 a 1 1 t\nq Q0 \xff 2 1 t\n", "trec", ":2: not UTF-8"),
        (b"q Q0 a 1 1 t\nq Q0 a\0 2 1 t\n", "trec", ":2: 'line' holds a NUL"),
        ("q\ta\t0\n", "msmarco", ":1: rank '0'; expected ranks from 1"),
        ("q\ta\t-1\n", "msmarco", ":1: rank '-1'"),
        ("q\ta\t1\nq\tb\t1\n", "msmarco", ":2: rank 1 again for question 'q'; expected each rank once"),
        ("q\t\t1\n", "msmarco", ":1: an empty column"),
        ("q\ta\t1\nq\ta b\t\t2\n", "msmarco", ":2: another number of columns (4)"),
        ("q 0 a 1\nq 0 a x\n", "qrels", ":2: grade 'x'; expected a whole number"),
        ("q 0 a 1\nq 0 a ²\n", "qrels", ":2: grade '²'"),
        ("query-id\tcorpus-id\tscore\nq\ta\n", "qrels", ":2: another number of columns (2); expected 3"),
    ],
)
def test_an_invalid_line_is_refused(tmp_path, text, form, told):
    with pytest.raises(InputError) as error:
        read(tmp_path, text, form)
    assert told in str(error.value)


def test_judgments_are_read(tmp_path):
    expected = [Judgment("q", "a", 2), Judgment("q", "b", -1)]
    assert read(tmp_path, "q 0 a 2\nq Q0 b -1\n", "qrels") == expected
    assert read(tmp_path, "\ufeffquery-id\tcorpus-id\tscore\r\nq\ta\t2\r\nq\tb\t-1\r\n", "qrels") == expected


@pytest.mark.parametrize("bad", ["", " ", "a b", "a\tb", "a\n", "\u2028", "\u00a0a"])
def test_an_empty_id_or_an_id_with_spaces_is_refused(bad):
    ranked = RankedList(Question("q", "who"), (ScoredPassage(Passage(bad, "", ""), 1.0),))
    for record, write in (
        (ranked, runs.write_trec),
        (RankedList(Question(bad, "who"), ranked.ctxs[:1]), runs.write_trec),
        (Judgment(bad, "a", 1), qrels.write_trec),
        (Judgment("a", bad, 1), qrels.write_trec),
    ):
        with pytest.raises(FieldError, match="is empty or holds a space; expected ids without spaces"):
            list(write([record]))


@pytest.mark.parametrize("bad", ["", " a", "a ", "a\tb", "a\n", "\r"])
def test_an_empty_id_or_an_id_with_tabs_is_refused(bad):
    ranked = RankedList(Question("q", "who"), (ScoredPassage(Passage(bad, "", ""), 1.0),))
    for record, write in (
        (ranked, runs.write_tevatron),
        (ranked, runs.write_msmarco),
        (Judgment(bad, "a", 1), qrels.write_beir),
    ):
        with pytest.raises(FieldError, match="is empty, has spaces around it, or holds a tab"):
            list(write([record]))


def test_a_reranked_list_keeps_its_order(tmp_path):
    """The scores are the first search's, and the order another program's."""
    passages = [ScoredPassage(Passage(name, "", "x"), score) for name, score in (("b", 1.0), ("a", 9.0))]
    ranked = RankedList(Question("q", "who"), tuple(passages))
    for form, to_bytes in (
        ("trec", runs.write_trec),
        ("tevatron", runs.write_tevatron),
        ("msmarco", runs.write_msmarco),
    ):
        found = read(tmp_path, b"".join(to_bytes([ranked])).decode(), form)
        assert [[passage for passage, _ in hits] for _, hits in found] == [["b", "a"]]
