"""Which form a file has: by its first record, or as the user says."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from densecli.errors import InputError, UsageError
from densecli.formats.documents import Document, Row
from densecli.formats.known import (
    EXAMPLES,
    LINE_FORMS,
    MARKED,
    PREDICTIONS,
    QRELS,
    QUESTIONS,
    RESULTS,
    ROW_FORMS,
    Form,
    LineForm,
    RowForm,
)
from densecli.records import Question, ranked_of

SOURCES = {
    QUESTIONS: (QUESTIONS, EXAMPLES, RESULTS, PREDICTIONS),
    EXAMPLES: (EXAMPLES,),
    RESULTS: (RESULTS, PREDICTIONS),
    QRELS: (QRELS,),
    MARKED: (RESULTS, PREDICTIONS, MARKED),
}
"""For each kind that is read: the kinds of files that hold it."""
LOOKED_AT = 100
"""Records read to find one that shows the format, if invalid ones are skipped."""
WORDS = {
    QUESTIONS: "questions",
    EXAMPLES: "training examples",
    RESULTS: "search results or predictions",
    QRELS: "relevance judgments",
    MARKED: "search results, or SQuAD's articles",
}


class DetectedFormat:
    """A document whose form is known.

    Attributes:
        form: its form.
    """

    def __init__(self, document: Document, form: Form, rows: Iterator[Row]) -> None:
        self.form = form
        self._document = document
        self._rows = rows

    def records(self) -> Iterator[Any]:
        """Yield its records, of the form's kind.

        Raises:
            InputError: `file:line: what; expected`, for the first that cannot be used.
        """
        if isinstance(self.form, LineForm):
            return self.form.read(self._document)
        assert isinstance(self.form, RowForm)
        return self._document.each(self._rows, self.form.parse)

    def questions(self) -> Iterator[Question]:
        """Yield the questions of its records, leaving the rest unread."""
        if isinstance(self.form, RowForm):
            return self._document.each(self._rows, self.form.questions)
        return self.records()


def detect_format(document: Document, wanted: str | None = None, named: str | None = None) -> DetectedFormat:
    """Find the form of a document.

    Args:
        document: just opened.
        wanted: the kind of records that must come out, if only one will do.
        named: the form's name as the user says it.

    Raises:
        InputError: no form, or none that holds what is wanted, fits the first record.
        UsageError: no form is named so.
    """
    names = sorted({form.name for form in (*ROW_FORMS, *LINE_FORMS)})
    document.is_named = named is not None
    if named is not None and named not in names:
        raise UsageError(f"`form` is {named!r}; expected one of {', '.join(names)}")
    kind = RESULTS if wanted == MARKED else wanted  # no form of lines marks answers
    lines = [form for form in LINE_FORMS if named in (None, form.name) and kind in (None, form.kind)]
    fitting = [] if document.is_json else [form for form in lines if form.fits(document)]
    if document.is_json or (document.is_named_json and not (fitting or named)):
        return _recognize_rows(document, wanted, named)
    if named and len(lines) == 1:
        fitting = lines
    if not fitting:
        raise _unknown(document, wanted, named, document.first)
    return DetectedFormat(document, fitting[0], iter(()))


def _recognize_rows(document: Document, wanted: str | None, named: str | None) -> DetectedFormat:
    rows = document.rows()
    begun = _beginning(document, rows, wanted, named)
    first = begun[-1]
    fields = first.fields.keys()
    fitting = _fitting(first, named)
    if not fitting and named is None and wanted is not None:
        fitting = [form for form in ROW_FORMS if form.kind == wanted and form.name in ("dpr", "jsonl")]
    if not fitting:
        raise _unknown(document, wanted, named, ", ".join(fields).encode())
    # a program may store several kinds under the same fields, such as SQuAD's articles
    same = [one for one in fitting if one.name == fitting[0].name]
    form = next((one for one in same if wanted is None or one.kind in SOURCES[wanted]), fitting[0])
    if wanted is not None and form.kind not in SOURCES[wanted]:
        raise InputError(document.name, first.line, f"holds {form.label}", WORDS[wanted])
    return DetectedFormat(document, form, chain(begun, rows))


def _beginning(document: Document, rows: Iterator[Row], wanted: str | None, named: str | None) -> list[Row]:
    """Take the first row, or if invalid ones are skipped those up to the first that shows the format."""
    begun: list[Row] = []
    for row in rows:
        begun.append(row)
        fitting = _fitting(row, named)
        if not document.bad.skip or (fitting and (wanted is None or fitting[0].kind in SOURCES[wanted])):
            return begun
        if len(begun) == LOOKED_AT:
            break
    if not begun:
        what = "no JSON object in it that can be read" if document.bad.counts else "is empty"
        raise InputError(document.name, None, what, "at least one record")
    return begun


def _fitting(row: Row, named: str | None) -> list[RowForm]:
    return [
        form
        for form in ROW_FORMS
        if row.fields.keys() >= set(form.keys)
        and named in (None, form.name)
        and form.fits(row.fields)
        and (named is not None or form.likely(row.fields))
    ]


def _unknown(document: Document, wanted: str | None, named: str | None, shown: bytes) -> InputError:
    what = f"no {WORDS[wanted] if wanted else 'form that is known'}: {shown[:60].decode(errors='replace')!r}"
    expected = "a form of docs/formats.md"
    if named:
        what, expected = (
            f"not in the form {named!r}: {shown[:60].decode(errors='replace')!r}",
            "what `form` says",
        )
    elif wanted == QRELS:
        expected = "`qid 0 docid grade`, or BEIR's `query-id corpus-id score`"
    elif wanted == QUESTIONS:
        expected = "JSON objects with 'question', or questions and lists of answers separated by tabs"
    elif not wanted:
        expected += ", or `form` and its name"
    return InputError(document.name, document.line, what, expected)


def refuse_bare(form: Form, name: str, options: bool = False) -> None:
    """Refuse a form without texts where texts are needed.

    Args:
        form: the form.
        name: the file's name.
        options: whether the command itself takes the texts.

    Raises:
        InputError: with the command that adds them.
    """
    if form.bare:
        named = "`questions` FILE `passages` FOLDER"
        adds = f"{named} add" if options else f"`densecli convert {name} {named} --to jsonl` adds"
        raise InputError(name, None, f"holds ids only ({form.label})", f"texts: {adds} them")


def question_of(record: Any) -> Question:
    """Return the question of a record of any kind."""
    question: Question = ranked_of(record).question
    return question
