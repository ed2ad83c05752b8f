import gzip
import os
from pathlib import Path

import pytest

from densecli.files import count_lines as module
from densecli.files.count_lines import count_lines

LINES = b'{"question": "who"}\n{"question": "what"}\n'


@pytest.mark.parametrize(
    ("name", "content", "count"),
    [
        ("a.jsonl", LINES, 2),
        ("a.jsonl", LINES[:-1], 2),
        ("a", LINES * 60_000, 120_000),
        ("a.qa.csv", b"who\t['a']\n", 1),
        ("a.json", b'[{"question": "who"},\n{"question": "what"}]\n', None),
        ("a.json", b'{\n"question": "who"}\n', None),
        ("a.json", b'{"1": {"question": "who"}}', None),
        ("a.run", b"1 Q0 p 1 2.0 me\n1 Q0 q 2 1.0 me\n", None),
        ("a.txt", b"who}\nwhat}\n", None),
        ("a.jsonl.gz", gzip.compress(LINES, mtime=0), None),
        ("a.jsonl", b"", None),
    ],
)
def test_only_files_with_a_record_in_each_line_are_counted(
    tmp_path: Path, name: str, content: bytes, count: int | None
) -> None:
    (tmp_path / name).write_bytes(content)
    assert count_lines(tmp_path / name) == count


def test_what_cannot_be_counted_soon_has_no_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large.jsonl").write_bytes(LINES)
    monkeypatch.setattr(module, "MOST_BYTES", len(LINES) - 1)
    for path in (tmp_path / "pipe", tmp_path / "large.jsonl", tmp_path / "missing", Path("-"), None, [1]):
        assert count_lines(path) is None
