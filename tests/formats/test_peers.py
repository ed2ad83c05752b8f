"""Other programs read what we write, where they are installed: ir_measures, pytrec_eval, beir."""

import importlib
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from densecli.evaluation.accuracy import QuestionScore, summarize
from densecli.formats import qrels, runs
from densecli.formats.beir_folder import write_folder
from densecli.formats.qrels import Judgment
from densecli.records import Passage, Question, RankedList, ScoredPassage, TrainingExample

SCORES = st.lists(
    st.floats(-1e6, 1e6, width=32).filter(lambda score: abs(score) > 1e-6),
    min_size=1,
    max_size=30,
    unique=True,
)
FEW = settings(max_examples=30, deadline=None)


def peer(name):
    """Import another program, or skip."""
    try:
        return importlib.import_module(name)
    except ImportError:
        pytest.skip(f"optional peer missing: {name}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("peers")


def made(lists, hits):
    """Ranked lists with these scores, and judgments of which places hold an answer."""
    ranked = [
        RankedList(
            Question(f"q{number}", "who"),
            tuple(
                ScoredPassage(Passage(f"wiki:{place}", "", ""), score, (number + place) % 7 in hits)
                for place, score in enumerate(sorted(scores, reverse=True))
            ),
        )
        for number, scores in enumerate(lists)
    ]
    judged = [
        Judgment(one.question.id, ctx.passage.id, int(bool(ctx.has_answer)))
        for one in ranked
        for ctx in one.ctxs
    ]
    return ranked, judged


def accuracy(ranked):
    scores = [
        QuestionScore(
            one.question.id,
            100,
            next((rank for rank, ctx in enumerate(one.ctxs, 1) if ctx.has_answer), None),
        )
        for one in ranked
    ]
    return summarize(scores, (1, 5, 20)).top_k


def write(folder, ranked, judged):
    run, truth = folder / "x.run", folder / "x.qrels"
    run.write_bytes(b"".join(runs.write_trec(ranked)))
    truth.write_bytes(b"".join(qrels.write_trec(judged)))
    return str(run), str(truth)


@FEW
@given(lists=st.lists(SCORES, min_size=1, max_size=5), hits=st.sets(st.integers(0, 6), max_size=2))
def test_ir_measures_reads_our_files(folder, lists, hits):
    ir_measures = peer("ir_measures")
    ranked, judged = made(lists, hits)
    run, truth = write(folder, ranked, judged)
    told = [(one.query_id, one.doc_id, one.score) for one in ir_measures.read_trec_run(run)]
    assert told == [(one.question.id, ctx.passage.id, ctx.score) for one in ranked for ctx in one.ctxs]
    measures = {k: ir_measures.parse_measure(f"Success@{k}") for k in (1, 5, 20)}
    found = ir_measures.calc_aggregate(
        measures.values(), ir_measures.read_trec_qrels(truth), ir_measures.read_trec_run(run)
    )
    assert {k: found[measure] * 100 for k, measure in measures.items()} == pytest.approx(accuracy(ranked))


@FEW
@given(lists=st.lists(SCORES, min_size=1, max_size=5), hits=st.sets(st.integers(0, 6), max_size=2))
def test_pytrec_eval_reads_our_files(folder, lists, hits):
    pytrec_eval = peer("pytrec_eval")
    ranked, judged = made(lists, hits)
    run, truth = write(folder, ranked, judged)
    with open(run) as stream:
        told = pytrec_eval.parse_run(stream)
    assert told == {one.question.id: {ctx.passage.id: ctx.score for ctx in one.ctxs} for one in ranked}
    with open(truth) as stream:
        evaluator = pytrec_eval.RelevanceEvaluator(pytrec_eval.parse_qrel(stream), {"success.1,5"})
    totals: Counter[str] = Counter()
    for scores in evaluator.evaluate(told).values():
        totals.update(scores)
    ours = accuracy(ranked)
    assert {k: 100 * totals[f"success_{k}"] / len(ranked) for k in (1, 5)} == pytest.approx(
        {1: ours[1], 5: ours[5]}
    )


def test_beir_reads_our_folder(tmp_path):
    loader = peer("beir.datasets.data_loader")
    ulm = Passage("p 1", "Ulm", 'Ulm\tlies\n"on" the Danube.')
    riga = Passage("p2", "", "Riga lies by the sea.")
    examples = [
        TrainingExample(Question("1", "where is Ulm", ("a",)), (ulm, riga)),
        TrainingExample(Question("2", "where is Riga"), (riga,), (ulm,)),
    ]
    write_folder(tmp_path, examples, None, "dev")
    corpus, queries, judged = loader.GenericDataLoader(str(tmp_path)).load(split="dev")
    assert corpus == {one.id: {"title": one.title, "text": one.text} for one in (ulm, riga)}
    assert queries == {"1": "where is Ulm", "2": "where is Riga"}
    assert judged == {"1": {"p 1": 1, "p2": 1}, "2": {"p2": 1}}
