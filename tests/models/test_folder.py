import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from densecli.encoders.torch_save import save_retriever
from densecli.encoders.torch_start import Change, open_base
from densecli.errors import ArtifactError
from densecli.models.folder import (
    WHOLE_BYTES,
    ReaderConfig,
    RetrieverConfig,
    fingerprint,
    is_compiled,
    passage_fingerprint,
    read_model_config,
    write_model_config,
)


def change(folder: Path, **values: Any) -> None:
    row = orjson.loads((folder / "model.json").read_bytes())
    (folder / "model.json").write_bytes(orjson.dumps({**row, **values}))


@pytest.mark.parametrize(
    "card",
    [
        RetrieverConfig(pooling="mean", normalize=True, question_prefix="query: "),
        ReaderConfig(max_tokens=128, words={"encoder": "../words.safetensors"}),
    ],
)
def test_model_configs_survive_a_round_trip(tmp_path: Path, card: RetrieverConfig | ReaderConfig) -> None:
    write_model_config(tmp_path, card)
    assert read_model_config(tmp_path, type(card)) == card


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"schema": 9}, "schema 9"),
        ({"kind": "reader"}, "kind 'reader'"),
        ({"pooling": "max"}, "pooling is 'max'"),
        ({"pooling": 3}, "expected a str"),
        ({"normalize": 1}, "expected a bool"),
        ({"trailing_sep": "yes"}, "trailing_sep is 'yes'"),
        ({"max_question_tokens": 0}, "max_question_tokens is 0"),
        ({"words": {"question": "w"}}, "words is"),
        ({"projection": 1}, "projection is 1"),
        ({"similarity": "l1"}, "similarity is 'l1'"),
        ({"similarity": "cosine"}, "without normalize"),
        ({"token_types": "ones"}, "token_types is 'ones'"),
        ({"layers": 64}, "'layers' is unknown"),
    ],
)
def test_an_unsupported_property_is_refused(tmp_path: Path, values: dict[str, Any], told: str) -> None:
    write_model_config(tmp_path, RetrieverConfig())
    change(tmp_path, **values)
    with pytest.raises(ArtifactError, match=told):
        read_model_config(tmp_path, RetrieverConfig)


def test_a_missing_property_is_named(tmp_path: Path) -> None:
    row = {"schema": 1, "kind": "reader", "max_tokens": 64}
    (tmp_path / "model.json").write_bytes(orjson.dumps(row))
    with pytest.raises(ArtifactError, match="'max_answer_tokens' is missing"):
        read_model_config(tmp_path, ReaderConfig)


@pytest.mark.parametrize("text", [b"{", b"[1]", b""])
def test_broken_properties_are_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "model.json").write_bytes(text)
    with pytest.raises(ArtifactError, match=r"model\.json"):
        read_model_config(tmp_path, RetrieverConfig)


def test_a_missing_folder_and_a_missing_card_have_different_messages(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no such model folder"):
        read_model_config(tmp_path / "nowhere", RetrieverConfig)
    with pytest.raises(ArtifactError, match=r"no model\.json"):
        read_model_config(tmp_path, RetrieverConfig)


def test_a_compiled_folder_has_a_graph(tiny_retriever: Path, tiny_base: Path) -> None:
    assert is_compiled(tiny_retriever)
    assert not is_compiled(tiny_base)


def copied(folder: Path, target: Path) -> Path:
    for path in folder.rglob("*"):
        if path.is_file():
            place = target / path.relative_to(folder)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(path.read_bytes())
    return target


def test_the_fingerprint_depends_on_the_content_and_not_the_path(
    tiny_retriever: Path, tmp_path: Path
) -> None:
    twin = copied(tiny_retriever, tmp_path / "twin")
    (twin / "manifest.json").write_text("{}")
    assert fingerprint(twin) == fingerprint(tiny_retriever)


def test_the_fingerprint_changes_with_weights_words_and_properties(
    tiny_retriever: Path, tmp_path: Path
) -> None:
    seen = {fingerprint(tiny_retriever)}
    for number, name in enumerate(("question/weights.safetensors", "passage/words.safetensors")):
        twin = copied(tiny_retriever, tmp_path / str(number))
        held = bytearray((twin / name).read_bytes())
        held[-1] ^= 1
        (twin / name).write_bytes(held)
        seen.add(fingerprint(twin))
    twin = copied(tiny_retriever, tmp_path / "card")
    write_model_config(twin, replace(read_model_config(twin, RetrieverConfig), normalize=True))
    assert len(seen | {fingerprint(twin)}) == 4


def test_vectors_fit_any_question_tower(tiny_retriever: Path, tmp_path: Path) -> None:
    def changed(name: str, **properties: object) -> str:
        twin = copied(tiny_retriever, tmp_path / f"{name.replace('/', '-')}{[*properties]}")
        if name:
            held = bytearray((twin / name).read_bytes())
            held[-2] ^= 1
            (twin / name).write_bytes(held)
        card = read_model_config(twin, RetrieverConfig)
        if "words" in properties:
            for side in ("question", "passage"):
                (twin / side / "words.safetensors").rename(twin / f"{side}.safetensors")
        write_model_config(twin, replace(card, **properties))
        return passage_fingerprint(twin)

    own = passage_fingerprint(tiny_retriever)
    for name in ("question/weights.safetensors", "question/words.safetensors", "question/config.json"):
        assert changed(name) == own
    words = {"question": "question.safetensors", "passage": "passage.safetensors"}
    for kept in ({"max_question_tokens": 9}, {"question_prefix": "x"}, {"words": words}):
        assert changed("", **kept) == own
    others = {
        changed(f"passage/{name}") for name in ("weights.safetensors", "words.safetensors", "config.json")
    }
    others |= {changed("tokenizer.json"), changed("", pooling="mean"), changed("", passage_prefix="x")}
    others |= {changed("", max_passage_tokens=9), changed("", similarity="l2"), changed("", normalize=True)}
    assert len(others | {own}) == 10
    unit = changed("", normalize=True, pooling="mean")
    assert changed("", normalize=True, pooling="mean", similarity="cosine") == unit != own


def test_a_shared_encoder_ties_vectors_to_the_question_tower(tiny_base: Path, tmp_path: Path) -> None:
    save_retriever(open_base(str(tiny_base), None, 64, 256, Change(shared_encoder=True)), tmp_path)
    own = passage_fingerprint(tmp_path)
    path = tmp_path / "question" / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert passage_fingerprint(tmp_path) != own


def test_vectors_of_other_models_are_tied_to_all_their_files(tiny_base: Path) -> None:
    assert passage_fingerprint(tiny_base) == fingerprint(tiny_base)


def test_the_fingerprint_of_a_large_file_covers_its_size_and_middle(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    path = tmp_path / "model.safetensors"
    whole = bytearray(os.urandom(4096)) * (2 * WHOLE_BYTES // 4096)
    longer = whole + b"\0"
    holed = whole[: WHOLE_BYTES // 2] + bytes(WHOLE_BYTES) + whole[3 * WHOLE_BYTES // 2 :]
    assert len(holed) == len(whole)
    found = set()
    for content in (whole, longer, holed):
        path.write_bytes(content)
        found.add(fingerprint(tmp_path))
    assert len(found) == 3


def test_the_fingerprint_needs_every_part(tiny_retriever: Path, tmp_path: Path) -> None:
    twin = copied(tiny_retriever, tmp_path / "twin")
    (twin / "passage" / "weights.safetensors").unlink()
    with pytest.raises(ArtifactError, match=r"passage/weights\.safetensors: the tower's weights is missing"):
        fingerprint(twin)
