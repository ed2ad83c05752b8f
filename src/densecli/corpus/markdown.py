"""Markdown: its words without its marks."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from html import unescape

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from densecli.corpus.text import decode_text

YAML = re.compile(r"---[ \t]*\r?\n(.*?\n)?(?:---|\.\.\.)[ \t]*(?:\r?\n|$)", re.DOTALL)
TOML = re.compile(r"\+\+\+[ \t]*\r?\n(.*?\n)?\+\+\+[ \t]*(?:\r?\n|$)", re.DOTALL)
HTML = re.compile(r"<!--.*?(?:-->|\Z)|<[^<>]*>", re.DOTALL)
BREAKS = {"softbreak", "hardbreak"}
BREAK_TAG = re.compile(r"</?(?:br|p|div|hr|li|ul|ol|dd|dt|td|th|tr|h[1-6])\b", re.IGNORECASE)
"""Tags within a line at which a word ends; `<b>` and other tags can stand in the middle of one."""


def read(data: bytes, name: str) -> tuple[str, str]:
    """Return a title and the words of a Markdown file, a paragraph, heading, item or cell a line.

    The title is the first heading, where the text begins with one of the first level; else what the front
    matter names so; else the file's name. Code stays, without its fences; pictures and HTML tags go.

    Raises:
        FieldError: not UTF-8.
    """
    title, text = split_front_matter(decode_text(data))
    title = title or name
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    if len(tokens) > 1 and tokens[0].type == "heading_open" and tokens[0].tag == "h1":
        title, tokens = _inline(tokens[1].children or ()) or title, tokens[3:]
    return title, "\n".join(line for line in map(str.strip, _lines(tokens)) if line)


def split_front_matter(text: str) -> tuple[str, str]:
    """Return the title that the front matter of a text names, or an empty string; and the text without it.

    Front matter is the text at the beginning between two lines of `---` (YAML) or `+++` (TOML), when it is a
    mapping. Anything else between two such lines is text: a rule can come first as well.
    """
    for opening, fields_of in ((YAML, _yaml_fields), (TOML, _toml_fields)):
        found = opening.match(text)
        fields = fields_of(found[1] or "") if found else None
        if found and fields is not None:
            title = fields.get("title", "")
            return " ".join(title.split()) if isinstance(title, str) else "", text[found.end() :]
    return "", text


def _yaml_fields(block: str) -> Mapping[str, object] | None:
    """Return the fields of a YAML mapping that are plain values, or None where it is no mapping.

    Only its nodes are read. Values are not built, since those of hostile YAML can take any amount of memory.
    """
    try:
        root = yaml.compose(block, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError):
        return None
    if not isinstance(root, yaml.MappingNode):
        return {} if root is None and not block.strip() else None
    return {key.value: value.value for key, value in root.value if isinstance(key, yaml.ScalarNode)}


def _toml_fields(block: str) -> Mapping[str, object] | None:
    try:
        return tomllib.loads(block.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError:
        return None


def _lines(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type == "inline":
            yield _inline(token.children or ())
        elif token.type in ("fence", "code_block"):
            yield token.content
        elif token.type == "html_block":
            yield unescape(HTML.sub(" ", token.content))


def _inline(children: Sequence[Token]) -> str:
    return " ".join("".join(map(_shown, children)).split())


def _shown(token: Token) -> str:
    if token.type in BREAKS or (token.type == "html_inline" and BREAK_TAG.match(token.content)):
        return " "
    return token.content if token.type in ("text", "code_inline", "text_special") else ""
