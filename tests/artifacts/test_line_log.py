from pathlib import Path

import pytest

from densecli.artifacts.line_log import LineLog
from densecli.errors import ArtifactError


def test_a_log_is_truncated_and_continued(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = LineLog(path, 0)
    for number in range(5):
        log.add({"n": number})
    log.sync()
    log.close()
    path.write_bytes(path.read_bytes() + b'{"n": half')
    log = LineLog(path, 3)
    assert list(log.rows()) == [{"n": 0}, {"n": 1}, {"n": 2}]
    log.add({"n": 9})
    log.close()
    assert path.read_text() == '{"n":0}\n{"n":1}\n{"n":2}\n{"n":9}\n'
    LineLog(path, 0).close()
    assert path.read_bytes() == b""


@pytest.mark.parametrize("text", ["", '{"n":1}\n', '{"n":1}\n{"n":2}'])
def test_a_log_that_is_too_short_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "log"
    path.write_text(text)
    with pytest.raises(ArtifactError, match="fewer than 2 lines"):
        LineLog(path, 2)


@pytest.mark.parametrize("line", ["{", "[]", "\xff"])
def test_a_damaged_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "log"
    path.write_bytes(b'{"n":1}\n' + line.encode("latin-1") + b"\n")
    log = LineLog(path, 2)
    with pytest.raises(ArtifactError, match="log:2: damaged"):
        list(log.rows())
    log.close()
