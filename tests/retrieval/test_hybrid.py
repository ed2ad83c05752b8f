"""Hybrid search against a loop that scores every passage by both sides and sorts."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import densecli
from dense.conftest import stored
from densecli.artifacts.kinds import IndexManifest
from densecli.configs.asking import SearchConfig
from densecli.configs.corpus import IndexConfig
from densecli.dense.index import DenseIndex, build
from densecli.encoders.engines import open_question_encoder
from densecli.lexical.bm25 import Bm25
from densecli.lexical.build import build as build_words
from densecli.records import Passage
from densecli.retrieval.hybrid import HybridEngine
from densecli.retrieval.search import DenseEngine

LEXICON = ["cat", "dog", "rome", "capital", "river", "song", "king", "sea", "born", "wrote"]
PASSAGES = 60
WIDTH = 4
QUESTIONS = ["cat", "the king of rome", "the of and", "river river sea", "unheard", " ".join(LEXICON)]


class Encoder:
    """Whole numbers made from a question: their inner products are exact, and often equal."""

    fingerprint = "r"

    def encode(self, questions):
        draws = [
            np.random.default_rng(list(question.encode())).integers(-2, 3, WIDTH) for question in questions
        ]
        return np.array(draws, dtype=np.float32).reshape(len(questions), WIDTH)


@pytest.fixture(scope="module")
def sides(tmp_path_factory):
    """BM25 and flat and HNSW indexes over the same random passages."""
    folder = tmp_path_factory.mktemp("hybrid")
    rng = np.random.default_rng(5)
    texts = [" ".join(rng.choice(LEXICON, rng.integers(0, 7))) for _ in range(PASSAGES)]
    (folder / "bm25").mkdir()
    build_words((Passage(str(row), "", text) for row, text in enumerate(texts)), folder / "bm25", workers=1)
    vectors = rng.integers(-2, 3, (PASSAGES, WIDTH)).astype(np.float32)
    opened = {"bm25": Bm25.open(folder / "bm25"), "vectors": vectors}
    for kind in ("flat", "hnsw"):
        (folder / kind).mkdir()
        list(build(stored(folder / f"{kind}-vectors", vectors), IndexConfig(kind=kind), folder / kind))
        manifest = IndexManifest(fingerprint="i", retriever="r", passages="p", structure=kind)
        manifest.write(folder / kind)
        opened[kind] = DenseIndex.open(folder / kind)
    return opened


def engine(sides, kind="flat", weight=1.0, **changes):
    config = replace(SearchConfig(), **changes)
    return HybridEngine(sides["bm25"], DenseEngine(Encoder(), sides[kind]), config, weight)


def everything(sides, question):
    """The scores of all passages on both sides."""
    rows = np.arange(PASSAGES)[None]
    words = sides["bm25"].score([question], rows)[0]
    return words, (Encoder().encode([question]) @ sides["vectors"].T)[0]


def best(scores, among, k):
    """Sort passages by score, then row."""
    order = sorted(among, key=lambda row: (-scores[row], row))[:k]
    return [(row, pytest.approx(float(scores[row]), rel=1e-6)) for row in order]


def top(scores, depth, positive=False):
    return [
        row
        for row in sorted(range(PASSAGES), key=lambda row: (-scores[row], row))[:depth]
        if scores[row] > 0 or not positive
    ]


def hits(rows, scores):
    return [(row, score) for row, score in zip(rows.tolist(), scores.tolist(), strict=True) if row >= 0]


@given(
    questions=st.lists(st.sampled_from(QUESTIONS), min_size=1, max_size=3),
    k=st.integers(1, PASSAGES + 5),
    candidates=st.integers(1, PASSAGES + 5),
    weight=st.sampled_from([0.0, 0.3, 1.1, 40.0]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_hybrid_search_matches_a_loop_over_all_passages(sides, questions, k, candidates, weight):
    found = engine(sides, weight=weight, candidates=candidates).search(questions, k)
    for question, rows, scores in zip(questions, *found, strict=True):
        words, dense = everything(sides, question)
        depth = max(k, candidates)
        among = {*top(words, depth, positive=True), *top(dense, depth)}
        assert hits(rows, scores) == best(words + np.float32(weight) * dense, among, k)


@pytest.mark.parametrize("kind", ["flat", "hnsw"])
def test_with_all_passages_as_candidates_every_passage_is_ranked(sides, kind):
    found = engine(sides, kind, weight=1.1).search(QUESTIONS, 1000)
    for question, rows, scores in zip(QUESTIONS, *found, strict=True):
        words, dense = everything(sides, question)
        assert hits(rows, scores) == best(words + np.float32(1.1) * dense, range(PASSAGES), PASSAGES)


def test_a_question_of_stop_words_is_ordered_by_the_dense_index(sides):
    for weight in (None, 1.0):
        rows, _ = engine(sides, weight=weight).search(["the of and"], 10)
        assert rows[0].tolist() == top(everything(sides, "the of and")[1], 10)


def test_without_a_weight_each_question_gets_one_from_its_spread_in_any_batch(sides):
    together = engine(sides, weight=None).search(QUESTIONS, 7)
    for place, question in enumerate(QUESTIONS):
        words, dense = everything(sides, question)
        weight = np.float32(1.5 * np.std(words) / np.std(dense) if words.any() else 1)
        expected = best(words + weight * dense, range(PASSAGES), 7)
        assert hits(*(part[place] for part in together)) == expected
        assert hits(*(part[0] for part in engine(sides, weight=None).search([question], 7))) == expected


def test_a_passage_missing_from_one_index_gets_its_lowest_score(sides):
    found = engine(sides, weight=2.0, candidates=5, missing="min").search(QUESTIONS, 5)
    for question, rows, scores in zip(QUESTIONS, *found, strict=True):
        words, dense = everything(sides, question)
        by_words, by_dense = top(words, 5, positive=True), top(dense, 5)
        lowest = min((words[row] for row in by_words), default=0), min(dense[row] for row in by_dense)
        fused = {
            row: (words[row] if row in by_words else lowest[0])
            + 2 * (dense[row] if row in by_dense else lowest[1])
            for row in {*by_words, *by_dense}
        }
        assert hits(rows, scores) == best(fused, fused, 5)


def test_reciprocal_rank_fusion_matches_a_loop(sides):
    found = engine(sides, fusion="rrf", candidates=8).search(QUESTIONS, 6)
    for question, rows, scores in zip(QUESTIONS, *found, strict=True):
        words, dense = everything(sides, question)
        lists = top(words, 8, positive=True), top(dense, 8)
        among = {*lists[0], *lists[1]}
        fused = {row: sum(1 / (61 + one.index(row)) for one in lists if row in one) for row in among}
        assert hits(rows, scores) == best(fused, fused, 6)


def test_on_the_sample_hybrid_search_matches_a_loop_over_all_passages():
    package = Path(densecli.__file__).parent
    words = Bm25.open(package / "sample" / "workspace" / "bm25")
    index = DenseIndex.open(package / "sample" / "workspace" / "index")
    dense = DenseEngine(open_question_encoder(package / "starter" / "retriever"), index)
    questions = ["who voiced Meg", "where was einstein born", "of the", "the sea between england and ireland"]
    found = HybridEngine(words, dense, SearchConfig(candidates=30), 1.24).search(questions, 50)
    every = [
        [dict(zip(*line, strict=True)) for line in zip(*(part.tolist() for part in all_), strict=True)]
        for all_ in (words.search(questions, len(words)), dense.search(questions, len(words)))
    ]
    for by_words, by_dense, rows, scores in zip(*every, *found, strict=True):
        fused = {row: by_words.get(row, 0) + 1.24 * score for row, score in by_dense.items()}
        among = {*[row for row in by_words if row >= 0][:50], *list(by_dense)[:50]}
        assert set(rows.tolist()) <= among
        np.testing.assert_allclose(scores, [fused[row] for row in rows.tolist()], rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(
            scores, sorted((fused[row] for row in among), reverse=True)[:50], rtol=1e-5
        )
