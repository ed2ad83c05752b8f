import re
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mwparserfromhell.parser import CTokenizer, Parser

from densecli.corpus.source import Dropped, Pruned
from densecli.corpus.wikipedia.dump import parse_page, read_dump
from densecli.corpus.wikipedia.wikitext import prose

LEFTOVER = re.compile(r"\[\[|\]\]|\{\{|\}\}|<ref|\{\||\|\}|'''|&nbsp;|https?://|<!--|-->|<nowiki|__[A-Z]+__")


@pytest.mark.parametrize(
    ("wikitext", "text"),
    [
        ("'''Ada''' was ''born'' in 1815.", "Ada was born in 1815."),
        (
            "a [[link]], [[page|label]]s, [[Page (kind)|]], [[Page#Part]], [[#Part]]",
            "a link, labels, Page, Page, Part",
        ),
        ("[[:Category:Hills]] [[wikt:word]] [[s:A book|book]]", "Category:Hills word book"),
        ("x [[File:a.jpg|thumb|A [[hill]] {{nowrap|b}}]] y [[Category:Hills]]\n[[fr:Colline]]", "x y"),
        (
            "see [http://a.b/c?d=e the ''page''] [http://a.b] http://a.b/c, [mailto:a@b.c Ada]",
            "see the page, Ada",
        ),
        ("a<ref>note {{cite|x}}</ref> b<ref name=x/> c<ref name='y'>z</ref>.", "a b c."),
        ("a<!-- hidden [[b]] --> c<!-- to the end", "a c"),
        ("{{Infobox|name=[[x]]|{{y|z}}}}\nAda{{citation needed}} lived.", "Ada lived."),
        ("{| class=wikitable\n! head\n|-\n| cell || {{x}}\n{|\n| inner\n|}\n|}\nAfter.", "After."),
        ("before\n{|\n| never closed\n! head\nafter", "before\nafter"),
        ("* item\n# item\n: indented\n; term : sense\n----\nText.\n*** deep", "Text."),
        ("<ul><li>a</li></ul><table><tr><td>b</td></tr></table>c<div class=x>d</div>", "c\nd"),
        ("H<sub>2</sub>O, 10<sup>6</sup><br/>m <span style='x'>big</span> 1 < 2", "H2O, 106 m big 1 < 2"),
        ("<math>x^2</math>a<gallery>\nFile:x.jpg|y\n</gallery>b<pre>[[c]]</pre>", "ab"),
        ("a&nbsp;b &amp; c&ndash;d &lt;e&gt; &amp;nbsp;f &#8211;", "a b & c–d <e> f –"),
        ("<nowiki>[http://x y] ''z''</nowiki> w<nowiki/>", "[y] ''z'' w"),
        ("__TOC__a\n__NOTOC__", "a"),
        ("l'''homme'' et ''l'eau''", "l'homme et l'eau"),
        ("-{zh-cn:a; zh-tw:b}- c", "a c"),
        ("{{nowrap|a {{small|[[b|c]]}}}} {{unknown|{{nowrap|d}}}}", "a c"),
        (
            "Ada ({{IPA|x}}; {{lang-fr|[[mot|mots]]}}; 1815 – 1852) ( , ) [ ]",
            "Ada (French: mots; 1815 – 1852)",
        ),
        ("a {{x}}, {{y}}, b {{z}}. c ( {{w}} ) d", "a, b. c d"),
        ("{{{parameter|default}}} a", "a"),
        ("[[open {{b [[c]] }} d ]] e", "open d e"),
        ("{{open [[a|b]]\nc", "open b\nc"),
        ("[[[a]]] [[b]] ]] }} |} {|", "a b"),
        ("", ""),
    ],
)
def test_each_wikitext_construct_becomes_plain_text(wikitext, text):
    assert prose(wikitext) == text


def test_headings_and_sections_of_notes_are_removed():
    page = (
        "top\n== Life ==\na\n=== Notes on youth ===\nb\n==See also==\nc\n===d===\ne\n== Works<!-- x --> ==\nf"
    )
    assert prose(page) == "top\na\nb\nf"


def test_localized_namespaces_of_files_and_categories_are_known():
    assert prose("a [[Delwedd:x.jpg|bawd|y]] [[Categori:z]]", ("delwedd", "categori")) == "a"


MARKS = """
[[ ]] [ ] {{ }} { } | {| |} <ref> </ref> <ref/> <!-- --> <nowiki> </nowiki> '' ''' ==
http://a.b/c [http://a [[File:
[[Category:x]] {{nowrap| {{convert|5|km}} {{lang-fr| &nbsp; &amp;nbsp; &lt;ref&gt; &#91;&#91;
&#123;&#123; <table>
</table> <ul> </ul> <div> </div> <br> < > -{ }- __TOC__ {{!}} {{= ( ) ; , . * # : a
"""
PIECES = st.sampled_from([*MARKS.split(), "\n", " "])


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=60).map("".join))
def test_nested_or_unclosed_markup_leaves_nothing_behind(wikitext):
    assert not LEFTOVER.search(prose(wikitext))


@given(st.text("ab .,\n", max_size=80))
def test_text_without_markup_keeps_its_words(text):
    assert re.findall("[ab]+", prose(text)) == re.findall("[ab]+", text)


@pytest.mark.parametrize(
    "piece", ["{{a|", "[[a|", "[http://a ", "<ref>", "{|\n", "<x>", "{{nowrap|[[a|", "''a'''", "* a\n"]
)
def test_unclosed_markup_is_read_in_linear_time(piece):
    prose(piece)
    begin = time.process_time()
    prose(piece * (200_000 // len(piece)))
    assert time.process_time() - begin < 10  # the parser alone takes minutes for some


def test_the_compiled_tokenizer_is_used():
    assert isinstance(Parser()._tokenizer, CTokenizer)


SAMPLE = Path(__file__).parents[4] / "shared" / "data" / "wiki" / "enwiki-dump-sample.xml.bz2"


@pytest.mark.skipif(not SAMPLE.exists(), reason="../shared absent")
def test_a_real_dump_leaves_no_markup():
    kept: Counter[str] = Counter()
    counted: Counter[str] = Counter()
    share = 0.0
    for _, page in read_dump(str(SAMPLE)).raw:
        parsed = parse_page(page)
        kept[parsed.reason if isinstance(parsed, Dropped) else "article"] += 1
        if isinstance(parsed, Pruned):
            counted += parsed.left_out
            parsed = parsed.article
            assert not (found := LEFTOVER.search(parsed.text)), (page.title, found)
            assert not re.search(r"\( |\(\)| \)|\( ?[;,]|[;,] ?\)|\s\s|^[*#:;|] ", parsed.text), page.title
            share += len(parsed.text) / len(page.text) / 96
    assert kept == {"article": 96, "redirect": 100, "disambiguation": 8, "list": 2}
    assert counted["infoboxes"] == 52
    assert min(counted[kind] for kind in ("tables", "references", "list_items", "other_templates")) > 50
    assert 0.4 < share < 0.7


def test_omitted_parts_are_counted_by_kind():
    page = """{{Infobox person|name={{nowrap|A}}}}{{short description|x}}
A was{{cn}} born<ref>book</ref> in [[Ulm]]<ref name="b"/>. [[File:a.jpg|thumb|A]]
{| class="wikitable"
| cell || {{flag|x}}
|}
* one
* two
== Works ==
B.<math>x</math> <ul><li>three</li></ul>
== See also ==
* [[C]] {{portal}}
[[Category:People]]
"""
    left_out = Counter()
    assert prose(page, left_out=left_out) == "A was born in Ulm.\nB."
    assert +left_out == {
        "infoboxes": 1,
        "other_templates": 2,
        "references": 2,
        "links_to_files_categories_and_languages": 1,
        "tables": 1,
        "list_items": 2,
        "html_lists": 1,
        "other_elements": 1,
        "sections_without_prose": 1,
    }
