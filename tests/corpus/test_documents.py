import importlib.util
import os
import pickle
import sys

import pytest

from densecli.corpus import documents as folder
from densecli.corpus.documents import parse_document, read_folder
from densecli.corpus.source import Dropped
from densecli.errors import ArtifactError, FieldError, InputError
from densecli.records import Article


def write(root, name, content):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def articles(path):
    source = read_folder(str(path))
    return [pickle.loads(pickle.dumps(source.parse))(document) for _, document in source.raw]


def test_documents_are_read_in_name_order(tmp_path):
    write(tmp_path, "b.txt", "\ufeffplain\n")
    write(tmp_path, "a/deep.MD", "\n# The *Title* \nbody\n# more")
    write(tmp_path, "a/note.md", "no heading\n# later")
    write(tmp_path, "a.html", "<title>T</title><p>page")
    write(tmp_path, "picture.png", b"\xff")
    (tmp_path / "folder.txt").mkdir()
    write(tmp_path, os.fsdecode(b"\xff.bin"), "a")
    found = articles(tmp_path)
    assert found.count(Dropped("of_another_kind")) == 2
    assert [one for one in found if isinstance(one, Article)] == [
        Article("a/deep.MD", "The Title", "body\nmore"),
        Article("a/note.md", "note", "no heading\nlater"),
        Article("a.html", "T", "page"),
        Article("b.txt", "b", "plain\n"),
    ]
    source = read_folder(str(tmp_path))
    assert {document.id: source.size(document) for _, document in source.raw}["b.txt"] == 9


def test_a_single_file_is_read(tmp_path):
    path = write(tmp_path, "x/one.txt", "text")
    assert articles(path) == [Article("one.txt", "one", "text")]


@pytest.mark.parametrize("name", ["x.png", ""])
def test_a_folder_without_documents_is_refused(tmp_path, name):
    if name:
        write(tmp_path, name, "a")
    with pytest.raises(InputError, match=r"no \.txt, \.md, .*\.pdf file in it; expected at least one"):
        read_folder(str(tmp_path))


def test_a_missing_folder_is_reported(tmp_path):
    with pytest.raises(InputError, match="nowhere: no such file or folder"):
        read_folder(str(tmp_path / "nowhere"))


def test_a_file_name_that_is_not_utf8_is_refused(tmp_path):
    write(tmp_path, os.fsdecode(b"\xff.txt"), "a")
    write(tmp_path, "b.txt", "b")
    write(tmp_path, os.fsdecode(b"\xff.png"), "of another kind")
    good, odd, other = (document for _, document in read_folder(str(tmp_path)).raw)
    assert parse_document(good).text == "b"
    assert isinstance(parse_document(odd), Dropped) or isinstance(parse_document(other), Dropped)
    faulty = odd if odd.fault else other
    with pytest.raises(FieldError, match="the name is not UTF-8"):
        parse_document(faulty)
    alone = read_folder(str(tmp_path / os.fsdecode(b"\xff.txt")))
    with pytest.raises(FieldError, match="the name is not UTF-8"):
        parse_document(next(document for _, document in alone.raw))


def test_an_unreadable_folder_is_one_bad_record(tmp_path):
    write(tmp_path, "a.txt", "a")
    write(tmp_path, "z.txt", "z")
    at, opened = os.open(tmp_path, os.O_RDONLY), []
    for _ in range(20):  # deeper than a path may be long
        os.mkdir("d" * 250, dir_fd=at)
        opened.append(at)
        at = os.open("d" * 250, os.O_RDONLY, dir_fd=at)
    documents = [document for _, document in read_folder(str(tmp_path)).raw]
    assert [document.id for document in documents] == ["a.txt", "", "z.txt"]
    with pytest.raises(FieldError, match=r"cannot be listed \(File name too long\)") as caught:
        parse_document(documents[1])
    assert caught.value.place == (documents[1].path, None)
    for number in [at, *opened]:
        os.close(number)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.txt", b"\xff", r"not UTF-8 \(0xFF is byte 1\); expected UTF-8 text"),
        ("x.md", b"\xff", r"not UTF-8"),
        ("x.txt", "a\0", r"holds a NUL character"),
        ("x.html", "<meta charset=nonsense>", r"not nonsense"),
        ("x.pdf", "text", r"not a PDF, or damaged"),
    ],
)
def test_an_unusable_document_is_named(tmp_path, name, content, message):
    write(tmp_path, f"a/{name}", content)
    for path in (tmp_path, tmp_path / "a" / name):
        with pytest.raises(FieldError, match=message) as caught:
            articles(path)
        assert caught.value.place == (str(tmp_path / "a" / name), None)


def test_a_removed_or_too_large_document_is_refused(tmp_path):
    write(tmp_path, "x.txt", "a")
    [(_, document)] = read_folder(str(tmp_path)).raw
    with pytest.raises(FieldError, match="more than 256 MiB"):
        parse_document(document._replace(size=1 << 30))
    os.remove(document.path)
    with pytest.raises(FieldError, match=r"cannot be read; .*No such file"):
        parse_document(document)


@pytest.mark.parametrize(("library", "name"), [("pypdf", "b.pdf"), ("selectolax", "b.htm")])
def test_a_missing_library_is_reported_before_the_work(tmp_path, monkeypatch, library, name):
    found = importlib.util.find_spec
    monkeypatch.setattr(folder, "find_spec", lambda one: None if one == library else found(one))
    write(tmp_path, "a.txt", "text")
    assert len(articles(tmp_path)) == 1
    path = write(tmp_path, name, "x")
    write(tmp_path, f"c/{name}", "x")
    with pytest.raises(ArtifactError) as caught:
        read_folder(str(tmp_path))
    assert str(caught.value) == (
        f"{path} and 1 more: {library} is not installed; install it, too (pip install {library})"
    )


def test_plain_text_loads_no_document_library(tmp_path):
    write(tmp_path, "a.txt", "text")
    code = (
        "import sys; from densecli.corpus.documents import read_folder; source = read_folder(sys.argv[1]);"
        "[source.parse(document) for _, document in source.raw];"
        "sys.exit(bool({'pypdf', 'selectolax', 'markdown_it'} & set(sys.modules)))"
    )
    assert os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", code, str(tmp_path)]) == 0


@pytest.mark.parametrize("name", ["x.txt.gz", "x.docx"])
def test_a_file_that_is_not_a_document_is_refused(tmp_path, name):
    path = write(tmp_path, name, "text")
    with pytest.raises(InputError, match=rf"^{path}: is no document; expected .*\.txt.*, not compressed$"):
        read_folder(path)
