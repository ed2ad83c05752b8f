"""Search results and predictions, ours or those of other programs."""

from collections.abc import Callable, Iterator

from densecli.errors import FieldError, InputError, UsageError
from densecli.files.bad_records import STOP, BadRecords
from densecli.files.streams import display_name
from densecli.formats.detect import detect_format, refuse_bare
from densecli.formats.documents import open_document
from densecli.formats.known import RESULTS
from densecli.formats.lookup import Lookup
from densecli.records import RankedList, Result, ranked_of

Check = Callable[[RankedList], object]


def read_results(
    path: str,
    bad: BadRecords = STOP,
    lookup: Lookup | None = None,
    check: Check | None = None,
    texts: bool = True,
    wanted: str = RESULTS,
    mixed: bool = False,
) -> Iterator[Result]:
    """Yield the ranked lists or predictions of a file: JSON lines, one of DPR's JSON arrays, or a run.

    Args:
        path: a file, `-` for stdin; .gz and .bz2 are decompressed.
        bad: what a record that cannot be used does.
        lookup: texts for the ids of a run, and of what else came without. Its questions that a run has no
            line for come last, with nothing found.
        check: raises FieldError for a result that its reader cannot use.
        texts: whether a run, which holds ids only, needs the texts of questions and passages.
        wanted: `known.MARKED` reads SQuAD's articles, too: each question with its own paragraph.
        mixed: the store of the lookup is for other files, too, so this one may have its texts.

    Raises:
        InputError: `file:line: what; expected`, for the first that cannot be used, and for a run, which
            holds ids only, where the lookup lacks questions or passages.
        UsageError: passages are looked up for results that have their texts.
    """
    return bad.usable(display_name(path), _results(path, bad, lookup, check, texts, wanted, mixed))


def _results(
    path: str,
    bad: BadRecords,
    lookup: Lookup | None,
    check: Check | None,
    texts: bool,
    wanted: str,
    mixed: bool,
) -> Iterator[Result]:
    with open_document(path, bad) as document:
        known = detect_format(document, wanted)
        if texts and (lookup is None or not lookup.whole):
            refuse_bare(known.form, document.name, options=lookup is not None)
        records: Iterator[tuple[int, Result]] = enumerate(known.records(), 1)
        if lookup is not None and lookup.store is not None and not mixed:
            records = _without_texts(document.name, records)
        seen: set[str] = set()
        for number, record in records:
            seen.add(ranked_of(record).question.id)
            try:
                found = record if lookup is None else lookup.complete(record)
                if check is not None:
                    check(ranked_of(found))
            except FieldError as error:
                what = f"record {number:,}: {error.what}"
                bad.refuse(error.code, InputError(document.name, None, what, error.expected))
            else:
                yield found
        if lookup is not None and known.form.bare:
            yield from lookup.list_unanswered(seen)


def _without_texts(name: str, records: Iterator[tuple[int, Result]]) -> Iterator[tuple[int, Result]]:
    """Yield results for which texts are looked up, unless the first that has passages has their texts."""
    looked = False
    for number, record in records:
        ctxs = ranked_of(record).ctxs
        if ctxs and not looked and all(ctx.passage.text for ctx in ctxs):
            raise UsageError(f"{name}: its passages have their texts: `passages` has no effect")
        looked = looked or bool(ctxs)
        yield number, record


def read_ranked(
    path: str,
    bad: BadRecords = STOP,
    lookup: Lookup | None = None,
    check: Check | None = None,
    wanted: str = RESULTS,
) -> Iterator[RankedList]:
    """Yield the ranked lists of a file; of predictions, the passages that were read."""
    return map(ranked_of, read_results(path, bad, lookup, check, wanted=wanted))
