from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from densecli.corpus.wikipedia.balance import DEEPEST, without_clutter


def cut(text):
    return without_clutter(text, lambda name: name.strip() == "p", {"file"}, Counter())


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a {{x|{{p|b}}}} {{p|c {{x}}}}", "a  {{p|c }}"),
        ("[[a]] [[ File : x|y [[b]]]] [[fr:a]] [[zh-min-nan:a]] [[Zr: a]]", "[[a]]    [[Zr: a]]"),
        ("a ]] }} |} [[ {{\n|}", "a   |}  \n"),
        ("[http://a.b c [[d]]] [//a.b] [sic]", " c [[d]]  [sic]"),
        ("\n{| a\n|b\n{|\n|}\n|}\nc |} d", "\n\nc |} d"),
        ("<ul><li><ul></ul></li></ul>a</ol>", "a"),
        ("{{p|[[a }} b]]", "{{p|a }} b"),
        ("{{{p}}} {{{{p|a}}}}", " "),
    ],
)
def test_unbalanced_brackets_are_cut(text, kept):
    assert cut(text) == kept


def test_nesting_too_deep_for_the_parser_is_cut():
    assert cut("{{p|" * DEEPEST + "a" + "}}" * DEEPEST) == "{{p|" * DEEPEST + "a" + "}}" * DEEPEST
    assert "a" not in cut("{{p|" * (DEEPEST + 1) + "a" + "}}" * (DEEPEST + 1))


@given(
    st.lists(st.sampled_from(["[[", "]]", "{{", "}}", "p|", "a", "[[File:", "\n"]), max_size=40).map("".join)
)
def test_every_remaining_bracket_has_a_partner(text):
    kept = cut(text)
    counts = Counter(pair for pair in ("[[", "]]", "{{", "}}") for _ in range(kept.count(pair)))
    assert counts["[["] == counts["]]"]
    assert counts["{{"] == counts["}}"]
    assert cut(kept) == kept
