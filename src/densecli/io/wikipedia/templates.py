"""The templates that stand for words of a sentence, and the text that replaces each; all others are dropped.

A name counts in lower case, with spaces for underscores. What a template becomes:

* FIRST, SECOND, LAST: that one of its parameters without a name;
* JOINED: all of them, with nothing, a space or a hyphen between;
* BEFORE: a short text, then the first parameter;
* FIXED: that text;
* MAKERS: what a function builds from the parameters, such as `5 km` for `{{convert|5|km|mi}}`.

Pronunciations, notes, flags, icons and calls for better sources hold no prose and are not here.
"""

from collections.abc import Callable
from functools import partial

from densecli.io.wikipedia import makers
from densecli.io.wikipedia.languages import named
from densecli.io.wikipedia.makers import Arguments, positional

FIRST = {
    "nowrap", "nobr", "nobreak", "no wrap", "small", "smaller", "smalldiv", "big", "large", "larger",
    "huge", "sup", "sub", "sc", "sc2", "smallcaps", "small caps", "center", "centre", "noitalic",
    "noitalics", "nobold", "bold", "strong", "em", "italic", "u", "underline", "code", "mono", "kbd",
    "key", "keypress", "var", "math", "mvar", "bigmath", "tmath", "vanchor", "visible anchor", "tooltip",
    "abbr", "linktext", "link text", "unicode", "nihongo2", "ruby", "nowraplinks", "quote", "quotation",
    "blockquote", "bquote", "cquote", "rquote", "poem", "poemquote", "verse", "block indent",
    "pull quote", "angbr", "angle bracket", "clarify span", "cn span", "citation needed span",
    "fact span", "dubious span", "not a typo", "notatypo", "as written",
    "proper name", "typo", "red link", "keep", "nastaliq", "hebrew", "polytonic", "grc-tr", "chem2",
    "format price", "formatprice", "formatnum", "nts", "ordinal", "percentage", "dts", "date", "flag",
    "flagcountry", "flagu", "lc", "uc", "lcfirst", "ucfirst", "native phrase", "script/hebrew",
    "script/arabic", "script/greek", "script/coptic", "script/cuneiform", "highlight",
    "strikethrough", "midsize",
}  # fmt: skip
SECOND = {"lang", "rtl-lang", "rtllang", "wikt-lang", "resize", "font color", "color", "colour", "script"}
LAST = {"transl", "transliteration", "tlit", "langwithname"}
JOINED = {
    "chem": "",
    "sic": "",
    "nuclide": "-",
    "simplenuclide": "-",
    "simplenuclide2": "-",
    "bibleverse": " ",
    "bibleref2": " ",
}
BEFORE = {
    "circa": "c. ", "c.": "c. ", "ca.": "c. ", "ca": "c. ", "fl.": "fl. ", "floruit": "fl. ",
    "born": "b. ", "b.": "b. ", "d.": "d. ", "reign": "r. ", "r.": "r. ", "us$": "US$", "usd": "US$",
    "a$": "A$", "aud": "A$", "ca$": "C$", "cad": "C$", "£": "£", "gbp": "£", "pound sterling": "£",
    "€": "€", "eur": "€", "euro": "€", "inr": "₹", "indian rupee": "₹", "₹": "₹", "¥": "¥", "jpy": "¥",
    "radic": "√", "sqrt": "√", "e": "×10^", "esp": "×10^", "10^": "10^", "vol.": "vol. ",
}  # fmt: skip
FOREIGN = "lang-"
"""`{{lang-fr|mot}}`: its first parameter, with the name of the language."""
DASH = " – "
FIXED = {
    "·": " · ", "•": " • ", "dot": " · ", "middot": " · ", "bullet": " • ", "ndash": "–", "endash": "–",
    "en dash": "–", "nbndash": "–", "mdash": "—", "emdash": "—", "em dash": "—", "spaced ndash": DASH,
    "spaced en dash": DASH, "snd": DASH, "snds": DASH, "spnd": DASH, "sndash": DASH, "spndash": DASH,
    "dash": DASH, "mdashb": "—", "spaced mdash": " — ", "nbhyph": "-", "nbsp": " ", "space": " ",
    "spaces": " ", "thinsp": " ", "thin space": " ", "hair space": " ", "nnbsp": " ", "gap": " ",
    "pad": " ", "br": " ", "break": " ", "shy": "", "zwsp": "", "'": "'", "' \"": "'\"", "\" '": "\"'",
    "'\"": "'\"", "'s": "'s", "'-": "'", "okina": "ʻ", "hamza": "ʼ", "ayin": "ʽ", "=": "=", "!": " ",
    "...": "…", "ellipsis": "…", "hydrogen": "H", "carbon": "C", "nitrogen": "N", "oxygen": "O",
    "degree": "°", "deg": "°", "prime": "′", "sharp": "♯", "flat": "♭", "natural": "♮", "infin": "∞",
}  # fmt: skip
MAKERS: dict[str, Callable[[Arguments], str]] = {
    **dict.fromkeys(("convert", "cvt"), makers.conversion),
    **dict.fromkeys(("frac", "fraction", "sfrac", "tfrac"), makers.fraction),
    **dict.fromkeys(
        ("birth date", "birth date and age", "bda", "dob", "birth-date", "death date", "death-date"),
        makers.date,
    ),
    **dict.fromkeys(
        ("death date and age", "start date", "end date", "start date and age", "film date"), makers.date
    ),
    **{
        prefix: partial(makers.ship, prefix)
        for prefix in ("ship", "uss", "hms", "ss", "rms", "hmas", "hmcs", "sms", "ins")
    },
    **dict.fromkeys(("sclass", "sclass-", "sclass2", "sclass2-"), makers.ship_class),
    **dict.fromkeys(("nihongo", "nihongo3"), makers.nihongo),
    **dict.fromkeys(("zh", "lang-zh", "zh-full"), makers.chinese),
    "langx": lambda args: named(args.get("1", ""), args.get("2") or args.get("text", "")),
    "as of": makers.as_of,
    "asof": makers.as_of,
    "val": makers.value,
    "height": makers.height,
    "ill": lambda args: args.get("lt") or args.get("1", ""),
    "interlanguage link": lambda args: args.get("lt") or args.get("1", ""),
}
FUNCTIONS = {"formatnum", "lc", "uc", "lcfirst", "ucfirst"}
"""Parser functions: their first parameter stands after a colon."""


def plain_name(name: str) -> str:
    """Return a template's name as it counts, without the parameter of a parser function."""
    plain = " ".join(name.replace("_", " ").split()).casefold().removeprefix("template:")
    head, colon, _ = plain.partition(":")
    return head if colon and head in FUNCTIONS else plain


def is_prose(name: str) -> bool:
    """Return whether a template of this name, as written, is replaced by text."""
    plain = plain_name(name)
    tables = (FIRST, SECOND, LAST, JOINED, BEFORE, FIXED, MAKERS)
    return plain.startswith(FOREIGN) or any(plain in table for table in tables)


def replacement(name: str, args: Arguments) -> str:
    """Return the text that stands for a template, empty for one that holds no prose.

    Args:
        name: the template's name as written.
        args: its parameters as text.
    """
    plain = plain_name(name)
    if plain in MAKERS:
        return MAKERS[plain](args)
    if plain in FIXED:
        return FIXED[plain]
    if plain in BEFORE:
        return BEFORE[plain] + args.get("1", "").strip()
    if plain in JOINED:
        return JOINED[plain].join(positional(args))
    if plain in FUNCTIONS and ":" in name:
        return name.partition(":")[2]
    first = next((args[key] for key in ("1", "text", "quote", "content") if args.get(key)), "")
    if plain.startswith(FOREIGN):
        return named(plain.removeprefix(FOREIGN), first)
    if plain in FIRST:
        return first
    if plain in SECOND:
        return args.get("2") or args.get("text", "")
    return positional(args)[-1] if plain in LAST and positional(args) else ""
