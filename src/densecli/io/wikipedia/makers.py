"""Text of templates that build a phrase from several parameters: measures, numbers, dates, names of ships."""

from collections.abc import Mapping
from itertools import count, takewhile

Arguments = Mapping[str, str]
"""A template's parameters as text without markup; those without a name are `1`, `2`, …"""

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
BETWEEN = {
    "to": " to ", "to(-)": " to ", "and": " and ", "and(-)": " and ", "or": " or ", "by": " by ",
    "by(x)": " by ", "x": " × ", "xx": " × ", "*": " × ", "×": " × ", "-": "–", "–": "–", "to-": "–",
    "+": " + ", "+/-": " ± ", "±": " ± ",
}  # fmt: skip
UNITS = {
    "C": "°C", "F": "°F", "km2": "km²", "m2": "m²", "cm2": "cm²", "mm2": "mm²", "sqkm": "km²",
    "sqm": "m²", "sqmi": "square miles", "sqft": "square feet", "ft2": "square feet",
    "sqyd": "square yards", "sqin": "square inches", "km3": "km³", "m3": "m³", "cm3": "cm³",
    "cuft": "cubic feet", "cumi": "cubic miles", "cuyd": "cubic yards", "cuin": "cubic inches",
    "mi": "miles", "ft": "feet", "in": "inches", "yd": "yards", "lb": "pounds", "oz": "ounces",
    "acre": "acres", "nmi": "nautical miles", "kn": "knots", "st": "stone", "impgal": "imperial gallons",
    "USgal": "US gallons", "LT": "long tons", "ST": "short tons", "t": "tonnes", "l": "litres",
    "L": "litres", "ha": "hectares", "/sqkm": "per km²", "/sqmi": "per square mile",
    "PD/sqmi": "per square mile", "PD/km2": "per km²",
}  # fmt: skip


def positional(args: Arguments) -> list[str]:
    """Return the parameters without a name, up to the first gap."""
    places = takewhile(lambda place: place in args, map(str, count(1)))
    return [args[place].strip() for place in places]


def grouped(number: str) -> str:
    """Return a whole number with commas between thousands; anything else as it is."""
    return f"{int(number):,}" if number.isdecimal() and number.isascii() and len(number) < 16 else number


def conversion(args: Arguments) -> str:
    """Return the measure that `{{convert}}` is given, with its own unit: `5 to 10 km`, `6 feet 2 inches`."""
    parts = [grouped(part) for part in positional(args)] or [""]
    text = parts[0]
    for part, following in zip(parts[1:], [*parts[2:], ""], strict=False):
        if part in BETWEEN and _is_number(following):
            text += BETWEEN[part]
        elif _is_number(part):
            text += part if text.endswith((" ", "–")) else f" {part}"
        elif text[-1:].isdigit() or text.endswith(")"):
            text += f" {UNITS.get(part, part)}"
            if not (_is_number(following) and part in ("ft", "lb", "st", "mi", "yd")):
                break
    return text


def _is_number(text: str) -> bool:
    return text[:1].isdigit() or (text[:1] in ("-", "−", "+", ".") and text[1:2].isdigit())


def value(args: Arguments) -> str:
    """Return the number of `{{val}}` with its uncertainty, power of ten and unit."""
    parts = positional(args)
    text = args.get("p", "") + (parts[0] if parts else "")
    if len(parts) > 1:
        text += f" ± {parts[1]}"
    if args.get("e"):
        text += f"×10^{args['e'].strip()}"
    unit = args.get("u") or args.get("ul") or args.get("s") or ""
    return f"{text} {unit.strip()}".strip()


def fraction(args: Arguments) -> str:
    """Return `1/2`, `1/3` or `2 1/3` for one, two or three parameters."""
    parts = positional(args)
    if len(parts) < 2:
        return f"1/{parts[0]}" if parts else "/"
    whole = f"{parts[0]} " if len(parts) > 2 else ""
    return f"{whole}{parts[-2]}/{parts[-1]}"


def height(args: Arguments) -> str:
    """Return `5 ft 7 in` or `1.7 m`."""
    units = [unit for unit in ("m", "cm", "ft", "in") if args.get(unit)]
    return " ".join(f"{args[unit].strip()} {unit}" for unit in units)


def date(args: Arguments) -> str:
    """Return the date whose year, month and day come first; American order unless `df` is set."""
    year, month, day = (args.get(place, "").strip() for place in ("1", "2", "3"))
    if month.isdecimal() and 0 < int(month) <= len(MONTHS):
        month = MONTHS[int(month) - 1]
    if not (month and day):
        return f"{month} {year}".strip()
    return f"{day} {month} {year}" if args.get("df") else f"{month} {day}, {year}"


def as_of(args: Arguments) -> str:
    """Return `As of May 2009`, in lower case where `lc` is set, or the text of `alt`."""
    return args.get("alt") or f"{'as' if args.get('lc') else 'As'} of {date(args)}"


def nihongo(args: Arguments) -> str:
    """Return `Tokyo (東京, Tōkyō)`."""
    shown, *originals = [*positional(args), ""][:3]
    inner = ", ".join(part for part in originals if part)
    return f"{shown} ({inner})" if shown and inner else shown or inner


def chinese(args: Arguments) -> str:
    """Return the characters and the romanisation of `{{zh}}`."""
    names = [
        args.get("c") or args.get("t") or args.get("s") or args.get("1"),
        args.get("p") or args.get("hp"),
    ]
    return ", ".join(name.strip() for name in names if name)


def ship(prefix: str, args: Arguments) -> str:
    """Return a ship's name, with its number unless a third parameter hides it: `USS Enterprise (CV-6)`."""
    parts = positional(args)
    if prefix == "ship":
        prefix, *parts = parts or [""]
    name, number = [*parts, "", ""][:2]
    shown = f"{prefix.upper()} {name}".strip() if name else ""
    return f"{shown} ({number})" if number and len(parts) < 3 else shown


def ship_class(args: Arguments) -> str:
    """Return `Essex-class aircraft carrier`."""
    name, kind = [*positional(args), "", ""][:2]
    return f"{name}-class {kind}".strip()
