"""Round trips: records of each kind, written in each form, read again."""

import io
import json
from collections import Counter
from dataclasses import replace
from itertools import chain, count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from densecli.artifacts.passages.store import PassageStore, write_passages
from densecli.errors import FieldError, UsageError
from densecli.formats.beir_folder import write_folder
from densecli.formats.convert import TARGETS, convert, find_target
from densecli.formats.lookup import Lookup
from densecli.formats.qrels import Judgment
from densecli.formats.read_any import open_lookup, open_records
from densecli.formats.read_results import read_results
from densecli.records import (
    Context,
    Passage,
    Prediction,
    Question,
    RankedList,
    ScoredPassage,
    Span,
    TrainingExample,
)
from made_records import ASKED, EXAMPLES, IDS, JUDGEMENTS, PASSAGES, PREDICTIONS, QUESTIONS, RANKED
from stores import write_store

NUMBERS = count()


def converted(records, kind, to, take=None, lookup=None, counts=None):
    taken, target = find_target(kind, to, take)
    counts = Counter() if counts is None else counts
    return convert(records, kind, taken, target, lookup or Lookup(), counts), target


def write(folder, records, kind, to, ending="jsonl", **more):
    """Write records into a file of their own."""
    rows, target = converted(records, kind, to, **more)
    path = folder / f"{next(NUMBERS)}.{ending}"
    with open(path, "wb") as stream:
        target.write(rows, stream)
    return str(path)


def read(path, form=None):
    with open_records(path, form) as (records, kind):
        return list(records), kind


def lists(of, unique=None):
    return st.lists(of, min_size=1, max_size=4, unique_by=unique)


def one_text_each(records):
    """Whether passages of one id have one text: forms that know them by their ids take no others."""
    found = [
        record.passages if isinstance(record, TrainingExample) else [ctx.passage for ctx in record.ctxs]
        for record in records
    ]
    passages = list(chain.from_iterable(found))
    return len({one.id for one in passages}) == len({(one.id, one.text) for one in passages})


def sorted_lists(of):
    """Ranked lists as a search gives them: best first, each passage once, none of them empty."""

    def best_first(ranked):
        once = {ctx.passage.id: ctx for ctx in ranked.ctxs}
        return replace(ranked, ctxs=tuple(sorted(once.values(), key=lambda ctx: -ctx.score)))

    full = of.map(best_first).filter(lambda ranked: ranked.ctxs)
    several = st.lists(full, min_size=1, max_size=4, unique_by=lambda ranked: ranked.question.id)
    return several.filter(one_text_each)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("forms")


FEW = settings(max_examples=40, deadline=None)


@FEW
@given(records=lists(QUESTIONS, unique=lambda one: one.id))
def test_questions_survive_a_round_trip(folder, records):
    assert read(write(folder, records, "questions", "jsonl")) == (records, "questions")
    table, kind = read(write(folder, records, "questions", "dpr", "qa.csv"))
    assert kind == "questions"
    assert [(one.question, one.answers) for one in table] == [(one.question, one.answers) for one in records]
    assert read(write(folder, records, "questions", "beir")) == (records, "questions")


@FEW
@given(records=lists(EXAMPLES))
def test_examples_survive_a_round_trip(folder, records):
    for to in ("jsonl", "dpr"):
        assert read(write(folder, records, "examples", to)) == (records, "examples")
    counts = Counter()
    path = write(folder, records, "examples", "tevatron", counts=counts)
    assert read(path)[0] == [replace(one, negatives=(), dataset="") for one in records]
    assert counts["random_negatives_left_out"] == sum(len(one.negatives) for one in records)


@FEW
@given(records=lists(EXAMPLES))
def test_examples_with_texts_only_survive_a_round_trip(folder, records):
    def joined(passages):
        return [(one.id, f"{one.title} {one.text}" if one.title else one.text) for one in passages]

    texts, _ = read(write(folder, records, "examples", "flag-embedding"))
    assert [one.question.question for one in texts] == [one.question.question for one in records]
    for one, other in zip(texts, records, strict=True):
        assert [(passage.id, passage.text) for passage in one.positives] == joined(other.positives)
        assert [(passage.id, passage.text) for passage in one.hard_negatives] == joined(other.hard_negatives)


@FEW
@given(records=lists(EXAMPLES).filter(one_text_each))
def test_examples_with_ids_only_survive_a_round_trip(folder, records):
    def bare(passages):
        return tuple(Passage(one.id, "", "") for one in passages)

    found, _ = read(write(folder, records, "examples", "tevatron-ids"))
    assert found == [
        TrainingExample(one.question, bare(one.positives), bare(one.hard_negatives)) for one in records
    ]


@FEW
@given(records=lists(RANKED))
def test_results_survive_a_round_trip(folder, records):
    for to in ("jsonl", "dpr"):
        assert read(write(folder, records, "results", to)) == (records, "results")


@FEW
@given(records=sorted_lists(RANKED))
def test_runs_survive_a_round_trip(folder, records):
    """Scores come back to the last bit, and the order with them."""
    for to in ("trec", "tevatron"):
        found, kind = read(write(folder, records, "results", to), to)
        assert kind == "results"
        assert [one.question.id for one in found] == [one.question.id for one in records]
        for one, other in zip(found, records, strict=True):
            told = [(ctx.passage.id, ctx.score) for ctx in other.ctxs]
            assert [(ctx.passage.id, ctx.score) for ctx in one.ctxs] == told
    found, _ = read(write(folder, records, "results", "msmarco"))
    ranks = [[ctx.passage.id for ctx in one.ctxs] for one in records]
    assert [[ctx.passage.id for ctx in one.ctxs] for one in found] == ranks


@FEW
@given(records=lists(PREDICTIONS))
def test_predictions_survive_a_round_trip(folder, records):
    assert read(write(folder, records, "predictions", "jsonl")) == (records, "predictions")
    found, kind = read(write(folder, records, "predictions", "dpr"))
    assert kind == "predictions"
    for one, other in zip(found, records, strict=True):
        assert one.ranked.question == other.ranked.question
        assert one.answer == other.answer
        if other.spans:
            best = other.spans[0]
            told = (one.spans[0].span_score, one.spans[0].passage_score)
            assert told == (best.span_score, best.passage_score)


@FEW
@given(records=lists(JUDGEMENTS))
def test_judgments_survive_a_round_trip(folder, records):
    for to in ("trec", "beir"):
        assert read(write(folder, records, "qrels", to, "tsv")) == (records, "qrels")


@FEW
@given(
    asked=st.lists(st.tuples(IDS, ASKED), min_size=1, max_size=3, unique_by=lambda pair: pair[0]),
    passages=st.lists(PASSAGES, min_size=2, max_size=5, unique_by=lambda one: one.id),
    data=st.data(),
)
def test_a_beir_folder_is_written(folder, asked, passages, data):
    some = st.lists(st.sampled_from(passages), min_size=1, max_size=3, unique=True).map(tuple)
    records = [TrainingExample(Question(*pair, ("a",)), data.draw(some), data.draw(some)) for pair in asked]
    place = folder / str(next(NUMBERS))
    place.mkdir()
    used = {passage.id for one in records for passage in (*one.positives, *one.hard_negatives)}
    assert write_folder(place, records, None, "dev") == len(used)
    judged = [replace(one, hard_negatives=()) for one in records]
    assert read(str(place)) == (judged, "examples")
    whole = folder / str(next(NUMBERS))
    whole.mkdir()
    assert write_folder(whole, records, passages, "dev") == len(passages)
    assert read(str(whole)) == (judged, "examples")


def test_a_judged_passage_must_be_in_the_corpus_of_a_beir_folder(tmp_path):
    example = TrainingExample(Question("q", "where is Ulm"), (ULM,), (RIGA,))
    known = Lookup(store=write_store(tmp_path / "store", [RIGA]))
    with pytest.raises(FieldError, match="passage 'p1' is not in the passage store"):
        list(converted([example], "examples", "beir", lookup=known)[0])


ULM = Passage("p1", "Ulm", "Ulm lies on the Danube.")
RIGA = Passage("p 2", "Riga", "Riga lies by the sea.")
WHERE = Question("q", "where is Ulm", ("Danube",))
BARE = RankedList(
    Question("q", ""), (ScoredPassage(Passage("p1", "", ""), 2.0), ScoredPassage(Passage("p 2", "", ""), 1.0))
)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    place = tmp_path_factory.mktemp("store")
    _, fingerprint = write_passages(place, [ULM, RIGA], "x")
    return PassageStore(place, fingerprint)


def only(records, *arguments, **more):
    return list(converted(records, *arguments, **more)[0])


def test_a_run_is_completed_with_texts_and_judgments(store):
    [one] = only([BARE], "results", "dpr", lookup=Lookup({"q": WHERE}, store))
    assert one == RankedList(WHERE, (ScoredPassage(ULM, 2.0, True), ScoredPassage(RIGA, 1.0, False)))
    found = only([one], "results", "trec", take="qrels")
    assert found == [Judgment("q", "p1", 1)]


def test_formats_with_ids_only_need_no_texts(store):
    assert only([BARE], "results", "tevatron") == [BARE]
    [one] = only([BARE], "results", "jsonl", lookup=Lookup({"q": WHERE}))
    assert one == RankedList(WHERE, BARE.ctxs)
    assert only([BARE], "results", "jsonl", take="questions", lookup=Lookup({"q": WHERE})) == [WHERE]


def test_judgments_are_converted_to_examples(store):
    judged = [Judgment("q", "p1", 2), Judgment("q", "p 2", 0), Judgment("r", "p 2", 1)]
    asked = {"q": WHERE, "r": Question("r", "where is Riga")}
    assert only(judged, "qrels", "jsonl", take="examples", lookup=Lookup(asked, store)) == [
        TrainingExample(WHERE, (ULM,), (RIGA,)),
        TrainingExample(asked["r"], (RIGA,)),
    ]


def test_parts_of_records_can_be_extracted():
    example = TrainingExample(WHERE, (ULM, ULM), (RIGA,))
    assert only([example], "examples", "dpr", take="questions") == [WHERE]
    assert only([example], "examples", "beir", take="qrels") == [Judgment("q", "p1", 1)]
    ranked = RankedList(WHERE, (ScoredPassage(ULM, 1.0, True),))
    prediction = Prediction(ranked, (Span("Ulm", "p1", "Ulm", 0, 3, 1.0, 1.0),))
    assert only([prediction], "predictions", "trec", take="results") == [ranked]
    assert only([prediction], "predictions", "jsonl", take="questions") == [WHERE]


@pytest.mark.parametrize(
    ("records", "arguments", "lookup", "told"),
    [
        ([BARE], ("results", "jsonl"), {}, "the question's text is not known; expected a file"),
        ([BARE], ("results", "dpr"), {"questions": {"q": WHERE}}, "the texts of its passages are not known"),
        (
            [BARE],
            ("results", "jsonl"),
            {"questions": {"7": WHERE}},
            "question 'q' is not among the questions",
        ),
        (
            [TrainingExample(WHERE, (Passage("p9", "", ""),))],
            ("examples", "dpr"),
            {"store": True},
            "passage 'p9' is not in the passage store; expected the store it came from",
        ),
        (
            [RankedList(WHERE, (ScoredPassage(Passage("p3", "T", ""), 1.0),))],
            ("results", "dpr"),
            {},
            "the texts of its passages are not known",
        ),
    ],
)
def test_missing_parts_are_reported(store, records, arguments, lookup, told):
    if "store" in lookup:
        lookup = {"store": store}
    with pytest.raises(FieldError) as error:
        only(records, *arguments, lookup=Lookup(**lookup))
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("questions", "trec", None), "the input gives questions: `to` is trec; expected jsonl, dpr or beir"),
        (("questions", None, None), "`to` is missing; expected jsonl, dpr or beir"),
        (("examples", "trec", None), "`to` is trec; expected jsonl, dpr, tevatron, .* or `take` qrels$"),
        (("passages", "dpr", "questions"), "the input holds passages: `take` is questions; expected nothing"),
        (("questions", "dpr", "examples"), "the input holds questions: `take` is examples"),
    ],
)
def test_unwritable_records_are_refused(arguments, told):
    with pytest.raises(UsageError, match=told):
        find_target(*arguments)


AGAIN = Question("q", "who")


@pytest.mark.parametrize(
    ("kind", "to", "take", "one", "other"),
    [
        ("questions", "beir", None, WHERE, AGAIN),
        ("results", "trec", None, RankedList(WHERE, ()), RankedList(AGAIN, ())),
        ("results", "msmarco", None, RankedList(WHERE, ()), RankedList(AGAIN, ())),
        ("results", "tevatron", None, RankedList(WHERE, ()), RankedList(AGAIN, ())),
        ("examples", "beir", None, TrainingExample(WHERE, (ULM,)), TrainingExample(AGAIN, (RIGA,))),
        ("examples", "trec", "qrels", TrainingExample(WHERE, (ULM,)), TrainingExample(AGAIN, (RIGA,))),
    ],
)
def test_two_questions_with_the_same_id_are_not_merged(kind, to, take, one, other):
    with pytest.raises(FieldError, match="question id 'q' again; expected unique ids"):
        only([one, other], kind, to, take=take)
    assert len(only([one, other], kind, "jsonl")) == 2
    refused = []
    taken, target = find_target(kind, to, take)
    found = list(convert([one, other], kind, taken, target, Lookup(), Counter(), refused.append))
    assert (len(found), len(refused)) == (1, 1)


def test_every_format_writes_an_empty_file_from_no_records(folder):
    for (kind, to), target in TARGETS.items():
        if target.write is not None:
            text = open(write(folder, [], kind, to)).read()
            assert text in ("", "[]\n", "query-id\tcorpus-id\tscore\n", "id\ttext\ttitle\n")


def test_texts_of_a_beir_folder_are_found_for_its_judgments(tmp_path):
    write_folder(tmp_path, [TrainingExample(WHERE, (ULM,), (RIGA,))], None, "test")
    path = str(tmp_path / "qrels" / "test.tsv")
    records, kind = read(path)
    with open_lookup(path, None, None) as lookup:
        [one] = only(records, kind, "jsonl", take="examples", lookup=lookup)
    assert one == TrainingExample(WHERE, (ULM,))


@pytest.mark.parametrize(
    ("kind", "to"), [("examples", "tevatron-ids"), ("examples", "beir"), ("results", "trec")]
)
def test_two_texts_with_the_same_id_are_refused(kind, to):
    def record(number, text):
        asked, passage = Question(str(number), "q"), Passage("p", "", text)
        if kind == "results":
            return RankedList(asked, (ScoredPassage(passage, 1.0),))
        return TrainingExample(asked, (passage,))

    same = [record(1, "One text."), record(2, "one  TEXT")]
    assert len(list(converted(same, kind, to)[0])) == 2
    refused = []
    rows = convert(
        [*same, record(3, "two"), record(4, "one text")],
        kind,
        *find_target(kind, to, None),
        Lookup(),
        Counter(),
        refused.append,
    )
    assert [one.question.id for one in rows] == ["1", "2", "4"]
    assert [str(one) for one in refused] == [
        "passage id 'p' has another text than before; expected one text for each id"
    ]


def any_lists(of):
    """Ranked lists as other programs may have them: empty, in any order, with empty texts and repetitions."""
    several = st.lists(of, min_size=1, max_size=4, unique_by=lambda ranked: ranked.question.id)
    return several.filter(one_text_each)


def first_places(ranked):
    return list(dict.fromkeys(ctx.passage.id for ctx in ranked.ctxs))


@FEW
@given(records=any_lists(RANKED), to=st.sampled_from(["trec", "msmarco", "tevatron"]))
def test_a_run_keeps_the_questions_and_order_of_its_results(folder, records, to):
    """Every question that is asked comes back, with the passages in their order and each of them once."""
    counts = Counter()
    path = write(folder, records, "results", to, counts=counts)
    lost = sum(len(one.ctxs) - len(first_places(one)) for one in records)
    assert counts["repeated_passages_left_out"] == lost
    if not any(one.ctxs for one in records):
        return  # an empty file has no form
    asked = {one.question.id: one.question for one in records}
    with open_records(path, to) as (runs, kind):
        rows = list(only(runs, kind, "jsonl", lookup=Lookup(asked)))
    assert {one.question.id for one in rows} == set(asked)
    found = {one.question.id: (one.question, [ctx.passage.id for ctx in one.ctxs]) for one in rows}
    assert found == {one.question.id: (one.question, first_places(one)) for one in records}


def test_an_empty_text_among_others_has_no_answer():
    """As for `evaluate`; BEIR's corpora have such passages."""
    empty = ScoredPassage(Passage("p3", "T", ""), 2.0)
    [one] = only([RankedList(WHERE, (empty, ScoredPassage(ULM, 1.0)))], "results", "trec", take="qrels")
    assert one == Judgment("q", "p1", 1)
    stream = io.BytesIO()
    rows, target = converted([RankedList(WHERE, (empty, ScoredPassage(ULM, 1.0)))], "results", "dpr")
    target.write(rows, stream)
    assert [ctx["has_answer"] for ctx in json.loads(stream.getvalue())[0]["ctxs"]] == [False, True]


def test_fields_that_a_question_format_cannot_store_are_counted():
    regex, counts = replace(WHERE, answer_type="regex"), Counter()
    list(converted([regex, WHERE], "questions", "dpr", counts=counts)[0])
    assert counts == {"records": 2, "answer_types_left_out": 1}
    counts = Counter()
    list(converted([TrainingExample(WHERE, (ULM,))], "examples", "flag-embedding", counts=counts)[0])
    assert +counts == {"records": 1, "questions_without_their_answers": 1}


TAUGHT = TrainingExample(
    WHERE,
    (Context("p1", "", "Ulm is old", teacher_score=2.5),),
    (Context("p2", "", "Riga", teacher_score=-1.0),),
)


def test_teacher_scores_survive_a_round_trip_or_are_counted(folder):
    for to in ("jsonl", "dpr", "flag-embedding"):
        counts = Counter()
        [found], _ = read(write(folder, [TAUGHT], "examples", to, counts=counts))
        assert [one.teacher_score for one in (*found.positives, *found.hard_negatives)] == [2.5, -1.0]
        assert counts["teacher_scores_left_out"] == 0
    # a list of numbers has no place for a missing one
    some = replace(TAUGHT, positives=(ULM,))
    for to, one, lost in (("tevatron", TAUGHT, 2), ("tevatron-ids", TAUGHT, 2), ("flag-embedding", some, 1)):
        counts = Counter()
        [found], _ = read(write(folder, [one], "examples", to, counts=counts))
        assert not any(isinstance(passage, Context) for passage in found.passages)
        assert counts["teacher_scores_left_out"] == lost


def test_negatives_are_counted_where_only_positives_are_judged():
    counts = Counter()
    list(converted([replace(TAUGHT, negatives=(RIGA,))], "examples", "beir", counts=counts)[0])
    assert +counts == {"records": 1, "negatives_without_a_judgment": 2, "teacher_scores_left_out": 2}


def test_reading_a_run_keeps_every_question(folder, store):
    path = write(folder, [BARE], "results", "tevatron")
    asked = {"q": WHERE, "r": Question("r", "where is nothing", ("nowhere",))}
    found = list(read_results(path, lookup=Lookup(asked, store)))
    assert [(one.question, [ctx.passage for ctx in one.ctxs]) for one in found] == [
        (WHERE, [ULM, RIGA]),
        (asked["r"], []),
    ]
    with open_records(path) as (runs, kind):
        rows = only(runs, kind, "dpr", lookup=Lookup(asked, store))
    assert [one.question for one in rows] == list(asked.values())


@pytest.mark.parametrize(("first", "target"), [("results", "trec"), ("predictions", "jsonl")])
def test_a_file_may_mix_ranked_lists_and_predictions(folder, first, target):
    ranked = RankedList(WHERE, (ScoredPassage(ULM, 1.0, has_answer=True),))
    span = Span("Danube", "p1", "Ulm", 16, 22, 1.0, 1.0)
    predicted = Prediction(RankedList(replace(WHERE, id="r"), ranked.ctxs), (span,))
    path = folder / "mixed.jsonl"
    both = [ranked, predicted] if first == "results" else [predicted, ranked]
    path.write_text("".join(json.dumps(one.to_json()) + "\n" for one in both))
    stream = io.BytesIO()
    with open_records(str(path)) as (records, kind):
        rows, form = converted(records, kind, target)
        form.write(rows, stream)
    assert stream.getvalue()
