import sys
import time

import pytest

from densecli.corpus.bounded import read_bounded, read_document
from densecli.corpus.documents import Document, parse_document
from densecli.errors import FieldError
from densecli.records import Article

READER = "hostile_reader"


def ask(tmp_path, words, seconds=5):
    path = tmp_path / "a.doc"
    path.write_text(words)
    return read_bounded(READER, str(path), seconds)


def test_a_slow_document_is_stopped_and_the_next_one_is_read(tmp_path):
    begin = time.monotonic()
    with pytest.raises(
        FieldError, match=r"took too long \(more than 1 seconds\); .*`document_seconds`"
    ) as error:
        ask(tmp_path, "loop", 1)
    assert time.monotonic() - begin < 60
    assert error.value.code == "took_too_long"
    assert ask(tmp_path, "text of the next") == ("a", "of the next")


def test_each_document_has_the_full_time_limit(tmp_path):
    for _ in range(3):  # together more than the limit
        begin = time.process_time()
        assert ask(tmp_path, "text a", 1) == ("a", "a")
        while time.process_time() - begin < 0.1:
            pass


@pytest.mark.parametrize(
    ("words", "what"),
    [
        pytest.param(
            f"eat {8 << 30}",
            "needs too much memory",
            marks=pytest.mark.skipif(
                sys.platform == "darwin", reason="optional peer missing: a limit on address space"
            ),
        ),
        ("crash", r"its parser ended \(SIGSEGV\)"),
        ("recurse", r"its parser failed \(RecursionError\)"),
        ("refuse", "refused; expected another"),
    ],
)
def test_a_parser_failure_is_an_error_of_the_document(tmp_path, words, what):
    with pytest.raises(FieldError, match=what):
        ask(tmp_path, words)
    assert ask(tmp_path, "text b") == ("a", "b")


def test_output_of_a_parser_is_not_mixed_with_its_result(tmp_path):
    assert ask(tmp_path, 'print ["text", "x", "y"]') == ("a", '["text", "x", "y"]')


def test_a_missing_file_is_reported(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_bounded(READER, str(tmp_path / "gone"), 1)


def test_a_parser_failure_in_this_process_is_an_error_of_the_document(tmp_path):
    path = tmp_path / "a.doc"
    path.write_text("recurse")
    with pytest.raises(FieldError, match=r"its parser failed \(RecursionError\)"):
        read_document(READER, str(path))


@pytest.mark.parametrize(
    ("name", "data", "seconds"),
    [("a.md", b"[" * 200_000, 1), ("a.md", b"*a_ " * 200_000, 1)],
)
def test_a_real_parser_is_stopped_on_hostile_input(tmp_path, name, data, seconds):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(FieldError, match="took too long") as error:
        parse_document(Document(str(path), name, len(data)), seconds)
    assert error.value.place == (str(path), None)


def test_a_large_document_is_read_completely(tmp_path):
    path = tmp_path / "a.md"
    text = "\n\n".join(f"Paragraph {number} 😀." for number in range(5000))
    path.write_text("# Title\n\n" + text)
    found = parse_document(Document(str(path), "a.md", path.stat().st_size))
    assert found == Article("a.md", "Title", text.replace("\n\n", "\n"))
