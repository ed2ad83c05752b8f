import time

import pytest

from densecli.corpus.markdown import read


@pytest.mark.parametrize(
    ("markdown", "title", "text"),
    [
        ("# The *Title* #\nbody\n## more", "The Title", "body\nmore"),
        ("Title\n=====\nbody", "Title", "body"),
        ("text\n# later", "name", "text\nlater"),
        ("## second level\nx", "name", "second level\nx"),
        ("---\ntitle: 'Front: matter'\ntags: [a]\n---\nbody", "Front: matter", "body"),
        ("---\nno: title\n---\n# H\nbody", "H", "body"),
        ("---\nnot front matter", "name", "not front matter"),
        ("---\njust a paragraph\n\n---\nmore", "name", "just a paragraph\nmore"),
        ("---\n- an item\n- another\n---\nmore", "name", "an item\nanother\nmore"),
        ("---\na: [b\n---\nmore", "name", "a: [b\nmore"),
        ("---\ntitle: [a, b]\n---\nmore", "name", "more"),
        ("---\r\ntitle: >\r\n  folded\r\n  title\r\n...\r\nmore", "folded title", "more"),
        ("---\n---\nmore", "name", "more"),
        ("+++\ntitle = 'In TOML'\n[extra]\na = 1\n+++\nmore", "In TOML", "more"),
        ("+++\nplus signs\n+++\nmore", "name", "+++ plus signs +++ more"),
        ("*a* __b__ `c` [label](http://x.y) ![picture](p.png) \\*d &amp; e\nf  \ng", "name",
         "a b c label *d & e f g"),
        ("- one\n- two\n  1. three\n\n> quoted\n", "name", "one\ntwo\nthree\nquoted"),
        ("```py\nx = 1\n```\n\n    indented\n", "name", "x = 1\nindented"),
        ("| a | b |\n|---|---|\n| *c* | d |\n", "name", "a\nb\nc\nd"),
        ("a <b>bold</b> <!-- gone --> c\n\n<div>raw <!-- x --> &lt;html</div>\n", "name",
         "a bold c\nraw   <html"),
        ("one<br>two<BR />three fo<b>u</b>r\n\n| a | b |\n|---|---|\n| c<br/>d | e |\n", "name",
         "one two three four\na\nb\nc d\ne"),
        ("", "name", ""),
        ("# \nx", "name", "x"),
        ("\ufeff# BOM\r\nline\r\n", "BOM", "line"),
    ],
)  # fmt: skip
def test_markup_is_removed(markdown, title, text):
    assert read(markdown.encode(), "name") == (title, text)


@pytest.mark.parametrize(
    "block", ["a: &a [x]\n" + "b: [*a, *a]\n" * 9, "[" * 5000, "a: " + "{b: " * 5000, "<<: [" * 3000]
)
def test_hostile_front_matter_is_read_quickly(block):
    begin = time.process_time()
    read(f"---\n{block}\n---\ntext".encode(), "name")
    assert time.process_time() - begin < 5


@pytest.mark.parametrize("html", ["<!--" * 100_000, "<!-- a" * 100_000 + "-->", "<" * 100_000])
def test_unclosed_html_is_read_in_linear_time(html):
    begin = time.process_time()
    read(html.encode(), "name")
    assert time.process_time() - begin < 10


def test_an_unclosed_comment_hides_the_rest():
    assert read(b"a\n\n<!-- b\n\nc", "name") == ("name", "a")
