"""What sentence-transformers folders say is obeyed or refused, and obeyed as sentence-transformers does."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer, normalizers

from densecli.encoders.engines import EngineRequest, open_passage_encoder, open_question_encoder
from densecli.encoders.torch_base import open_retriever
from densecli.errors import ArtifactError
from densecli.models.foreign.sentence_transformers import (
    EncoderSettings,
    read_encoder_settings,
    read_model_config_of,
)
from densecli.records import Passage

OURS = "sentence_transformers.models."
FIRST = {"name": "0", "type": OURS + "Transformer", "path": ""}
POOLING = {"name": "1", "type": OURS + "Pooling", "path": "1_Pooling"}
NORMALIZE = {"name": "2", "type": OURS + "Normalize", "path": "2_Normalize"}
CLS = {"word_embedding_dimension": 32, "pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
MEAN = {"embedding_dimension": 32, "pooling_mode": "mean", "include_prompt": True}


def listed(
    folder: Path,
    modules: Any = (FIRST, POOLING),
    pooling: Any = CLS,
    settings: Any = None,
    lengths: Any = None,
    **files: Any,
) -> Path:
    """Write the files of sentence-transformers into a folder."""
    named = {
        "modules.json": modules,
        "1_Pooling/config.json": pooling,
        "config_sentence_transformers.json": settings,
        "sentence_bert_config.json": lengths,
        **{f"{name}.json": content for name, content in files.items()},
    }
    for name, content in named.items():
        if content is not None:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, EncoderSettings("cls")),
        (
            {"modules": [FIRST, POOLING, NORMALIZE], "pooling": {"pooling_mode_mean_tokens": True}},
            EncoderSettings("mean", True),
        ),
        ({"pooling": MEAN, "settings": {"similarity_fn_name": "dot"}}, EncoderSettings("mean")),
        ({"pooling": {"pooling_mode": ["cls"]}}, EncoderSettings("cls")),
        ({"settings": {"similarity_fn_name": "cosine"}}, EncoderSettings("cls", True, "cosine")),
        ({"settings": {"similarity_fn_name": "euclidean"}}, EncoderSettings("cls", False, "l2")),
        ({"settings": {"similarity_fn_name": None, "prompts": {}}}, EncoderSettings("cls")),
        (
            {"settings": {"prompts": {"query": "q: ", "passage": "p: ", "sts": "s: "}}},
            EncoderSettings("cls", question_prefix="q: ", passage_prefix="p: "),
        ),
        (
            {"settings": {"prompts": {"query": "q: ", "document": ""}, "default_prompt_name": "query"}},
            EncoderSettings("cls", question_prefix="q: "),
        ),
        (
            {"settings": {"prompts": {"query": "q: "}, "default_prompt_name": "query"}},
            EncoderSettings("cls", question_prefix="q: "),
        ),
        (
            {"settings": {"prompts": {"both": "b: "}, "default_prompt_name": "both"}},
            EncoderSettings("cls", question_prefix="b: ", passage_prefix="b: "),
        ),
        (
            {"lengths": {"max_seq_length": 128, "do_lower_case": False}},
            EncoderSettings("cls", max_question_tokens=128, max_passage_tokens=128),
        ),
        (
            {"lengths": {"max_seq_length": None, "query_length": 32, "document_length": 180}},
            EncoderSettings("cls", max_question_tokens=32, max_passage_tokens=180),
        ),
        ({"pooling": CLS | {"include_prompt": False}}, EncoderSettings("cls")),
        ({"modules": [FIRST, POOLING, {"type": OURS + "Dropout"}]}, EncoderSettings("cls")),
    ],
)
def test_settings_are_read(tmp_path: Path, given: dict[str, Any], expected: EncoderSettings) -> None:
    assert read_encoder_settings(listed(tmp_path, **given)) == expected


def test_a_plain_folder_uses_cls_pooling(tmp_path: Path) -> None:
    assert read_encoder_settings(tmp_path) == EncoderSettings("cls")
    model_config = read_model_config_of(tmp_path, 512)
    assert (model_config.max_question_tokens, model_config.max_passage_tokens) == (64, 256)


def test_lengths_come_from_the_folder_its_tokenizer_and_its_encoder(tmp_path: Path) -> None:
    def limits(limit: int) -> tuple[int, int]:
        model_config = read_model_config_of(tmp_path, limit)
        return model_config.max_question_tokens, model_config.max_passage_tokens

    (tmp_path / "tokenizer_config.json").write_text('{"model_max_length": 100}')
    assert limits(512) == (64, 100)
    listed(tmp_path)
    assert limits(512) == (100, 100)
    listed(tmp_path, lengths={"max_seq_length": 70})
    assert limits(512) == (70, 70)
    assert limits(50) == (50, 50)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"modules": {"a": 1}}, "is no list of modules"),
        ({"modules": [None, 3]}, "is no list of modules"),
        ({"modules": []}, "has no module Pooling"),
        ({"modules": [FIRST]}, "has no module Pooling"),
        ({"modules": [POOLING, FIRST]}, "module Transformer is not supported there"),
        ({"modules": [FIRST, POOLING, POOLING]}, "module Pooling is not supported there"),
        ({"modules": [FIRST, NORMALIZE, POOLING]}, "module Normalize is not supported there"),
        ({"modules": [FIRST, POOLING, {"type": OURS + "Dense", "path": "2_Dense"}]}, "module Dense"),
        ({"modules": [{**FIRST, "path": "0_Transformer"}, POOLING]}, "its encoder is in 0_Transformer"),
        (
            {"modules": [{**FIRST, "type": "custom_st.Transformer"}, POOLING]},
            "'custom_st.Transformer' is not",
        ),
        ({"modules": [FIRST, {**POOLING, "type": "sentence_transformers_x.Pooling"}]}, "is not one of"),
        ({"modules": [FIRST, {**POOLING, "type": 5}]}, "'5' is not one of"),
        (
            {"modules": [FIRST, POOLING, NORMALIZE], "2_Normalize/config": {"module_input_name": "tokens"}},
            "module_input_name is 'tokens'",
        ),
        ({"pooling": {"pooling_mode_max_tokens": True}}, "pools by pooling_mode_max_tokens"),
        ({"pooling": CLS | {"pooling_mode_mean_tokens": True}}, "pools by cls, mean"),
        ({"pooling": {"pooling_mode": ["mean", "max"]}}, "pools by max, mean"),
        ({"pooling": {}}, "pools by nothing"),
        ({"pooling": [1]}, "is no JSON object"),
        ({"pooling": CLS | {"token_weights": [1]}}, r"token_weights is \[1\]"),
        (
            {"pooling": CLS | {"include_prompt": False}, "settings": {"prompts": {"query": "q: "}}},
            "include_prompt is false",
        ),
        ({"settings": [1]}, "is no JSON object"),
        ({"settings": {"similarity_fn_name": "manhattan"}}, "similarity_fn_name is 'manhattan'"),
        ({"settings": {"similarity_fn_name": ["dot"]}}, "similarity_fn_name is"),
        ({"settings": {"truncate_dim": 16}}, "truncate_dim is 16"),
        ({"settings": {"model_type": "SparseEncoder"}}, "model_type is 'SparseEncoder'"),
        ({"settings": {"query_prefix": "[Q] "}}, r"query_prefix is '\[Q\] '"),
        ({"settings": {"prompts": {"query": 3}}}, "prompts are no names with texts"),
        ({"settings": {"default_prompt_name": "query"}}, "'query', which is not one of its prompts"),
        ({"settings": {"default_prompt_name": ["query"]}}, "which is not one of its prompts"),
        ({"lengths": {"max_seq_length": 0}}, "max_seq_length is 0"),
        ({"lengths": {"max_seq_length": "many"}}, "max_seq_length is 'many'"),
        ({"lengths": {"query_expansion": {"length": 32}}}, "query_expansion is"),
        ({"lengths": {"model_args": {"dtype": "float16"}}}, "model_args is"),
        ({"tokenizer_config": {"truncation_side": "left"}}, "truncation_side is 'left'"),
    ],
)
def test_unsupported_modules_are_refused(tmp_path: Path, given: dict[str, Any], message: str) -> None:
    (tmp_path / "2_Normalize").mkdir()
    with pytest.raises(ArtifactError, match=message):
        read_model_config_of(listed(tmp_path, **given), 512)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("adapter_config.json", '{"peft_type": "LORA"}', r"adapter_config\.json: an adapter of PEFT"),
        ("pooler_config.json", "{}", r"pooler_config\.json: a pooler of Tevatron"),
    ],
)
def test_files_that_change_the_encoder_are_refused(
    tiny_base: Path, tmp_path: Path, name: str, content: str, message: str
) -> None:
    folder = shutil.copytree(tiny_base, tmp_path / "model")
    (folder / name).write_text(content)
    with pytest.raises(ArtifactError, match=message):
        open_question_encoder(folder)


def test_other_kinds_of_positions_are_refused(tiny_base: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_base, tmp_path / "model")
    config = json.loads((folder / "config.json").read_text()) | {"position_embedding_type": "relative_key"}
    (folder / "config.json").write_text(json.dumps(config))
    for engine in ("onnxruntime", "torch"):
        with pytest.raises(ArtifactError, match="position_embedding_type is 'relative_key'"):
            open_question_encoder(folder, EngineRequest(engine=engine))


QUESTIONS = ["Who was born in the city of the king?", "a song of the sea"]
PASSAGES = [
    Passage("1", "", "The King wrote a film. " * 20),
    Passage("2", "", "the river in the CITY is the sea of songs"),
    Passage("3", "", "born in a film"),
]
PROMPTS = {"prompts": {"query": "who: ", "document": "the: "}, "default_prompt_name": "query"}
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "prompts": {"settings": PROMPTS | {"similarity_fn_name": "cosine"}, "pooling": MEAN},
    "cosine without Normalize": {"settings": {"similarity_fn_name": "cosine"}},
    "dot, normalized": {
        "modules": [FIRST, POOLING, NORMALIZE],
        "settings": {"similarity_fn_name": "dot"},
        "pooling": MEAN,
    },
    "euclidean": {"settings": {"similarity_fn_name": "euclidean"}, "pooling": MEAN},
    "a length": {
        "settings": {"similarity_fn_name": "dot"},
        "lengths": {"max_seq_length": 9},
        "pooling": MEAN,
    },
    "lower case": {"settings": {"similarity_fn_name": "dot"}, "lengths": {"do_lower_case": True}},
    "the tokenizer's length": {
        "settings": {"similarity_fn_name": "dot"},
        "tokenizer_config": {
            "model_max_length": 11,
            "pad_token": "[PAD]",
            "tokenizer_class": "PreTrainedTokenizerFast",
        },
    },
}


def cased(tokenizer: Tokenizer, folder: Path) -> None:
    """Put a tokenizer that keeps upper case into a folder."""
    made = Tokenizer.from_str(tokenizer.to_str())
    made.normalizer = normalizers.BertNormalizer(lowercase=False)
    made.save(str(folder / "tokenizer.json"))


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_similarities_match_sentence_transformers(
    tiny_base: Path, tiny_tokenizer: Tokenizer, tmp_path: Path, name: str
) -> None:
    peer = pytest.importorskip("sentence_transformers", reason="optional peer missing: sentence-transformers")
    folder = listed(shutil.copytree(tiny_base, tmp_path / "model"), **CONFIGURATIONS[name])
    (folder / "2_Normalize").mkdir()
    if name == "lower case":
        cased(tiny_tokenizer, folder)
    model = peer.SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    theirs = model.encode_query(QUESTIONS), model.encode_document([one.text for one in PASSAGES])
    expected = np.asarray(model.similarity(*theirs))
    if name == "euclidean":  # ours are (|q|^2 - d^2) / 2: the same but for a number for each question
        expected = np.square(expected) / -2
        expected += np.square(theirs[0]).sum(axis=1, keepdims=True) / 2
    for engine in ("onnxruntime", "torch"):
        request = EngineRequest(engine=engine, precision="fp32")
        questions = open_question_encoder(folder, request).encode(QUESTIONS)
        passages = open_passage_encoder(folder, request).encode(PASSAGES)
        np.testing.assert_allclose(questions @ passages.T, expected, atol=2e-4)


def test_lowercasing_of_a_folder_is_kept_in_the_model(
    tiny_base: Path, tiny_tokenizer: Tokenizer, tmp_path: Path
) -> None:
    folder = listed(shutil.copytree(tiny_base, tmp_path / "model"), lengths={"do_lower_case": True})
    cased(tiny_tokenizer, folder)
    tokens = open_retriever(str(folder)).tokens
    assert tokens.questions(["The King"]) == tokens.questions(["the king"])
    ours = open_question_encoder(folder)
    np.testing.assert_array_equal(ours.encode(["The King"]), ours.encode(["the king"]))


@pytest.mark.parametrize(
    ("settings", "refused"),
    [
        ({"do_lower_case": False}, True),
        ({"do_lower_case": True}, False),
        ({"do_lower_case": False, "tokenizer_class": "PreTrainedTokenizerFast"}, False),
    ],
)
def test_a_tokenizer_that_contradicts_its_settings_is_refused(
    tiny_base: Path, tmp_path: Path, settings: dict[str, Any], refused: bool
) -> None:
    folder = shutil.copytree(tiny_base, tmp_path / "model")
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    if not refused:
        assert open_question_encoder(folder).encode(["who"]).shape == (1, 32)
        return
    with pytest.raises(ArtifactError, match=r"do_lower_case is false, but tokenizer\.json lower-cases text"):
        open_question_encoder(folder)
