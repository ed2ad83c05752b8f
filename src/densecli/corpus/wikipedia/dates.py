"""Text of templates that show dates and years.

Each function returns what Wikipedia shows, or nothing (None or an empty text) where it does not know the form
that is used: half of a phrase would say something else. What Wikipedia adds in brackets is left out where it
depends on the day: the age of the living.
"""

import re
from datetime import date as calendar_date

from densecli.corpus.wikipedia.arguments import Arguments, only, positional

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
YES = {"y", "yes", "on", "true", "1"}


def is_set(args: Arguments, name: str) -> bool:
    """Return whether a parameter is switched on."""
    return args.get(name, "").strip().casefold() in YES


def date(args: Arguments) -> str | None:
    """Return the date whose year, month and day come first; American order unless `df` is set."""
    return _date(positional(args), is_set(args, "df"))


def _date(parts: list[str], day_first: bool) -> str | None:
    if not only(parts, 1, 3) or (len(parts) == 1 and not re.fullmatch(r"\d{1,4}(?: BCE?)?", parts[0])):
        return None
    year, month, day = [*parts, "", ""][:3]
    if month.isdecimal():
        if len(month) > 2 or not 0 < int(month) <= len(MONTHS):
            return None
        month = MONTHS[int(month) - 1]
    day = day.lstrip("0")
    if not day:
        return f"{month} {year}".strip()
    return f"{day} {month} {year}" if day_first else f"{month} {day}, {year}"


def written_date(args: Arguments) -> str | None:
    """Return the date of `{{birth-date}}` as it is written."""
    parts = positional(args)
    return parts[-1] if only(parts, 1, 2) else None


def death(args: Arguments) -> str | None:
    """Return the day of a death with the age: `November 27, 1852 (aged 36)`."""
    parts = positional(args)
    if not only(parts, 6, 6) or not all(part.isdecimal() and len(part) < 5 for part in parts):
        return None
    died, born = (tuple(map(int, three)) for three in (parts[:3], parts[3:]))
    try:
        calendar_date(*died), calendar_date(*born)
    except (ValueError, OverflowError):
        return None
    years = died[0] - born[0] - (died[1:] < born[1:])
    shown = _date(parts[:3], is_set(args, "df"))
    return None if shown is None or years < 0 else f"{shown} (aged {years})"


def as_of(args: Arguments) -> str | None:
    """Return `As of May 2009`, in lower case where `lc` is set, or the text of `alt`; days before months."""
    if alt := args.get("alt", "").strip():
        return alt
    shown = _date(positional(args), args.get("df", "").strip().casefold() != "us")
    if shown is None or any(args.get(key) for key in ("bare", "pre", "post")):
        return None
    head = "since" if is_set(args, "since") else "as of"
    return f"{head if is_set(args, 'lc') else head.capitalize()} {shown}"


def old_style(args: Arguments) -> str | None:
    """Return `February 2 [O.S. January 20] 1905`."""
    parts = positional(args)
    return f"{parts[0]} [O.S. {parts[2]}] {parts[1]}" if only(parts, 3, 3) else None


def since(mark: str, gap: str, args: Arguments) -> str | None:
    """Return `c. 1900`, or both years of a span: `c. 1900 – c. 1910`, `r. 1066–1087`.

    Args:
        mark: the sign before the year.
        gap: between two years; the mark is repeated after a gap with spaces, as `{{circa}}` does.
        args: one year or two.
    """
    parts = positional(args)
    if not only(parts, 1, 2):
        return None
    if gap != "–":
        return gap.join(f"{mark}{part}" for part in parts)
    return mark + (" – " if any(" " in part for part in parts) else gap).join(parts)


def ago(args: Arguments) -> str | None:
    """Return `65 million years ago`."""
    parts = positional(args)
    return f"{parts[0]} million years ago" if only(parts, 1, 1) else None
