"""The formats of questions, training examples and results, and how to detect them."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from densecli.errors import FieldError
from densecli.fields import Json
from densecli.files.streams import STDIN, packing
from densecli.files.utf8 import decode_utf8
from densecli.formats import beir, dpr, flag_embedding, gold, qrels, runs, tevatron
from densecli.formats.columns import Columns, split
from densecli.formats.documents import Document
from densecli.formats.qa_table import read_table
from densecli.formats.topics import is_queries, is_topics, read_queries, read_topics
from densecli.records import Question, RankedList, TrainingExample, holds_prediction, result_from_json

QUESTIONS, EXAMPLES, RESULTS, PREDICTIONS = "questions", "examples", "results", "predictions"
MARKED = "passages with marked answers"
QRELS, PASSAGES = "qrels", "passages"
MARKUP = re.compile(rb"\s*<[!?/A-Za-z]")
Build = Callable[[Json, str], Any]
Parse = Callable[[Json, str], Iterable[Any]]


@dataclass(frozen=True, kw_only=True)
class Form:
    """How a file is laid out.

    Attributes:
        name: as `convert --from` takes it; the kinds of one program may share it.
        kind: what its records are.
        label: the format in words, for messages.
        bare: whether records hold ids in place of texts.
    """

    name: str
    kind: str
    label: str
    bare: bool = False


@dataclass(frozen=True, kw_only=True)
class RowForm(Form):
    """JSON objects. `keys` identify it; `parse` makes records; `questions` only their questions.

    `fits` must be true as well, where names alone do not identify the form.
    """

    keys: tuple[str, ...]
    parse: Parse
    questions: Parse
    fits: Callable[[Json], bool] = bool
    likely: Callable[[Json], bool] = bool
    """What must be true where nobody has named the form."""


@dataclass(frozen=True, kw_only=True)
class LineForm(Form):
    """Lines of another kind. `fits` looks at the first; `read` makes records."""

    fits: Callable[[Document], bool]
    read: Callable[[Document], Iterator[Any]]


def _one(build: Build) -> Parse:
    return lambda row, default_id: (build(row, default_id),)


def _columns(document: Document) -> Columns:
    try:
        return split(document.first)
    except FieldError:
        return ()


def _three_columns(document: Document) -> Columns:
    columns = _columns(document)
    return columns if len(columns) == document.first.count(b"\t") + 1 == 3 else ("", "", "")


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _is_table(document: Document) -> bool:
    _, tab, last = document.first.rpartition(b"\t")
    listed = bool(tab) and last.lstrip(b'" ').startswith(b"[")
    return listed or _plain_name(document.path).endswith((".csv", ".tsv"))


def _is_trec_run(document: Document) -> bool:
    columns = _columns(document)
    return len(columns) == 6 and columns[3].isdigit() and _number(columns[4])


def _is_qrels(document: Document) -> bool:
    columns = _columns(document)
    # the second column is not used: 0, the Q0 of runs, or the number of an iteration (TREC-COVID)
    unused = len(columns) == 4 and (columns[1] == "Q0" or _number(columns[1]))
    label = unused and columns[3].removeprefix("-").isdigit()
    return label or list(columns) == qrels.BEIR_HEADER


def _is_msmarco_run(document: Document) -> bool:
    return _three_columns(document)[2] == "1"


def _is_tevatron_run(document: Document) -> bool:
    score = _three_columns(document)[2]
    return not score.isdigit() and _number(score)


def _is_plain(document: Document) -> bool:
    """Whether each line can be a question: one that begins with a tag or has a tab is of another form."""
    named = document.path == STDIN or _plain_name(document.path).endswith(".txt")
    return named and b"\t" not in document.first and not MARKUP.match(document.first)


def _plain_name(path: str) -> str:
    return path.removesuffix(packing(path))


def _read_plain(document: Document) -> Iterator[Question]:
    strict = not document.is_named  # `--from lines` says what the lines are
    for number, line in document.lines():
        try:
            if strict and (b"\t" in line or MARKUP.match(line)):
                raise FieldError("a line with a tab or a tag", "a question on each line", code="wrong_format")
            question = Question.from_json({"question": decode_utf8(line)}, str(number))
        except FieldError as error:
            document.refuse(error, number)
        else:
            yield question


def _rows(
    name: str,
    kind: str,
    label: str,
    keys: str,
    build: Build,
    question: Build | None = None,
    bare: bool = False,
    fits: Callable[[Json], bool] = bool,
    likely: Callable[[Json], bool] = bool,
) -> RowForm:
    """Return a form in which each object is one record."""
    parse, questions = _one(build), _one(question or build)
    return RowForm(
        name=name,
        kind=kind,
        label=label,
        keys=tuple(keys.split()),
        parse=parse,
        questions=questions,
        bare=bare,
        fits=fits,
        likely=likely,
    )


def _lines(
    name: str,
    kind: str,
    label: str,
    fits: Callable[[Document], bool],
    read: Callable[[Document], Iterator[Any]],
) -> LineForm:
    return LineForm(name=name, kind=kind, label=label, fits=fits, read=read, bare=kind != QUESTIONS)


def _run(
    entry: Callable[[Columns], runs.Entry], by_rank: bool = False
) -> Callable[[Document], Iterator[RankedList]]:
    return partial(runs.read_run, entry=entry, by_rank=by_rank)


_question = Question.from_json
# The first that fits counts, so those with more or rarer fields come first.
ROW_FORMS = (
    _rows("dpr", PREDICTIONS, "predictions of DPR's reader", "gold_answers predictions",
          dpr.prediction, dpr.question),
    _rows("dpr", EXAMPLES, "DPR's training examples", "positive_ctxs", TrainingExample.from_json, _question),
    _rows("tevatron", EXAMPLES, "Tevatron's training examples", "positive_passages",
          tevatron.example, tevatron.question),
    _rows("tevatron-ids", EXAMPLES, "Tevatron's training examples with ids", "positive_document_ids",
          tevatron.example_of_ids, tevatron.question, bare=True),
    _rows("flag-embedding", EXAMPLES, "FlagEmbedding's training examples", "query pos",
          flag_embedding.example, flag_embedding.question),
    RowForm(name="squad", kind=EXAMPLES, label="SQuAD's articles", keys=("paragraphs",),
            parse=gold.squad_examples, questions=gold.squad_questions),
    RowForm(name="squad", kind=MARKED, label="SQuAD's questions with their paragraphs", keys=("paragraphs",),
            parse=gold.squad_results, questions=gold.squad_questions),
    _rows("squad", EXAMPLES, "rows of SQuAD", "context question answers",
          gold.squad_row_example, gold.squad_row_question, fits=gold.is_squad_row),
    _rows("dpr-gold", EXAMPLES, "DPR's gold passages", "example_id title context",
          gold.dpr_gold_example, gold.dpr_gold_question),
    _rows("oracle", EXAMPLES, "questions with marked gold passages", "ctxs nq_annotated_gold",
          gold.oracle_example, _question),
    _rows("jsonl", PREDICTIONS, "predictions", "answer ctxs", result_from_json, _question,
          fits=holds_prediction),
    _rows("pyserini", RESULTS, "Pyserini's results for DPR", "question contexts",
          dpr.pyserini_result, _question),
    _rows("dpr", RESULTS, "search results", "ctxs", result_from_json, _question),
    # the same for those who name our own form, which would be questions otherwise
    _rows("jsonl", EXAMPLES, "training examples", "positive_ctxs", TrainingExample.from_json, _question),
    _rows("jsonl", RESULTS, "search results", "ctxs", result_from_json, _question),
    _rows("trivia-qa", QUESTIONS, "rows of TriviaQA", "question answer", gold.trivia_question,
          fits=gold.is_trivia_row),
    _rows("kilt", QUESTIONS, "KILT's questions", "input output", gold.kilt_question),
    # its corpus has the same fields, and titles
    _rows("beir", QUESTIONS, "BEIR's queries", "_id text", beir.question,
          likely=lambda row: "title" not in row),
    _rows("tevatron", QUESTIONS, "Tevatron's queries", "query_id query", tevatron.question),
    _rows("jsonl", QUESTIONS, "questions", "question", _question),
)  # fmt: skip
# From the strictest to the one that every line fits.
LINE_FORMS = (
    _lines("trec", RESULTS, "a TREC run", _is_trec_run, _run(runs.trec_entry)),
    _lines("trec", QRELS, "judgments", _is_qrels, qrels.read_qrels),
    _lines("msmarco", RESULTS, "an MS MARCO run", _is_msmarco_run, _run(runs.msmarco_entry, by_rank=True)),
    _lines("tevatron", RESULTS, "a Tevatron run", _is_tevatron_run, _run(runs.tevatron_entry)),
    _lines("topics", QUESTIONS, "TREC's topics", is_topics, read_topics),
    _lines("queries", QUESTIONS, "ids and questions with tabs between", is_queries, read_queries),
    _lines("dpr", QUESTIONS, "DPR's qa.csv", _is_table, read_table),
    _lines("lines", QUESTIONS, "a question on each line", _is_plain, _read_plain),
)  # fmt: skip
