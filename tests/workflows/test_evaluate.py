"""Measuring results: every form of them, what is wrong with them, and what comes out."""

import csv
import io
import json
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from densecli.errors import InputError, ThresholdError, UsageError
from densecli.evaluation.details import groups_of
from densecli.records import Passage, RankedList
from densecli.workflows.evaluate import Evaluation, evaluate, name_results
from densecli.workflows.evaluation_report import evaluation_report
from densecli.workflows.evaluation_tables import csv_table, latex_table, legend, markdown_table
from densecli.workflows.texts import Texts
from stores import write_store

QUESTIONS = [
    {"id": "q1", "question": "capital of France", "answers": ["Paris"]},
    {"id": "q2", "question": "capital of Peru", "answers": ["Lima"]},
    {"id": "q3", "question": "capital of Japan", "answers": ["Tokyo"]},
    {"id": "q4", "question": "capital of Chile", "answers": ["Santiago"]},
]
QRELS = "q1 0 p1 1\nq2 0 p2 2\nq3 0 p3 1\nq4 0 p4 1\n"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    lines("questions.jsonl", *QUESTIONS)
    Path("test.qrels").write_text(QRELS)
    return tmp_path


def lines(name: str, *rows: object) -> Path:
    texts = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    Path(name).write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    return Path(name)


def result(number: int, *texts: str, **more: Any) -> dict[str, Any]:
    ctxs = [
        {"id": f"p{place}", "title": "", "text": text, "score": 1 / place}
        for place, text in enumerate(texts, 1)
    ]
    return {**QUESTIONS[number - 1], "ctxs": ctxs, **more}


def measured(found: Evaluation) -> dict[str, float]:
    [summary] = found.measured.values()
    return summary.values()


# forms of results


@pytest.mark.parametrize(
    "run",
    [
        "q1 Q0 p1 1 9.0 x\nq1 Q0 p2 2 8.0 x\nq2 Q0 p1 1 5 x\nq2 Q0 p2 2 4 x\nq3 Q0 p9 1 1 x\n",
        "q1\tp1\t1\nq1\tp2\t2\nq2\tp1\t1\nq2\tp2\t2\nq3\tp9\t1\n",
        "q1\tp1\t9.0\nq1\tp2\t8.5\nq2\tp1\t5.5\nq2\tp2\t4.5\nq3\tp9\t1.5\n",
    ],
    ids=["trec", "msmarco", "tevatron"],
)
def test_qrels_judge_a_run_without_any_text(place: Path, run: str, observer: Any) -> None:
    Path("x.run").write_text(run)
    found = evaluate(Path("x.run"), qrels="test.qrels", measures=["RR@10", "R@1", "AP"], observer=observer)
    assert measured(found) == {"RR@10": pytest.approx(1.5 / 4), "R@1": 0.25, "AP": pytest.approx(1.5 / 4)}
    assert found.measured["x.run"].questions == 4
    assert observer.warnings == ["x.run: 1 judged question without result, which counts as a miss: 'q4'"]
    digests = {name: sha256(Path(name).read_bytes()).hexdigest() for name in ("x.run", "test.qrels")}
    assert found.inputs == {"x.run": {"path": "x.run", "sha256": digests["x.run"]}}
    assert found.reference["qrels"] == {"path": "test.qrels", "sha256": digests["test.qrels"]}


def test_results_with_texts_have_both_kinds_of_measures(place: Path) -> None:
    path = lines("x.jsonl", result(1, "Paris", "Rome"), result(2, "Rome", "Lima"), result(3, "Rome", "Oslo"))
    found = evaluate(path, qrels="test.qrels", texts=Texts("questions.jsonl"), top_k="1,2")
    assert measured(found) == {
        "top-1": 25.0,
        "top-2": 50.0,
        "nDCG@10": pytest.approx((1 + 0.6309) / 4, abs=1e-3),
        "RR@10": 0.375,
        "R@100": 0.5,
    }


def test_a_run_keeps_its_ids_for_the_qrels(place: Path) -> None:
    rows = [{**row, "id": str(number)} for number, row in enumerate(QUESTIONS, 1)]
    numbered = lines("numbered.jsonl", *rows)
    run = lines("a.jsonl", result(1, "Paris"), result(2, "Rome", "Lima"))
    found = evaluate(run, texts=Texts(str(numbered)), qrels="test.qrels", measures=["P@1"])
    # of the four questions of the qrels the first has its passage at rank 1
    assert (measured(found)["top-1"], measured(found)["P@1"]) == (25.0, 0.25)


def test_a_threshold_may_have_another_name_of_a_measure(place: Path) -> None:
    found = evaluate(lines("a.jsonl", result(1, "Paris")), qrels="test.qrels", measures=["MRR@10"])
    found.check_threshold("MRR@10=0.25,top1=0.1")
    with pytest.raises(ThresholdError, match=r"a.jsonl: RR@10 is 0\.2500, below 0\.3"):
        found.check_threshold("MRR@10=0.3")
    with pytest.raises(UsageError, match=r"RR@5: a.jsonl has top-1, RR@10"):
        found.check_threshold("MRR@5=0.3")


@pytest.mark.parametrize(
    ("asked", "qrels", "expected"),
    [
        ("nDCG@10=0.3", None, "top-K, EM, F1; others need `qrels` FILE"),
        ("top20=0.5,accuracy=0.3", None, "`fail_under` accuracy: is not measured"),
        ("MRR@5=0.3", "test.qrels", r"one of top-K, EM, F1, RR@10$"),
    ],
)
def test_a_threshold_of_what_is_not_measured_is_refused_before_any_work(
    place: Path, asked: str, qrels: str | None, expected: str
) -> None:
    def results() -> Iterator[RankedList]:
        raise AssertionError("the results are read")
        yield

    measures = ["MRR@10"] if qrels else []
    with pytest.raises(UsageError, match=expected):
        evaluate(results(), qrels=qrels, measures=measures, fail_under=asked)
    evaluate(
        lines("a.jsonl", result(1, "Paris")), qrels="test.qrels", measures=["MRR@10"],
        fail_under="MRR@10=0,rr@10=0,em=0,top-3=0",
    )  # fmt: skip


def test_a_run_without_any_judged_question_is_refused(place: Path) -> None:
    run = lines("a.jsonl", {**result(1, "Paris"), "id": "other"})
    with pytest.raises(InputError, match="a.jsonl: has none of the questions that the qrels judge"):
        evaluate(run, qrels="test.qrels")


def test_measures_without_qrels_and_unknown_ones_are_refused(place: Path) -> None:
    path = lines("x.jsonl", result(1, "Paris"))
    with pytest.raises(UsageError, match="`measure` nDCG@10 has an effect only with `qrels`"):
        evaluate(path, measures=["nDCG@10"])
    with pytest.raises(UsageError, match="`measure` 'foo' is not known"):
        evaluate(path, qrels="test.qrels", measures=["foo"])
    with pytest.raises(InputError, match=r"questions\.jsonl:1: holds|no relevance judgments"):
        evaluate(path, qrels="questions.jsonl")
    Path("two.qrels").write_text("q1 0 p1 1\nq1 0 p1 0\n")
    with pytest.raises(InputError, match="passage 'p1' has grades 1 and 0 for question 'q1'"):
        evaluate(path, qrels="two.qrels")


def test_a_run_without_texts_or_qrels_says_what_to_give(place: Path) -> None:
    Path("x.run").write_text("q1 Q0 p1 1 9.0 x\n")
    with pytest.raises(InputError, match="holds ids only"):
        evaluate(Path("x.run"))


# which questions count


def test_a_question_without_a_result_is_a_miss_and_is_named(place: Path, observer: Any) -> None:
    path = lines("x.jsonl", result(1, "Paris"), {**result(1, "Paris"), "id": "z", "question": "else"})
    found = evaluate(path, texts=Texts("questions.jsonl"), observer=observer)
    assert measured(found) == {"top-1": 25.0}
    assert observer.warnings == [
        "x.jsonl: 1 question not in the set, which is left out: 'z' (else)",
        "x.jsonl: 3 questions without result, which count as misses: 'q2' (capital of Peru), 'q3' (capital of"
        " Japan), 'q4' (capital of Chile)",
    ]


def test_a_missing_prediction_counts_as_wrong(place: Path) -> None:
    span = {"answer": "Paris", "alternatives": [], "start": 0, "end": 5, "span_score": 1, "passage_score": 1}
    path = lines("x.jsonl", {**result(1, "Paris"), **span}, {**result(2, "Lima"), **span, "answer": ""})
    found = evaluate(path, texts=Texts("questions.jsonl"))
    assert measured(found) == {"top-1": 50.0, "EM": 25.0, "F1": 25.0}


def test_a_duplicate_question_is_an_error(place: Path) -> None:
    path = lines("x.jsonl", result(1, "Paris"), result(2, "Lima"), result(1, "Rome"))
    for texts in (None, Texts("questions.jsonl")):
        with pytest.raises(
            InputError, match=r"^x\.jsonl: question 'q1' occurs twice \('capital of France'\)"
        ):
            evaluate(path, texts=texts)
    found = evaluate(path, on_error="skip")
    assert (found.measured["x.jsonl"].questions, measured(found)) == (2, {"top-1": 100.0})


# what may be wrong with hits and answers


def test_scores_may_be_strings_in_any_order(place: Path) -> None:
    row = result(1, "Rome", "Paris")
    row["ctxs"][0]["score"], row["ctxs"][1]["score"] = "1.5", "77"
    assert measured(evaluate(lines("x.jsonl", row), top_k="1,2")) == {"top-1": 0.0, "top-2": 100.0}


@pytest.mark.parametrize("score", ["NaN", "Infinity", '"nan"', "[]", "true", '"high"'])
def test_a_score_that_is_not_a_number_is_an_error_with_its_line(place: Path, score: str) -> None:
    good, bad = (json.dumps(result(number, "Paris")) for number in (1, 2))
    path = lines("x.jsonl", good, bad.replace('"score": 1.0', f'"score": {score}'))
    with pytest.raises(InputError, match=r"^x\.jsonl:2: "):
        evaluate(path)
    assert evaluate(path, on_error="skip").measured["x.jsonl"].questions == 1


def test_an_unknown_passage_is_named(place: Path) -> None:
    write_store(place / "store", [Passage("p1", "", "Paris"), Passage("p2", "", "Lima")])
    texts = Texts("questions.jsonl", place / "store")
    Path("x.run").write_text("q1 Q0 p1 1 9 x\nq2 Q0 p2 1 9 x\nq3 Q0 p1 1 9 x\n")
    assert measured(evaluate(Path("x.run"), texts=texts)) == {"top-1": 50.0}
    Path("y.run").write_text("q1 Q0 p1 1 9 x\nq2 Q0 p7 1 9 x\n")
    with pytest.raises(InputError, match="record 2: passage 'p7' is not in the passage store"):
        evaluate(Path("y.run"), texts=texts)
    found = evaluate(Path("y.run"), texts=texts, on_error="skip")
    assert measured(found) == {"top-1": 25.0}
    assert found.measured["y.run"].counts["skipped_unknown_id"] == 1


def test_fewer_passages_than_k_are_counted(place: Path) -> None:
    path = lines("x.jsonl", result(1, "Rome", "Paris"), result(2, "Lima"), {**QUESTIONS[2], "ctxs": []})
    found = evaluate(path, top_k="1,2,3")
    assert measured(found) == {"top-1": pytest.approx(100 / 3), "top-2": pytest.approx(200 / 3)}
    assert found.measured["x.jsonl"].counts["lists_shorter_than_3"] == 3


def test_answers_that_are_empty_or_broken_or_endless_never_match(place: Path) -> None:
    long = "a" * 60 + "b"
    path = lines(
        "x.jsonl",
        result(1, "Paris", answers=["", "  "]),
        result(2, "Lima", answers=["(Lima", "Li.a"], answer_type="regex"),
        result(3, long, answers=["(a|aa)+$"], answer_type="regex"),
        result(4, "Santiago", answers=[]),
    )
    found = evaluate(path)
    assert measured(found) == {"top-1": 25.0}
    counts = found.measured["x.jsonl"].counts
    assert {name: counts[name] for name in counts if name not in ("questions", "lists_shorter_than_5")} == {
        "questions_without_answer": 2,
        "empty_answers_dropped": 2,
        "invalid_patterns": 1,
        "patterns_timed_out": 1,
        "lists_shorter_than_20": 4,
        "lists_shorter_than_100": 4,
    }
    assert found.answer_type == "regex and string"


def test_answers_in_other_scripts_are_matched(place: Path) -> None:
    path = lines(
        "x.jsonl",
        result(1, "首都 北京 。", answers=["北京"]),
        result(2, "Москва — столица", answers=["МОСКВА"]),
        result(3, "서울은 수도", answers=["서울"]),
        result(4, "القاهرة عاصمة مصر", answers=["القاهرة"]),
    )
    assert measured(evaluate(path)) == {"top-1": 75.0}  # 서울은 is one token, as for the reference


def test_a_text_emptied_by_truncation_has_no_answer(place: Path) -> None:
    assert measured(evaluate(lines("x.jsonl", result(1, "", "Paris")), top_k="1,2")) == {
        "top-1": 0.0,
        "top-2": 100.0,
    }


# several results


@pytest.fixture
def compared(place: Path) -> Evaluation:
    cities = [("France", "Paris"), ("Peru", "Lima"), ("Japan", "Tokyo"), ("Chile", "Santiago")]
    asked = [
        {"id": str(n), "question": f"capital of {cities[n % 4][0]} {n}", "answers": [cities[n % 4][1]]}
        for n in range(60)
    ]
    for name, right in (("weak", 20), ("good", 50)):
        rows = [
            {**one, "ctxs": [{"id": "p", "text": one["answers"][0] if n < right else "no", "score": 1}]}  # type: ignore[index]
            for n, one in enumerate(asked)
        ]
        lines(f"{name}.jsonl", *(rows if name == "weak" else reversed(rows)))
    sources = {"weak & co": Path("weak.jsonl"), "good_1|x": Path("good.jsonl")}
    return evaluate(sources, top_k="1", resamples=2000)


def test_results_are_compared_with_the_first(compared: Evaluation) -> None:
    [one] = compared.comparisons
    assert (one.run, one.baseline, one.measure, one.questions) == ("good_1|x", "weak & co", "top-1", 60)
    assert (one.difference, one.p, one.significant) == (50.0, pytest.approx(1 / 2001), True)
    low, high = compared.measured["weak & co"].intervals["top-1"]
    assert 20 < low < 100 / 3 < high < 47
    assert compared.curves == {"weak & co": [pytest.approx(100 / 3)], "good_1|x": [pytest.approx(250 / 3)]}


def test_results_for_other_questions_are_not_compared(place: Path, observer: Any) -> None:
    sources = {
        "one": lines("a.jsonl", result(1, "Paris"), result(2, "Lima")),
        "two": lines("b.jsonl", result(1, "Paris"), result(3, "Tokyo")),
    }
    assert not evaluate(sources, observer=observer).comparisons
    assert observer.warnings == [
        "two and one are not compared, because their questions differ: `questions` FILE says which questions"
        " count"
    ]
    found = evaluate(sources, texts=Texts("questions.jsonl"), observer=observer)
    assert [(one.measure, one.difference, one.p) for one in found.comparisons] == [("top-1", 0.0, 1.0)]


def test_a_table_is_written_in_every_format(compared: Evaluation) -> None:
    assert "Holm's correction for 1 comparisons" in legend(compared, 2000)

    rows = list(csv.DictReader(io.StringIO(csv_table(compared))))
    assert [(row["results"], row["value"], row["difference"]) for row in rows] == [
        ("weak & co", "33.3333", ""),
        ("good_1|x", "83.3333", "50.0"),
    ]
    assert float(rows[1]["low"]) < 83 < float(rows[1]["high"])

    table = markdown_table(compared, 2000).splitlines()
    assert table[:2] == ["| results | questions | top-1 |", "| :-- | --: | --: |"]
    assert table[3].startswith(r"| good_1\|x | 60 | 83.3\* (")
    latex = latex_table(compared)
    assert r"weak \& co & 60 & 33.3 \\" in latex
    assert r"good\_1|x & 60 & 83.3$^{*}$ \\" in latex
    assert latex.count("{") == latex.count("}")


# the report


def test_a_report_shows_what_each_run_found(place: Path) -> None:
    asked = {"id": "q5", "question": "how many \U0001f40d are in Peru", "answers": ["two snakes"]}
    snake = {
        "id": "s",
        "title": "Snakes",
        "text": "\U0001f40d Peru has two snakes. Two snakes!",
        "score": "2",
    }
    span = {"answer": "Rome", "alternatives": [], "start": 0, "end": 4, "span_score": 1, "passage_score": 1}
    sources = {
        "one": lines("a.jsonl", result(1, "Rome", "Rome", "Oslo", "Paris"), {**asked, "ctxs": []}),
        "two": lines("b.jsonl", {**result(1, "Rome"), **span}, {**asked, **span, "ctxs": [snake]}),
    }
    found = evaluate(sources, details=True)
    assert found.details is not None
    first, second = found.details.questions.values()
    assert (first.word, first.length, first.overlap, first.ranks) == ("other", "1", 0.0, {"one": 4, "two": 0})
    assert [passage["rank"] for passage in first.passages["one"]] == [1, 2, 3, 4]
    assert first.passages["one"][-1]["parts"] == ["", "Paris", ""]
    assert (second.word, second.length, second.overlap) == ("how many", "2", 1.0)
    assert second.passages["two"][0]["parts"] == [
        "\U0001f40d Peru has ",
        "two snakes",
        ". ",
        "Two snakes",
        "!",
    ]
    assert (second.exact, second.read) == ({"two": False}, {"two": "Rome"})
    groups = groups_of(found.details.questions.values())
    assert {kind: {name: len(group) for name, group in kinds.items()} for kind, kinds in groups.items()} == {
        "question word": {"how many": 1, "other": 1},
        "words of the shortest answer": {"1": 1, "2": 1},
        "words of the question in the passage with the answer": {"under 25 %": 1, "75 % and more": 1},
    }
    page = evaluation_report(found)
    assert "<td>one</td>" in page
    assert "By question word" in page
    data = json.loads(page.partition('id="data">')[2].partition("</script>")[0])
    assert data["runs"] == ["one", "two"]
    assert data["questions"][1]["passages"]["two"][0]["title"] == "Snakes"


def test_a_report_uses_the_text_from_the_run_that_has_it(place: Path) -> None:
    bare = result(1, "", "")
    bare["ctxs"] = [
        {"id": "p2", "score": 9, "has_answer": True},
        {"id": "p7", "score": 8, "has_answer": False},
    ]
    sources = {"texts": lines("a.jsonl", result(1, "Rome", "in Paris")), "bare": lines("b.jsonl", bare)}
    page = evaluation_report(evaluate(sources, details=True))
    data = json.loads(page.partition('id="data">')[2].partition("</script>")[0])
    first, second = data["questions"][0]["passages"]["bare"]
    assert (first["rank"], first["score"], first["parts"]) == (1, 9, ["in ", "Paris", ""])
    assert second["parts"] == [""]


def test_groups_of_a_report_add_up_to_the_whole(place: Path) -> None:
    span = {"answer": "Paris", "alternatives": [], "start": 0, "end": 5, "span_score": 1, "passage_score": 1}
    bare = {"ctxs": [{"id": "p1", "score": 9, "has_answer": True}]}
    read = lines("read.jsonl", {**QUESTIONS[0], **bare, **span}, {**QUESTIONS[1], **bare, **span})
    found = evaluate(read, texts=Texts(str(place / "questions.jsonl")), details=True)
    assert measured(found)["EM"] == 25.0
    assert found.details is not None
    groups = groups_of(found.details.questions.values())
    assert list(groups["words of the question in the passage with the answer"]) == [
        "found, but the results have no text",
        "no answer found",
    ]
    page = evaluation_report(found)
    # all four questions are of one kind, and two of them were not read
    row = page.partition("By question word")[2].partition("<tbody>")[2].partition("</tr>")[0]
    assert re.findall(r">(\d[\d.]*)", row)[0] == "4"
    assert ">25.0" in row


def test_a_large_report_keeps_the_texts_of_questions_on_which_runs_differ(
    compared: Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("densecli.evaluation.details.MOST_TEXTS", 30)
    found = evaluate({"a": Path("weak.jsonl"), "b": Path("good.jsonl")}, details=True, top_k="1")
    page = evaluation_report(found)
    rows = json.loads(page.partition('id="data">')[2].partition("</script>")[0])["questions"]
    assert len(rows) == 60
    assert [row["id"] for row in rows if "passages" in row] == [str(n) for n in range(20, 50)]


def test_a_report_of_qrels_alone_has_tables(place: Path) -> None:
    Path("x.run").write_text("q1 Q0 p1 1 9.0 x\n")
    page = evaluation_report(evaluate(Path("x.run"), qrels="test.qrels", details=True))
    assert "nDCG@10" in page
    assert "<script" not in page


def test_results_with_and_without_texts_are_compared(place: Path) -> None:
    write_store(place / "store", [Passage("p1", "", "Paris"), Passage("p2", "", "Rome")])
    ours = lines("ours.jsonl", result(1, "Paris"), result(2, "Lima"), result(3, "no"), result(4, "no"))
    run = lines("other.run", "q1 Q0 p2 1 2.0 x", "q1 Q0 p1 2 1.0 x")
    texts = Texts("questions.jsonl", place / "store")
    found = evaluate({"ours": ours, "other": run}, texts=texts, top_k="1,2")
    assert found.measured["ours"].top_k[1] == 50
    assert found.measured["other"].top_k == {1: 0, 2: 25}


def test_names_of_rows_are_told_from_paths_and_urls(place: Path) -> None:
    run = str(lines("found.jsonl"))
    assert name_results([f"BAAI/bge-small={run}"]) == {"BAAI/bge-small": Path(run)}
    url = "https://example.org/run.trec?download=1"
    assert name_results([url, "runs/k=20.jsonl", "a=b.run", "b=http://x/y=1"]) == {
        url: Path(url), "runs/k=20.jsonl": Path("runs/k=20.jsonl"), "a": Path("b.run"),
        "b": Path("http://x/y=1"),
    }  # fmt: skip
    with pytest.raises(UsageError, match="named twice"):
        name_results(["a=-", "-"])
