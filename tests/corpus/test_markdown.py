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
        ("*a* __b__ `c` [label](http://x.y) ![picture](p.png) \\*d &amp; e\nf  \ng", "name",
         "a b c label *d & e f g"),
        ("- one\n- two\n  1. three\n\n> quoted\n", "name", "one\ntwo\nthree\nquoted"),
        ("```py\nx = 1\n```\n\n    indented\n", "name", "x = 1\nindented"),
        ("| a | b |\n|---|---|\n| *c* | d |\n", "name", "a\nb\nc\nd"),
        ("a <b>bold</b> <!-- gone --> c\n\n<div>raw <!-- x --> &lt;html</div>\n", "name",
         "a bold c\nraw   <html"),
        ("", "name", ""),
        ("# \nx", "name", "x"),
        ("\ufeff# BOM\r\nline\r\n", "BOM", "line"),
    ],
)  # fmt: skip
def test_words_without_marks(markdown, title, text):
    assert read(markdown.encode(), "name") == (title, text)


@pytest.mark.parametrize("html", ["<!--" * 100_000, "<!-- a" * 100_000 + "-->", "<" * 100_000])
def test_the_time_is_linear_in_html_that_is_left_open(html):
    begin = time.process_time()
    read(html.encode(), "name")
    assert time.process_time() - begin < 10


def test_a_comment_that_is_not_closed_hides_the_rest():
    assert read(b"a\n\n<!-- b\n\nc", "name") == ("name", "a")
