"""Text of `{{convert}}`: a measure as it was given, in its own unit, without the conversion in brackets."""

import re
from typing import NamedTuple

from densecli.corpus.wikipedia.arguments import Arguments, group_thousands, is_number, positional


class Unit(NamedTuple):
    """A unit's symbol, such as `km`, and its name for one and for several."""

    symbol: str
    one: str
    many: str


def _unit(symbol: str, one: str, many: str = "") -> Unit:
    return Unit(symbol, one, many or f"{one}s")


def _same(symbol: str) -> Unit:
    return Unit(symbol, symbol, symbol)


LENGTHS = {
    "nm": _unit("nm", "nanometre"), "um": _unit("μm", "micrometre"), "μm": _unit("μm", "micrometre"),
    "mm": _unit("mm", "millimetre"), "cm": _unit("cm", "centimetre"), "dm": _unit("dm", "decimetre"),
    "m": _unit("m", "metre"), "km": _unit("km", "kilometre"),
    "in": _unit("in", "inch", "inches"), "ft": _unit("ft", "foot", "feet"), "yd": _unit("yd", "yard"),
    "mi": _unit("mi", "mile"),
}  # fmt: skip
IMPERIAL = {"in", "ft", "yd", "mi"}


def _powers() -> dict[str, Unit]:
    """Return the square and cubic units of the lengths, under the names that `convert` takes for them.

    Metric ones are shown as symbols, `km2`: so they read in most articles.
    """
    made = {}
    for code, unit in LENGTHS.items():
        for power, short, word in (("2", "sq", "square"), ("3", "cu", "cubic")):
            named = _same(f"{unit.symbol}{power}")
            if code in IMPERIAL:
                named = Unit(f"{short} {unit.symbol}", f"{word} {unit.one}", f"{word} {unit.many}")
            made[f"{code}{power}"] = made[f"{short}{code}"] = named
    return made


AREAS = _powers()
RATES = {
    "km/h": _unit("km/h", "kilometre per hour", "kilometres per hour"),
    "kph": _unit("km/h", "kilometre per hour", "kilometres per hour"),
    "km/s": _unit("km/s", "kilometre per second", "kilometres per second"),
    "m/s": _unit("m/s", "metre per second", "metres per second"),
    "mph": _unit("mph", "mile per hour", "miles per hour"),
    "mi/h": _unit("mph", "mile per hour", "miles per hour"),
    "ft/s": _unit("ft/s", "foot per second", "feet per second"),
    "kn": _unit("kn", "knot"), "knot": _unit("kn", "knot"),
    "oilbbl/d": _unit("bbl/d", "barrel per day", "barrels per day"),
    "m3/s": _unit("m3/s", "cubic metre per second", "cubic metres per second"),
    "cuft/s": _unit("cu ft/s", "cubic foot per second", "cubic feet per second"),
    "g/cm3": _unit("g/cm3", "gram per cubic centimetre", "grams per cubic centimetre"),
    "kg/m3": _unit("kg/m3", "kilogram per cubic metre", "kilograms per cubic metre"),
}  # fmt: skip
OTHERS = {
    "C": _same("°C"), "°C": _same("°C"), "C-change": _same("°C"), "F": _same("°F"), "°F": _same("°F"),
    "F-change": _same("°F"), "K": _same("K"), "K-change": _same("K"),
    "nmi": _unit("nmi", "nautical mile"), "fathom": _unit("fathom", "fathom"),
    "furlong": _unit("furlong", "furlong"), "chain": _unit("chain", "chain"),
    "AU": _unit("AU", "astronomical unit"), "ly": _unit("ly", "light-year"), "pc": _unit("pc", "parsec"),
    "acre": _unit("acre", "acre"), "acres": _unit("acre", "acre"), "ha": _unit("ha", "hectare"),
    "mg": _unit("mg", "milligram"), "g": _unit("g", "gram"), "kg": _unit("kg", "kilogram"),
    "t": _unit("t", "tonne"), "MT": _unit("t", "tonne"), "LT": _unit("long ton", "long ton"),
    "ST": _unit("short ton", "short ton"), "lb": _unit("lb", "pound"), "lbs": _unit("lb", "pound"),
    "oz": _unit("oz", "ounce"), "st": Unit("st", "stone", "stone"), "ozt": _unit("ozt", "troy ounce"),
    "carat": _unit("carat", "carat"),
    "l": _unit("L", "litre"), "L": _unit("L", "litre"), "ml": _unit("mL", "millilitre"),
    "mL": _unit("mL", "millilitre"), "impgal": _unit("imp gal", "imperial gallon"),
    "USgal": _unit("US gal", "US gallon"), "oilbbl": _unit("bbl", "barrel"),
    "W": _unit("W", "watt"), "kW": _unit("kW", "kilowatt"), "MW": _unit("MW", "megawatt"),
    "GW": _unit("GW", "gigawatt"), "hp": Unit("hp", "horsepower", "horsepower"),
    "bhp": Unit("bhp", "brake horsepower", "brake horsepower"),
    "PS": Unit("PS", "metric horsepower", "metric horsepower"),
    "J": _unit("J", "joule"), "kJ": _unit("kJ", "kilojoule"), "kcal": _unit("kcal", "kilocalorie"),
    "N": _unit("N", "newton"), "kN": _unit("kN", "kilonewton"), "Pa": _unit("Pa", "pascal"),
    "hPa": _unit("hPa", "hectopascal"), "kPa": _unit("kPa", "kilopascal"), "MPa": _unit("MPa", "megapascal"),
    "bar": _unit("bar", "bar"), "mbar": _unit("mbar", "millibar"), "atm": _unit("atm", "standard atmosphere"),
    "psi": _unit("psi", "pound per square inch", "pounds per square inch"),
    "/km2": _unit("/km2", "per square kilometre", "per square kilometre"),
    "/sqkm": _unit("/km2", "per square kilometre", "per square kilometre"),
    "/sqmi": _unit("/sq mi", "per square mile", "per square mile"),
    "PD/km2": _unit("/km2", "inhabitant per square kilometre", "inhabitants per square kilometre"),
    "PD/sqkm": _unit("/km2", "inhabitant per square kilometre", "inhabitants per square kilometre"),
    "PD/sqmi": _unit("/sq mi", "inhabitant per square mile", "inhabitants per square mile"),
}  # fmt: skip
UNITS = {**LENGTHS, **AREAS, **RATES, **OTHERS}
MULTIPLES = {"e3": "thousand", "e6": "million", "e9": "billion", "e12": "trillion"}
"""What `convert` takes before a unit: `e6acre` is a million acres."""
PREFIXES = {"k": "thousand", "M": "million", "G": "billion", "T": "trillion"}
PREFIXED = {"oilbbl", "oilbbl/d", "cuft", "USgal", "impgal"}
SCALES = {"hundred", "thousand", "million", "billion", "trillion"}
"""Words that may come between a number and its unit."""
TOGETHER = {("mi", "yd"), ("yd", "ft"), ("ft", "in"), ("lb", "oz"), ("st", "lb")}
"""Units of one measure: `6 feet 2 inches`."""
BETWEEN = {
    "to": " to ", "to(-)": " to ", "and": " and ", "and(-)": " and ", "or": " or ", "by": " by ",
    "by(x)": " by ", "xx": " × ", "*": " × ", "×": " × ", "-": "–", "–": "–", "to-": "–",
    "to about": " to about ",
    "+": " + ", "+/-": " ± ", "±": " ± ", ",": ", ",
}  # fmt: skip
SHORT = {"to(-)": "–", "and(-)": "–", "by(x)": " × "}
"""Words that are signs where units are symbols."""
EACH = "x"
"""Between two numbers that both get the unit: `3 feet × 5 feet`."""
AS_SHOWN = {"", "b", "br", "or", "sqbr", "comma", "x", "semicolon", "slash", "/", "flip"}
"""Values of `disp` that show the measure as it was given, with the conversion in some place."""
FRACTION = re.compile(r"([-−]?)(?:(\d+)\+)?(\d+)//?(\d+)")


def conversion(args: Arguments, symbols: bool = False) -> str | None:
    """Return the measure that `{{convert}}` is given: `5 to 10 kilometres`, `6 feet 2 inches`.

    None for a unit or a form that is not known here: a measure with a part missing would be wrong.

    Args:
        args: the template's parameters.
        symbols: whether units are symbols unless `abbr` says otherwise, as in `{{cvt}}`.
    """
    named = {key: one.strip() for key, one in args.items()}
    abbr = named.get("abbr", "on" if symbols else "")
    adjective = named.get("adj", "")
    if named.get("disp", "") not in AS_SHOWN or abbr not in {"", "on", "in", "off", "out", "none", "~"}:
        return None
    if adjective not in {"", "on", "off"}:
        return None
    measure = _Measure(positional(args), abbr in {"on", "in"}, adjective == "on", named.get("sp") == "us")
    return measure.text()


class _Measure:
    def __init__(self, parts: list[str], symbols: bool, adjective: bool, american: bool) -> None:
        self._parts = parts
        self._symbols = symbols
        self._adjective = adjective and not symbols
        self._american = american

    def text(self) -> str | None:
        """Return numbers and unit; None where one of them is missing or unknown."""
        taken = self._numbers()
        if taken is None:
            return None
        numbers, joints, code, after = taken
        shown = self._with_unit(numbers, joints, code)
        while (
            shown is not None and (code, self._part(after + 1)) in TOGETHER and is_number(self._part(after))
        ):
            code = self._part(after + 1)
            second = self._with_unit([self._part(after)], [], code)
            shown = None if second is None else f"{shown} {second}"
            after += 2
        return shown

    def _part(self, number: int) -> str:
        return self._parts[number] if number < len(self._parts) else ""

    def _numbers(self) -> tuple[list[str], list[str], str, int] | None:
        """Return the numbers, the words between them, the unit, and the place after it."""
        numbers: list[str] = []
        joints: list[str] = []
        place = 0
        while True:
            number = self._part(place)
            if not (is_number(number) or FRACTION.fullmatch(number)):
                return None
            place += 1
            if self._part(place) in SCALES:
                number = f"{number} {self._part(place)}"
                place += 1
            numbers.append(number)
            joint = self._part(place)
            if joint not in BETWEEN and joint != EACH:
                return numbers, joints, joint, place + 1
            joints.append(joint)
            place += 1

    def _with_unit(self, numbers: list[str], joints: list[str], code: str) -> str | None:
        unit, multiple = _find_unit(code)
        if unit is None:
            return None
        single = len(numbers) == 1 and not multiple and _is_one(numbers[0])
        name = unit.symbol if self._symbols else unit.one if single or self._adjective else unit.many
        if self._american:
            name = name.replace("metre", "meter").replace("litre", "liter")
        ending = self._join_words(multiple, name, all_symbol=self._symbols or unit.one == unit.symbol)
        text = _number(numbers[0])
        for number, joint in zip(numbers[1:], joints, strict=True):
            if joint == EACH:
                text += f"{ending} × {_number(number)}"
                continue
            between = SHORT.get(joint, BETWEEN[joint]) if self._symbols else BETWEEN[joint]
            text += (between.replace(" ", "-") if self._adjective else between) + _number(number)
        return text + ending

    def _join_words(self, multiple: str, name: str, all_symbol: bool) -> str:
        gap = "-" if self._adjective and not all_symbol else " "
        if name.startswith("/"):
            return f" {multiple}{name}" if multiple else name
        return f"{gap}{multiple}{gap}{name}" if multiple else f"{gap}{name}"


def _find_unit(code: str) -> tuple[Unit | None, str]:
    """Return a unit and the word before it: `million` and acre for `e6acre`."""
    for prefix, word in MULTIPLES.items():
        if code.startswith(prefix) and code.removeprefix(prefix) in UNITS:
            return UNITS[code.removeprefix(prefix)], word
    if code[:1] in PREFIXES and code[1:] in PREFIXED:
        return UNITS[code[1:]], PREFIXES[code[0]]
    return UNITS.get(code), ""


def _number(text: str) -> str:
    if fraction := FRACTION.fullmatch(text):
        sign, whole, top, bottom = fraction.groups()
        return f"{'−' if sign else ''}{whole + ' ' if whole else ''}{top}/{bottom}"
    number, space, scale = text.partition(" ")
    return f"{group_thousands(number)}{space}{scale}"


def _is_one(number: str) -> bool:
    fraction = FRACTION.fullmatch(number)
    return number in {"1", "-1", "−1"} or (fraction is not None and fraction[2] is None)
