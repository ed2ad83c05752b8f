"""Codes of what is counted, and their English."""

import ast
import re
from pathlib import Path

import densecli
from densecli.counts import MESSAGES, describe_count, format_counts
from densecli.files.bad_records import DUPLICATE, REST

SOURCE = Path(densecli.__file__).parent
COUNTERS = re.compile(r"_?(\w*counts|dropped|left_out|problems)")


def counted(tree: ast.AST):
    """The codes that a module counts by, as far as they are literals."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            name = getattr(node.value, "id", getattr(node.value, "attr", ""))
            if COUNTERS.fullmatch(name) and isinstance(node.slice.value, str) and len(node.slice.value) > 2:
                yield node.slice.value
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "FieldError":
            for keyword in node.keywords:
                if keyword.arg == "code" and isinstance(keyword.value, ast.Constant):
                    yield f"skipped_{keyword.value.value}"


def test_every_code_has_an_english_text():
    used = {code for path in SOURCE.rglob("*.py") for code in counted(ast.parse(path.read_text()))}
    assert len(used) > 70
    assert not used - MESSAGES.keys()
    assert {f"skipped_{DUPLICATE}", f"skipped_{REST}", "skipped_unusable"} <= MESSAGES.keys()
    assert all(re.fullmatch("[a-z_]+", code) for code in MESSAGES)


def test_counts_are_shown_in_words():
    assert (
        format_counts({"passages": 1200, "skipped_broken_json": 3})
        == "passages 1,200, skipped: broken JSON 3"
    )
    assert describe_count("lists_shorter_than_20") == "lists shorter than 20"
    assert describe_count("with_fewer_bm25_negatives") == "with fewer bm25 negatives than asked for"
    assert describe_count("bm25_positives") == "bm25 positives"
    assert describe_count("of_a_later_version") == "of a later version"
