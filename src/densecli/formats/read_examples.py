"""Training examples, from the files that DPR and others train on, and from benchmarks."""

from collections.abc import Iterator
from pathlib import Path

from densecli.artifacts.workspace import EXAMPLES_FILE
from densecli.files.bad_records import STOP, BadRecords
from densecli.files.streams import display_name
from densecli.formats.beir_folder import is_beir, read_folder
from densecli.formats.detect import detect_format, refuse_bare
from densecli.formats.documents import open_document
from densecli.formats.known import EXAMPLES
from densecli.records import TrainingExample


def read_examples(path: str, bad: BadRecords = STOP) -> Iterator[TrainingExample]:
    """Yield the training examples of a file, one in memory at a time.

    Args:
        path: JSON lines or one JSON array, of DPR, Tevatron (with passages), FlagEmbedding, SQuAD or gold
            passages; a folder made by mine-negatives; a BEIR folder or one of its qrels files; `-` for stdin.
        bad: what an example that cannot be used does.

    Raises:
        InputError: `file:line: what; expected`, for the first example that cannot be used, and for a file
            that holds ids only.
    """
    return bad.usable(display_name(path), _examples(path, bad))


def _examples(path: str, bad: BadRecords) -> Iterator[TrainingExample]:
    own = Path(path) / EXAMPLES_FILE
    if is_beir(path):
        yield from read_folder(path, bad)
        return
    with open_document(str(own) if own.is_file() else path, bad) as document:
        known = detect_format(document, EXAMPLES)
        refuse_bare(known.form, document.name)
        yield from known.records()
