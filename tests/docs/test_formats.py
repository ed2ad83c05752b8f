"""docs/formats.md has every form that is read or written."""

from pathlib import Path

import pytest

from densecli.configs.convert import GIVEN_VECTORS, MODEL_FORMS, TAKEN_VECTORS
from densecli.configs.corpus import FORMATS
from densecli.files.streams import OPENERS
from densecli.formats.convert import TARGETS
from densecli.formats.known import LINE_FORMS, ROW_FORMS

PAGE = (Path(__file__).parents[2] / "docs" / "formats.md").read_text()
SECTIONS = dict(part.split("\n", 1) for part in PAGE.split("\n## ")[1:])


@pytest.mark.parametrize("form", [*ROW_FORMS, *LINE_FORMS], ids=lambda form: f"{form.name}-{form.kind}")
def test_every_format_of_records_is_documented(form):
    rows = [row for row in SECTIONS["Questions, training examples and results"].split("\n") if "|" in row]
    named = [row for row in rows if f"| `{form.name}` |" in row]
    assert named
    if keys := getattr(form, "keys", ()):
        assert any(all(f"`{key}`" in row for key in keys) for row in rows), keys


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_of_a_corpus_is_documented(name):
    assert f"`{name}`" in SECTIONS["Corpora"]


@pytest.mark.parametrize("name", sorted({name for _, name in TARGETS}))
def test_every_written_format_is_documented(name):
    assert f"| `{name}` |" in SECTIONS["What is written"]


@pytest.mark.parametrize("name", [*MODEL_FORMS, *TAKEN_VECTORS, *GIVEN_VECTORS])
def test_every_format_of_models_and_vectors_is_documented(name):
    assert f"`{name}`" in SECTIONS["Models, vectors and indexes"]


@pytest.mark.parametrize("ending", OPENERS)
def test_every_compression_is_documented(ending):
    assert f"`{ending}`" in SECTIONS["Where files may be"]
