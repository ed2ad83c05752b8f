"""Text of templates that build a phrase from several parameters: numbers, dates, languages, names of ships.

Each function returns what Wikipedia shows, or nothing (None or an empty text) where it does not know the form
that is used: half of a phrase would say something else. What Wikipedia adds in brackets to a whole phrase is
left out: conversions, and ages that depend on today's date.
"""

import re
from datetime import date as calendar_date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext

from densecli.io.wikipedia.arguments import Arguments, grouped, is_number, positional
from densecli.io.wikipedia.languages import NAMES

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
YES = {"y", "yes", "on", "true", "1"}
ELEMENTS = dict(
    re.findall(
        r"(\w+):(\w+)",
        "hydrogen:H deuterium:D tritium:T helium:He lithium:Li beryllium:Be boron:B carbon:C nitrogen:N "
        "oxygen:O fluorine:F neon:Ne sodium:Na magnesium:Mg aluminium:Al silicon:Si phosphorus:P sulfur:S "
        "chlorine:Cl argon:Ar potassium:K calcium:Ca scandium:Sc titanium:Ti vanadium:V chromium:Cr "
        "manganese:Mn iron:Fe cobalt:Co nickel:Ni copper:Cu zinc:Zn gallium:Ga germanium:Ge arsenic:As "
        "selenium:Se bromine:Br krypton:Kr rubidium:Rb strontium:Sr yttrium:Y zirconium:Zr niobium:Nb "
        "molybdenum:Mo technetium:Tc ruthenium:Ru rhodium:Rh palladium:Pd silver:Ag cadmium:Cd indium:In "
        "tin:Sn antimony:Sb tellurium:Te iodine:I xenon:Xe caesium:Cs barium:Ba lanthanum:La cerium:Ce "
        "praseodymium:Pr neodymium:Nd promethium:Pm samarium:Sm europium:Eu gadolinium:Gd terbium:Tb "
        "dysprosium:Dy holmium:Ho erbium:Er thulium:Tm ytterbium:Yb lutetium:Lu hafnium:Hf tantalum:Ta "
        "tungsten:W rhenium:Re osmium:Os iridium:Ir platinum:Pt gold:Au mercury:Hg thallium:Tl lead:Pb "
        "bismuth:Bi polonium:Po astatine:At radon:Rn francium:Fr radium:Ra actinium:Ac thorium:Th "
        "protactinium:Pa uranium:U neptunium:Np plutonium:Pu americium:Am curium:Cm berkelium:Bk "
        "californium:Cf einsteinium:Es fermium:Fm mendelevium:Md nobelium:No lawrencium:Lr "
        "rutherfordium:Rf dubnium:Db seaborgium:Sg bohrium:Bh hassium:Hs meitnerium:Mt darmstadtium:Ds "
        "roentgenium:Rg copernicium:Cn nihonium:Nh flerovium:Fl moscovium:Mc livermorium:Lv "
        "tennessine:Ts oganesson:Og ununennium:Uue",
    )
)


def _only(parts: list[str], least: int, most: int) -> bool:
    return least <= len(parts) <= most and all(parts)


def value(args: Arguments) -> str | None:
    """Return the number of `{{val}}` with its uncertainty, power of ten and unit."""
    parts = positional(args)
    known = {"e", "u", "ul", "up", "upl", "p", "s", "fmt", "end", "1", "2"}
    if not _only(parts, 1, 2) or not {key for key in args if args[key].strip()} <= known:
        return None
    text = grouped(parts[0]) if args.get("fmt", "").strip() == "commas" else parts[0].replace("-", "−")
    if len(parts) > 1:
        text += parts[1] if parts[1].startswith("(") else f" ± {parts[1]}"
    if args.get("e"):
        bracketed = len(parts) > 1 and not parts[1].startswith("(")
        text = f"{f'({text})' if bracketed else text}×10^{args['e'].strip().replace('-', '−')}"
    unit = (args.get("u") or args.get("ul") or "").strip()
    if per := (args.get("up") or args.get("upl") or "").strip():
        unit += f"/{per}"
    text = args.get("p", "").strip() + text + args.get("s", "").strip()
    return f"{text} {unit}{args.get('end', '').strip()}".strip()


def fraction(args: Arguments) -> str | None:
    """Return `1/2`, `1/3` or `2 1/3` for two, one or three parameters."""
    parts = [f"({part})" if re.search(r"[\s+*/−-]", part) else part for part in positional(args)]
    if not _only(parts, 1, 3):
        return None
    if len(parts) == 1:
        return f"1/{parts[0]}"
    whole = f"{parts[0]} " if len(parts) > 2 else ""
    return f"{whole}{parts[-2]}/{parts[-1]}"


def percentage(args: Arguments) -> str | None:
    """Return `25%` for 1 of 4, with as many decimals as the third parameter says."""
    parts = positional(args)
    try:
        part, whole = (Decimal(one.replace(",", "")) for one in parts[:2])
        places = int(parts[2]) if len(parts) > 2 else 0
        if not (whole and part.is_finite() and whole.is_finite() and 0 <= places <= 10):
            return None
        with localcontext() as context:
            context.prec = 60
            share = (100 * part / whole).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    except (InvalidOperation, ValueError):
        return None
    shown = (
        f"{share:f}" if args.get("pad") else f"{share:f}".rstrip("0").rstrip(".") if places else f"{share:f}"
    )
    return f"{shown.replace('-', '−')}%"


def ordinal(args: Arguments) -> str | None:
    """Return `3rd`; of `{{ordinal|3|us}}`, `3d` as American units are named."""
    parts = positional(args)
    if not _only(parts, 1, 1) or not re.fullmatch(r"\d{1,15}", parts[0], re.ASCII):
        return None
    last = int(parts[0]) % 100
    ending = "th" if last in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(last % 10, "th")
    return f"{parts[0]}{ending}"


def number(args: Arguments) -> str | None:
    """Return one number with commas between thousands."""
    parts = positional(args)
    return grouped(parts[0]) if _only(parts, 1, 1) and is_number(parts[0]) else None


def root(args: Arguments) -> str | None:
    """Return `√2`, or `³√2` where the second parameter says which root."""
    parts = positional(args)
    if not _only(parts, 1, 2) or (len(parts) > 1 and not parts[1].isdecimal()):
        return None
    inside = f"({parts[0]})" if re.search(r"[\s+−-]", parts[0]) else parts[0]
    degree = parts[1].translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")) if len(parts) > 1 else ""
    return f"{degree}√{inside}"


def since(mark: str, gap: str, args: Arguments) -> str | None:
    """Return `c. 1900`, or both years of a span: `c. 1900 – c. 1910`, `r. 1066–1087`.

    Args:
        mark: what stands before the year.
        gap: between two years; the mark is said again after a gap with spaces, as `{{circa}}` does.
        args: one year or two.
    """
    parts = positional(args)
    if not _only(parts, 1, 2):
        return None
    if gap != "–":
        return gap.join(f"{mark}{part}" for part in parts)
    return mark + (" – " if any(" " in part for part in parts) else gap).join(parts)


def money(sign: str, args: Arguments) -> str | None:
    """Return `US$5`, without the value of today in brackets that a second parameter asks for."""
    parts = positional(args)
    return f"{sign}{parts[0]}" if parts and parts[0] else None


def ago(args: Arguments) -> str | None:
    """Return `65 million years ago`."""
    parts = positional(args)
    return f"{parts[0]} million years ago" if _only(parts, 1, 1) else None


def french_unit(args: Arguments) -> str | None:
    """Return `2 000 m`, as the French `{{unité}}` does."""
    parts = positional(args)
    if not _only(parts, 1, 2) or not is_number(parts[0]):
        return None
    return " ".join([grouped(parts[0]).replace(",", " ").replace(".", ","), *parts[1:]])


def height(args: Arguments) -> str:
    """Return `5 ft 7 in` or `1.7 m`."""
    units = [unit for unit in ("m", "cm", "ft", "in") if args.get(unit)]
    return " ".join(f"{args[unit].strip()} {unit}" for unit in units)


def date(args: Arguments) -> str | None:
    """Return the date whose year, month and day come first; American order unless `df` is set."""
    return _date(positional(args), is_set(args, "df"))


def is_set(args: Arguments, name: str) -> bool:
    """Return whether a parameter is switched on."""
    return args.get(name, "").strip().casefold() in YES


def _date(parts: list[str], day_first: bool) -> str | None:
    if not _only(parts, 1, 3) or (len(parts) == 1 and not re.fullmatch(r"\d{1,4}(?: BCE?)?", parts[0])):
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
    return parts[-1] if _only(parts, 1, 2) else None


def death(args: Arguments) -> str | None:
    """Return the day of a death with the age: `November 27, 1852 (aged 36)`."""
    parts = positional(args)
    if not _only(parts, 6, 6) or not all(part.isdecimal() and len(part) < 5 for part in parts):
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
    return f"{parts[0]} [O.S. {parts[2]}] {parts[1]}" if _only(parts, 3, 3) else None


def language(code: str, args: Arguments) -> str | None:
    """Return words with the name of their language, their romanization and meaning as they are given.

    `French: mot`; `Russian: мир, romanized: mir, lit. 'world'`. None for a language without a name here.
    """
    words = (args.get("1") or args.get("text") or "").strip()
    name = NAMES.get(code.strip().lower())
    bare = args.get("label", "").strip() == "none"
    if not words or (name is None and not bare):
        return None
    text = words if bare else f"{name}: {words}"
    if roman := (args.get("2") or args.get("translit") or "").strip():
        text += f", romanized: {roman}"
    if meaning := (args.get("3") or args.get("lit") or args.get("translation") or "").strip():
        text += f", lit. '{meaning}'"
    return text


def language_first(args: Arguments) -> str | None:
    """Return what `{{langx|fr|mot}}` shows, where the language is the first parameter."""
    named = {key: one for key, one in args.items() if not key.isdecimal()}
    return language(
        args.get("1", ""), {**named, "1": args.get("2", ""), "2": args.get("3", ""), "3": args.get("4", "")}
    )


def native_phrase(args: Arguments) -> str | None:
    """Return `Wort (German)`."""
    name = NAMES.get(args.get("1", "").strip().lower())
    words = args.get("2", "").strip()
    return f"{words} ({name})" if name and words else None


def named_language(args: Arguments) -> str | None:
    """Return `German: Wort`, where the name of the language is given."""
    parts = positional(args)
    return f"{parts[1]}: {parts[2]}" if _only(parts, 3, 3) else None


def nihongo(args: Arguments) -> str:
    """Return `Tokyo (東京, Tōkyō)`, with more inside the brackets and after them where it is given."""
    return _with_originals(*[*positional(args), "", "", "", "", ""][:5])


def nihongo_romanized(args: Arguments) -> str:
    """Return `Tōkyō (東京, Tokyo)`: the romanization first."""
    english, original, roman, extra, after = [*positional(args), "", "", "", "", ""][:5]
    return _with_originals(roman, original, english, extra, after)


def _with_originals(shown: str, *rest: str) -> str:
    inner = ", ".join(part for part in rest[:3] if part)
    text = f"{shown} ({inner})" if shown and inner else shown or inner
    return " ".join(part for part in (text, rest[3]) if part)


CHINESE = {
    "c": "Chinese", "s": "simplified Chinese", "t": "traditional Chinese", "p": "pinyin", "hp": "pinyin",
    "w": "Wade–Giles", "j": "Jyutping", "poj": "Pe̍h-ōe-jī", "y": "Yale", "cy": "Cantonese Yale",
}  # fmt: skip


def chinese(args: Arguments) -> str | None:
    """Return characters and romanizations of `{{zh}}` with their names: `Chinese: 北京; pinyin: Běijīng`."""
    given = {key: args[key].strip() for key in (*CHINESE, "l") if args.get(key, "").strip()}
    switches = {"labels", "links", "first"}
    if not given or {key for key in args if args[key].strip()} - given.keys() - switches:
        return None
    order = list(given)
    if args.get("first", "").strip() == "t" and "t" in given:
        order.remove("t")
        order.insert(order.index("s") if "s" in order else 0, "t")
    bare = args.get("labels", "").strip() == "no"
    shown = []
    for key in order:
        if key == "l":
            shown.append(f"lit. '{given[key]}'")
        else:
            shown.append(given[key] if bare else f"{CHINESE[key]}: {given[key]}")
    return "; ".join(shown)


def ship(prefix: str, args: Arguments) -> str | None:
    """Return a ship's name as the last parameter says: `USS Enterprise (CV-6)`, `Enterprise`, `CV-6`."""
    parts = positional(args)
    if prefix == "ship":
        prefix, *parts = parts or [""]
    else:
        prefix = prefix.upper()
    if not parts or not parts[0] or len(parts) > 3:
        return None
    name, hull, form = [*parts, "", ""][:3]
    in_brackets = f" ({hull})" if hull else ""
    shown = {
        "": f"{prefix} {name}{in_brackets}",
        "1": hull,
        "2": name,
        "3": f"{name}{in_brackets}",
        "5": f"{prefix}{in_brackets}",
        "6": f"{prefix} {name}",
    }.get(form, "")
    return shown.strip()


def ship_class(args: Arguments) -> str | None:
    """Return `Essex-class aircraft carrier`."""
    parts = positional(args)
    return f"{parts[0]}-class {parts[1]}" if _only(parts, 2, 2) else None


def nuclide(args: Arguments) -> str | None:
    """Return `235U` for uranium 235, by the element's name or symbol."""
    parts = positional(args)
    if not _only(parts, 2, 2):
        return None
    element, mass = parts
    symbol = ELEMENTS.get(element.casefold(), element if element in ELEMENTS.values() else "")
    return f"{mass}{symbol}" if symbol else None


def formula(args: Arguments) -> str | None:
    """Return `H2O`, `SO4 2−` or `2 H2 + O2 → 2 H2O` for a formula as `{{chem2}}` takes it."""
    parts = positional(args)
    if not _only(parts, 1, 1) or not re.fullmatch(r"[A-Za-z0-9()\[\]+\-−.·<> ]+", parts[0]):
        return None
    text = parts[0].replace("<->", "⇌").replace("->", "→")
    text = re.sub(r"\((\d*)([+-])\)", lambda charge: f" {charge[1]}{'−' if charge[2] == '-' else '+'}", text)
    text = re.sub(r"(?<=[\w)\]])-(?= |$)", "−", text)
    return re.sub(r"(^| )(\d+)(?=[A-Z(\[])", r"\1\2 ", text)


def as_written(args: Arguments) -> str | None:
    """Return words that are quoted with their fault, and `[sic]` unless it is hidden."""
    words = [part for part in positional(args) if part not in ("hide=y", "nolink=y", "?")]
    if args.get("expected") or args.get("reason"):
        return None
    return " ".join(part for part in ("".join(words), "" if args.get("hide") else "[sic]") if part)


def bible_verse(args: Arguments) -> str | None:
    """Return `Mark 3:25` or `1 John 3:16`; the translation that it is linked to is not shown."""
    parts = positional(args)
    if text := args.get("text", "").strip():
        return text
    if len(parts) > 2 and (not parts[0] or parts[0].isdecimal()):
        parts = [" ".join(part for part in parts[:2] if part), *parts[2:]]
    return f"{parts[0]} {parts[1]}" if _only(parts[:2], 2, 2) and len(parts) <= 3 else None


def quotation(args: Arguments) -> str:
    """Return a quotation with its author and source: `Words. — Ada, Notes`."""
    parts = [*positional(args), "", "", ""]
    text = (args.get("text") or args.get("quote") or args.get("content") or parts[0]).strip()
    author = (args.get("author") or args.get("sign") or parts[1]).strip()
    source = (args.get("source") or parts[2]).strip()
    by = ", ".join(part for part in (author, source) if part)
    return f"{text} — {by}" if text and by else text


def pulled_quotation(args: Arguments) -> str:
    """Return what `{{rquote}}` shows, whose first parameter is a side."""
    named = {key: one for key, one in args.items() if not key.isdecimal()}
    shifted = {str(place): one for place, one in enumerate(positional(args)[1:], 1)}
    return quotation({**named, **shifted})


def big_quotation(args: Arguments) -> str:
    """Return what `{{cquote}}` shows, whose second and third parameters are the size of its marks."""
    parts = positional(args)
    named = {key: one for key, one in args.items() if not key.isdecimal()}
    kept = [*parts[:1], *parts[3:]]
    return quotation({**named, **{str(place): one for place, one in enumerate(kept, 1)}})


def keys(args: Arguments) -> str:
    """Return `Ctrl+C`."""
    return "+".join(positional(args))


def ruby(args: Arguments) -> str | None:
    """Return `東京(とうきょう)`, as a browser without ruby shows it."""
    parts = positional(args)
    return f"{parts[0]}({parts[1]})" if _only(parts, 2, 2) else None


def music(args: Arguments) -> str | None:
    """Return the sign that `{{music|flat}}` shows."""
    parts = positional(args)
    return MUSIC.get(parts[0].casefold()) if _only(parts, 1, 1) else None


MUSIC = {
    "flat": "♭", "b": "♭", "sharp": "♯", "#": "♯", "natural": "♮", "n": "♮", "doubleflat": "𝄫", "bb": "𝄫",
    "doublesharp": "𝄪", "##": "𝄪", "x": "𝄪",
}  # fmt: skip


def country(args: Arguments) -> str | None:
    """Return the country beside a flag; None for a code, which Wikipedia shows as a name."""
    parts = positional(args)
    name = args.get("name", "").strip() or (parts[0] if parts else "")
    return name if len(name) > 3 or not name.isupper() else None


def bracketed(args: Arguments) -> str | None:
    """Return `⟨a⟩`."""
    parts = positional(args)
    return f"⟨{parts[0]}⟩" if _only(parts, 1, 1) else None
