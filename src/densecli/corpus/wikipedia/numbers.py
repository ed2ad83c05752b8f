"""Text of templates that show numbers, amounts and formulas.

Each function returns what Wikipedia shows, or nothing (None or an empty text) where it does not know the form
that is used: half of a phrase would say something else.
"""

import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext

from densecli.corpus.wikipedia.arguments import Arguments, group_thousands, is_number, only, positional

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


def value(args: Arguments) -> str | None:
    """Return the number of `{{val}}` with its uncertainty, power of ten and unit."""
    parts = positional(args)
    known = {"e", "u", "ul", "up", "upl", "p", "s", "fmt", "end", "1", "2"}
    if not only(parts, 1, 2) or not {key for key in args if args[key].strip()} <= known:
        return None
    text = (
        group_thousands(parts[0]) if args.get("fmt", "").strip() == "commas" else parts[0].replace("-", "−")
    )
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
    if not only(parts, 1, 3):
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
    if not only(parts, 1, 1) or not re.fullmatch(r"\d{1,15}", parts[0], re.ASCII):
        return None
    last = int(parts[0]) % 100
    ending = "th" if last in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(last % 10, "th")
    return f"{parts[0]}{ending}"


def number(args: Arguments) -> str | None:
    """Return one number with commas between thousands."""
    parts = positional(args)
    return group_thousands(parts[0]) if only(parts, 1, 1) and is_number(parts[0]) else None


def root(args: Arguments) -> str | None:
    """Return `√2`, or `³√2` where the second parameter says which root."""
    parts = positional(args)
    if not only(parts, 1, 2) or (len(parts) > 1 and not parts[1].isdecimal()):
        return None
    inside = f"({parts[0]})" if re.search(r"[\s+−-]", parts[0]) else parts[0]
    degree = parts[1].translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")) if len(parts) > 1 else ""
    return f"{degree}√{inside}"


def money(sign: str, args: Arguments) -> str | None:
    """Return `US$5`, without the value of today in brackets that a second parameter asks for."""
    parts = positional(args)
    return f"{sign}{parts[0]}" if parts and parts[0] else None


def french_unit(args: Arguments) -> str | None:
    """Return `2 000 m`, as the French `{{unité}}` does."""
    parts = positional(args)
    if not only(parts, 1, 2) or not is_number(parts[0]):
        return None
    return " ".join([group_thousands(parts[0]).replace(",", " ").replace(".", ","), *parts[1:]])


def height(args: Arguments) -> str:
    """Return `5 ft 7 in` or `1.7 m`."""
    units = [unit for unit in ("m", "cm", "ft", "in") if args.get(unit)]
    return " ".join(f"{args[unit].strip()} {unit}" for unit in units)


def nuclide(args: Arguments) -> str | None:
    """Return `235U` for uranium 235, by the element's name or symbol."""
    parts = positional(args)
    if not only(parts, 2, 2):
        return None
    element, mass = parts
    symbol = ELEMENTS.get(element.casefold(), element if element in ELEMENTS.values() else "")
    return f"{mass}{symbol}" if symbol else None


def formula(args: Arguments) -> str | None:
    """Return `H2O`, `SO4 2−` or `2 H2 + O2 → 2 H2O` for a formula as `{{chem2}}` takes it."""
    parts = positional(args)
    if not only(parts, 1, 1) or not re.fullmatch(r"[A-Za-z0-9()\[\]+\-−.·<> ]+", parts[0]):
        return None
    text = parts[0].replace("<->", "⇌").replace("->", "→")
    text = re.sub(r"\((\d*)([+-])\)", lambda charge: f" {charge[1]}{'−' if charge[2] == '-' else '+'}", text)
    text = re.sub(r"(?<=[\w)\]])-(?= |$)", "−", text)
    return re.sub(r"(^| )(\d+)(?=[A-Z(\[])", r"\1\2 ", text)
