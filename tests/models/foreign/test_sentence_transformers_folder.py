from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from densecli.encoders.engines import open_question_encoder
from densecli.encoders.torch_retriever import PassageEncoder
from densecli.errors import ArtifactError
from densecli.models.foreign.bert_tower import BertRetriever
from densecli.models.foreign.sentence_transformers_folder import (
    is_sentence_transformers_pair,
    read_sentence_transformers_pair,
    write_sentence_transformers,
)

CARDS = [{}, {"pooling": "mean", "normalize": True, "question_prefix": "who ", "passage_prefix": "the "}]
OTHERS = pytest.mark.parametrize("change", CARDS, ids=["cls", "mean"])


def changed(retriever: BertRetriever, change: dict[str, Any]) -> BertRetriever:
    return replace(retriever, model_config=replace(retriever.model_config, **change))


@OTHERS
def test_sentence_transformers_loads_our_folder_with_equal_vectors(
    observed: Any, dpr_retriever: BertRetriever, tmp_path: Path, change: dict[str, Any]
) -> None:
    peer = pytest.importorskip("sentence_transformers", reason="optional peer missing: sentence-transformers")
    retriever = changed(dpr_retriever, change)
    write_sentence_transformers(retriever, tmp_path / "st")
    retriever.write(tmp_path / "model")
    ours = open_question_encoder(tmp_path / "model").encode(observed.questions)
    model = peer.SentenceTransformer(str(tmp_path / "st" / "question"), device="cpu")
    np.testing.assert_allclose(model.encode(observed.questions), ours, atol=1e-5)
    assert model.similarity_fn_name == "dot"
    ours = PassageEncoder(tmp_path / "model", "cpu", "fp32").encode(observed.passages)
    texts = [f"{one.title} [SEP] {one.text}" if one.title else one.text for one in observed.passages]
    model = peer.SentenceTransformer(str(tmp_path / "st" / "passage"), device="cpu")
    np.testing.assert_allclose(model.encode(texts), ours, atol=1e-5)


@OTHERS
def test_both_folders_survive_a_round_trip(
    dpr_retriever: BertRetriever, tmp_path: Path, change: dict[str, Any]
) -> None:
    retriever = changed(dpr_retriever, change)
    write_sentence_transformers(retriever, tmp_path / "st")
    assert is_sentence_transformers_pair(tmp_path / "st")
    found = read_sentence_transformers_pair(tmp_path / "st")
    assert found.model_config == retriever.model_config
    for name, weight in retriever.question.state.items():
        if "token_type" not in name:
            np.testing.assert_array_equal(found.question.state[name], weight)


def test_two_unrelated_models_are_refused(dpr_retriever: BertRetriever, tmp_path: Path) -> None:
    write_sentence_transformers(dpr_retriever, tmp_path / "a")
    write_sentence_transformers(changed(dpr_retriever, CARDS[1]), tmp_path / "b")
    (tmp_path / "a" / "passage").rename(tmp_path / "old")
    (tmp_path / "b" / "passage").rename(tmp_path / "a" / "passage")
    with pytest.raises(ArtifactError, match="pool or tokenize differently"):
        read_sentence_transformers_pair(tmp_path / "a")


def test_losing_a_trailing_sep_is_reported(dpr_retriever: BertRetriever, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="this format cannot say so"):
        write_sentence_transformers(changed(dpr_retriever, {"trailing_sep": True}), tmp_path / "st")
