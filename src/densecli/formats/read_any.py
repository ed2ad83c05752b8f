"""Any file or folder of records, for commands that take them all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from densecli.artifacts.manifest import outline
from densecli.artifacts.passages.store import PassageStore
from densecli.artifacts.workspace import EXAMPLES_FILE
from densecli.errors import UsageError
from densecli.files.bad_records import STOP, BadRecords
from densecli.formats.beir_folder import is_beir, lookup_of, read_folder
from densecli.formats.detect import detect_format
from densecli.formats.documents import open_document
from densecli.formats.known import EXAMPLES, PASSAGES
from densecli.formats.lookup import Lookup, questions_by_id
from densecli.formats.read_questions import read_questions


@contextmanager
def open_records(
    path: str, named: str | None = None, bad: BadRecords = STOP
) -> Iterator[tuple[Iterator[Any], str]]:
    """Open a file or folder with records of some kind; yield them, and the kind.

    Args:
        path: a file, `-`, a passage store, a folder of mine-negatives, a BEIR folder.
        named: the form's name; by default the first record decides.
        bad: what a record that cannot be used does.

    Raises:
        InputError: it cannot be read, or no form fits.
        UsageError: a form is named for a folder, which has but one.
        ArtifactError: it is a result of ours that holds no records.
    """
    place = Path(path)
    own = place / EXAMPLES_FILE
    beir = place.is_dir() and is_beir(path)
    made = outline(place) is not None and not own.is_file()
    if named is not None and (beir or made):
        raise UsageError("`form` has an effect only on a file")
    if beir:
        yield bad.usable(path, read_folder(path, bad)), EXAMPLES
    elif made:
        yield iter(PassageStore.open(place)), PASSAGES
    else:
        with open_document(str(own) if own.is_file() else path, bad) as document:
            known = detect_format(document, None, named)
            yield bad.usable(document.name, known.records()), known.form.kind


@contextmanager
def open_lookup(
    path: str, questions: str | None, passages: Path | None, bad: BadRecords = STOP, needed: bool = True
) -> Iterator[Lookup]:
    """Yield the texts that are known for the ids of an input.

    Args:
        path: the input; when it is one of the qrels files of a BEIR folder, that folder has the texts.
        questions: a file of questions.
        passages: a passage store.
        bad: what a question that cannot be used does.
        needed: whether the texts of a BEIR folder are; they can be many.

    Raises:
        InputError: a file cannot be read, or an id occurs twice.
        ArtifactError: the store is missing or incomplete.
    """
    if needed and questions is None and passages is None and Path(path).is_file() and is_beir(path):
        with lookup_of(Path(path).parent.parent, bad) as lookup:
            yield lookup
        return
    yield lookup_from(questions, passages, bad)


def lookup_from(questions: str | None, passages: Path | None, bad: BadRecords = STOP) -> Lookup:
    """Return the texts in a file of questions and in a passage store, each of which may be missing.

    Raises:
        InputError: the questions cannot be read, or an id occurs twice.
        ArtifactError: the store is missing or incomplete.
    """
    known = {} if questions is None else questions_by_id(read_questions(questions, bad=bad), questions, bad)
    return Lookup(known, None if passages is None else PassageStore.open(passages))
