"""Embedding as a function: passages that are too long are counted; vectors may be up to date."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from densecli.artifacts.kinds import VectorsManifest
from densecli.artifacts.manifest import read_manifest
from densecli.records import Passage
from densecli.workflows.embed import embed
from stores import write_store
from workflows.conftest import Recorder

LONG = [3, 256, 260, 599]
SETTINGS: dict[str, Any] = {"shard_rows": 256, "engine": "onnxruntime"}


class Stopping(Recorder):
    """Stops the work after some steps."""

    def progress(self, items: Any, *_: Any, **__: Any) -> Iterator[Any]:
        for number, item in enumerate(items):
            if number == 4:
                raise KeyboardInterrupt
            yield item


@pytest.fixture
def passages(tmp_path: Path) -> Path:
    texts = ["the sea " * 200 if row in LONG else "the king" for row in range(600)]
    write_store(tmp_path / "passages", [Passage(str(row), "", text) for row, text in enumerate(texts)])
    return tmp_path / "passages"


def test_passages_that_are_too_long_are_counted_after_resuming(
    tiny_retriever: Path, passages: Path, tmp_path: Path
) -> None:
    heard = Recorder()
    for name, observer in (("whole", heard), ("resumed", Stopping()), ("resumed", Recorder())):
        try:
            embed(
                workspace=tmp_path / "workspace", retriever=str(tiny_retriever), passages=passages,
                output=tmp_path / name, observer=observer, batch_tokens=512, **SETTINGS,
            )  # fmt: skip
        except KeyboardInterrupt:
            assert isinstance(observer, Stopping)
    told = "longer than the encoder's limit, so embedded without their ends: 4 of 600 passages"
    assert told in heard.messages
    for name in ("whole", "resumed"):
        assert read_manifest(tmp_path / name, VectorsManifest).counts == {"passages": 600, "passages_cut": 4}
    files = [sorted(path.name for path in (tmp_path / name).iterdir()) for name in ("whole", "resumed")]
    assert files[0] == files[1]
    assert "cut" not in files[0]
    for number in range(3):
        shards = [(tmp_path / name / f"shard-0000{number}.npy").read_bytes() for name in ("whole", "resumed")]
        assert shards[0] == shards[1]


def test_vectors_in_files_of_another_size_are_up_to_date(
    tiny_retriever: Path, passages: Path, tmp_path: Path
) -> None:
    made = [
        embed(
            workspace=tmp_path / "workspace", retriever=str(tiny_retriever), passages=passages,
            engine="onnxruntime", shard_rows=rows,
        )
        for rows in (512, 256)
    ]  # fmt: skip
    assert [one.up_to_date for one in made] == [False, True]
    assert len(list(made[0].folder.glob("shard-*.npy"))) == 2
    assert read_manifest(made[0].folder, VectorsManifest).arithmetic == "onnxruntime fp32"
