"""Relevance judgments as a table: for each question, the grades of its passages."""

from densecli.errors import InputError
from densecli.files.bad_records import DUPLICATE, STOP, BadRecords
from densecli.files.streams import display_name
from densecli.formats.detect import detect_format
from densecli.formats.documents import open_document
from densecli.formats.known import QRELS

Qrels = dict[str, dict[str, int]]


def read_qrels(path: str, bad: BadRecords = STOP) -> Qrels:
    """Return the grades by question id and passage id, of TREC's or BEIR's qrels.

    Raises:
        InputError: the file cannot be read, holds no judgments, or has two grades for one passage.
    """
    found: Qrels = {}
    with open_document(path, bad) as document:
        for one in bad.usable(display_name(path), detect_format(document, QRELS).records()):
            grades = found.setdefault(one.question_id, {})
            if grades.setdefault(one.passage_id, one.grade) != one.grade:
                what = (
                    f"passage {one.passage_id!r} has grades {grades[one.passage_id]} and {one.grade}"
                    f" for question {one.question_id!r}"
                )
                bad.refuse(DUPLICATE, InputError(display_name(path), None, what, "one grade"))
    return found
