import pytest

from densecli.corpus.html import read
from densecli.errors import FieldError

PAGE = """<!doctype html><html><head><title> A &amp;
 B </title><style>p{}</style><script>x()</script></head><body>
<header><h1>Site</h1></header><nav><a href=/>Home</a></nav>
<main><p>First <b>para</b>graph
 with <a href=x>a link</a>.</p><p>Second.<br>line</p><ul><li>one<li>two</ul>
<table><tr><td>a</td><td>b</td></tr></table><script>y()</script><form>Search</form><p hidden>secret</p></main>
<aside>Ads</aside><footer>Imprint</footer></body></html>"""


def test_only_the_main_part_of_a_page_is_read():
    assert read(PAGE.encode(), "name") == (
        "A & B",
        "First paragraph with a link.\nSecond.\nline\none\ntwo\na\nb",
    )


def test_a_page_within_a_form_is_read():
    page = "<form id=all><nav>Home</nav>{}<form>Search here</form></form>"
    for text in ("<p>One paragraph of words.</p>", "<main><p>One</p></main>"):
        assert read(page.format(text).encode(), "name")[1].startswith("One")


@pytest.mark.parametrize(
    ("html", "title", "text"),
    [
        (b"<h1>H</h1><p>x", "H", "H\nx"),
        (b"plain", "name", "plain"),
        (b"", "name", ""),
        (b"<frameset><frame></frameset>", "name", ""),
        (b"<article>a</article><article>b</article>c", "name", "a\nb\nc"),
        (b"<p>a</p><article>b</article>", "name", "b"),
        ("<meta charset='iso-8859-1'><p>café".encode("latin-1"), "name", "café"),
        (b"\xff\xfe" + "<p>é".encode("utf-16-le"), "name", "é"),
        ("\ufeff<p>é".encode(), "name", "é"),
        (b"<div><p>broken <b>tags</div></i>", "name", "broken tags"),
        (b"<meta charset=iso-8859-1><p>\x93quoted\x94", "name", "“quoted”"),
        (b"<meta charset=windows-1252><p>\x81 \xe9", "name", "\x81 é"),
        (b"<p>many" + b"<p>para" * 20_000, "name", "many" + "\npara" * 20_000),
        (b"<div><b>a</b></div>" * 6_000, "name", "\n".join(["a"] * 6_000)),
    ],
)
def test_title_and_text_of_a_page_are_read(html, title, text):
    assert read(html, "name") == (title, text)


@pytest.mark.parametrize(
    ("html", "message"),
    [
        (b"<p>\xff", "not utf-8"),
        (b"<meta charset=nonsense>", "not nonsense"),
        *((f"<meta charset={name}>x".encode(), f"not {name}") for name in ("undefined", "punycode", "idna")),
        (b"<div>" * 100_000, "tags that are not closed"),
        (b"<dl><dd>" * 100_000, "tags that are not closed"),
        (b"<main>" * 100_000, "tags that are not closed"),
        (b"</b>" * 300_000 + b"<div>" * 300_000, "tags that are not closed"),
        (b"<div>" * 100_000 + b"</div>" * 100_000, "tags that are not closed"),
        (b"<a " + b"".join(b"a%d=1 " % n for n in range(200_000)) + b">x", "more than 1000 attributes"),
    ],
)
def test_an_unusable_page_is_refused(html, message):
    with pytest.raises(FieldError, match=message):
        read(html, "name")
