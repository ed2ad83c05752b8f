import json
from pathlib import Path
from typing import Any

import pytest

from densecli.errors import ArtifactError
from densecli.models.foreign.sentence_transformers import Pooled, read_pooling


def listed(folder: Path, kinds: list[str], pooling: dict[str, Any]) -> Path:
    modules = [
        {"path": "1_Pooling" if kind == "Pooling" else "", "type": f"sentence_transformers.models.{kind}"}
        for kind in kinds
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    return folder


@pytest.mark.parametrize(
    ("kinds", "pooling", "expected"),
    [
        (["Transformer", "Pooling", "Normalize"], {"pooling_mode_mean_tokens": True}, Pooled("mean", True)),
        (
            ["Transformer", "Pooling"],
            {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False},
            Pooled("cls", False),
        ),
        (["Transformer", "Pooling"], {"pooling_mode": "mean", "include_prompt": True}, Pooled("mean", False)),
    ],
)
def test_pooling_is_found(
    tmp_path: Path, kinds: list[str], pooling: dict[str, Any], expected: Pooled
) -> None:
    assert read_pooling(listed(tmp_path, kinds, pooling)) == expected


def test_a_plain_folder_takes_the_first_state(tmp_path: Path) -> None:
    assert read_pooling(tmp_path) == Pooled("cls", False)


@pytest.mark.parametrize(
    ("kinds", "pooling", "told"),
    [
        (["Transformer", "Pooling"], {"pooling_mode_max_tokens": True}, "pools by pooling_mode_max_tokens"),
        (
            ["Transformer", "Pooling"],
            {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True},
            "cls, mean",
        ),
        (["Transformer", "Pooling"], {}, "pools by nothing"),
        (["Transformer", "Pooling", "Dense"], {"pooling_mode_cls_token": True}, "module Dense"),
    ],
)
def test_what_cannot_be_applied_is_refused(
    tmp_path: Path, kinds: list[str], pooling: dict[str, Any], told: str
) -> None:
    with pytest.raises(ArtifactError, match=told):
        read_pooling(listed(tmp_path, kinds, pooling))


OURS = "sentence_transformers.models."
FIRST = {"type": OURS + "Transformer", "path": ""}
POOLING = {"type": OURS + "Pooling", "path": "1_Pooling"}


@pytest.mark.parametrize(
    ("modules", "told"),
    [
        ({"a": 1}, "is no list of modules"),
        ([None, 3], "is no list of modules"),
        ([], "holds no module"),
        ([POOLING], "holds Pooling"),
        ([FIRST, POOLING, POOLING], "at most one Pooling"),
        ([{**FIRST, "type": "custom_st.Transformer"}, POOLING], "'custom_st.Transformer' is not one of"),
        ([FIRST, {**POOLING, "type": "sentence_transformers_evil.Pooling"}], "is not one of"),
        ([FIRST, {**POOLING, "type": 5}], "'5' is not one of"),
    ],
)
def test_modules_that_are_none_or_of_somebody_else(tmp_path: Path, modules: Any, told: str) -> None:
    folder = listed(tmp_path, ["Transformer", "Pooling"], {"pooling_mode_cls_token": True})
    (folder / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(ArtifactError, match=told):
        read_pooling(folder)


def test_a_pooling_that_is_no_object(tmp_path: Path) -> None:
    folder = listed(tmp_path, ["Transformer", "Pooling"], {})
    (folder / "1_Pooling" / "config.json").write_text("[1]")
    with pytest.raises(ArtifactError, match="is no JSON object"):
        read_pooling(folder)
