"""A template's parameters, and how numbers among them are shown."""

import re
from collections.abc import Mapping
from itertools import count, takewhile

Arguments = Mapping[str, str]
"""A template's parameters as text without markup; those without a name are `1`, `2`, …"""
NUMBER = re.compile(r"[-−+]?(?:\d[\d,]*(?:\.\d*)?|\.\d+)", re.ASCII)


def positional(args: Arguments) -> list[str]:
    """Return the parameters without a name, up to the first gap."""
    places = takewhile(lambda place: place in args, map(str, count(1)))
    return [args[place].strip() for place in places]


def is_number(text: str) -> bool:
    """Return whether a parameter is a number in digits, with commas or without."""
    return NUMBER.fullmatch(text) is not None


def group_thousands(number: str) -> str:
    """Return a number with commas between thousands and a minus sign; anything else as it is."""
    if not is_number(number):
        return number
    sign = "−" if number[0] in "-−" else ""
    whole, point, rest = number.lstrip("-−+").replace(",", "").partition(".")
    return f"{sign}{f'{int(whole):,}' if whole and len(whole) < 40 else whole}{point}{rest}"


def only(parts: list[str], least: int, most: int) -> bool:
    """Return whether there are `least` to `most` parameters, none of them empty."""
    return least <= len(parts) <= most and all(parts)
