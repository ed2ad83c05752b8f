"""The templates that stand for words of a sentence, and the text that replaces each; all others are dropped.

A name counts in lower case, with spaces for underscores. What a template becomes:

* FIRST, SECOND, LAST: that one of its parameters without a name;
* JOINED: all of them, with nothing between;
* FIXED: that text;
* MAKERS: what a function builds from the parameters, such as `5 kilometres` for `{{convert|5|km|mi}}`.

The text is what Wikipedia shows. A template whose form is not known here is dropped whole, and counted: a
part of it would say something else. Pronunciations, notes, flags, icons and calls for better sources hold no
prose and are not here.
"""

from collections.abc import Callable
from functools import partial

from densecli.corpus.wikipedia import dates, makers, numbers
from densecli.corpus.wikipedia.arguments import Arguments, group_thousands, positional
from densecli.corpus.wikipedia.measures import conversion

FIRST = {
    "nowrap", "nobr", "nobreak", "no wrap", "small", "smaller", "smalldiv", "big", "large", "larger",
    "huge", "sup", "sub", "sc", "sc2", "smallcaps", "small caps", "center", "centre", "noitalic",
    "noitalics", "nobold", "bold", "strong", "em", "italic", "u", "underline", "code", "mono", "kbd",
    "var", "vr", "math", "mvar", "bigmath", "tooltip", "abbr", "unicode", "nihongo2", "nowraplinks",
    "poem", "block indent", "clarify span", "cn span", "citation needed span", "fact span", "dubious span",
    "red link", "nastaliq", "hebrew", "polytonic", "strikethrough", "midsize",
}  # fmt: skip
SECOND = {"lang", "rtl-lang", "rtllang", "color", "colour", "script"}
LAST = {
    "transl", "transliteration", "tlit", "wikt-lang", "font color", "resize", "script/hebrew",
    "script/arabic", "script/greek", "script/coptic", "script/cuneiform",
}  # fmt: skip
JOINED = {
    "chem", "linktext", "link text", "not a typo", "notatypo", "typo", "as written", "proper name",
}  # fmt: skip
MONEY = {
    "us$": "US$", "usd": "US$", "a$": "A$", "aud": "A$", "ca$": "C$", "cad": "C$", "£": "£", "gbp": "£",
    "pound sterling": "£", "€": "€", "eur": "€", "euro": "€", "inr": "₹", "indian rupee": "₹", "₹": "₹",
    "¥": "¥", "jpy": "¥",
}  # fmt: skip
SPANS = {
    "circa": ("c. ", " – "), "c.": ("c. ", " – "), "ca.": ("c. ", " – "), "ca": ("c. ", " – "),
    "fl.": ("fl. ", "–"), "floruit": ("fl. ", "–"), "reign": ("r. ", "–"), "r.": ("r. ", "–"),
}  # fmt: skip
"""The signs before a year, and between two."""
POWERS = {"e": "×10^", "10^": "10^", "born": "b. ", "b.": "b. ", "d.": "d. "}
"""A short text before the only parameter."""
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
    "co2": "CO2", "h2o": "H2O", "ch4": "CH4", "so2": "SO2", "no2": "NO2",
    "degree": "°", "deg": "°", "prime": "′", "sharp": "♯", "flat": "♭", "natural": "♮", "infin": "∞",
}  # fmt: skip
# Parameters to the text that is shown; None for a form that is not known.
Maker = Callable[[Arguments], str | None]
MAKERS: dict[str, Maker] = {
    "convert": conversion,
    "cvt": partial(conversion, symbols=True),
    **dict.fromkeys(("frac", "fraction", "sfrac", "tfrac"), numbers.fraction),
    **dict.fromkeys(
        ("birth date", "birth date and age", "bda", "dob", "death date", "start date", "end date"),
        dates.date,
    ),
    "start date and age": dates.date,
    "birth-date": dates.written_date,
    "death-date": dates.written_date,
    "death date and age": dates.death,
    "oldstyledate": dates.old_style,
    **{
        prefix: partial(makers.ship, prefix)
        for prefix in ("ship", "uss", "hms", "ss", "rms", "hmas", "hmcs", "sms", "ins", "mv")
    },
    **dict.fromkeys(("sclass", "sclass-", "sclass2", "sclass2-"), makers.ship_class),
    "nihongo": makers.nihongo,
    "nihongo3": makers.nihongo_romanized,
    **dict.fromkeys(("zh", "lang-zh", "zh-full"), makers.chinese),
    "langx": makers.language_first,
    "langwithname": makers.named_language,
    "native phrase": makers.native_phrase,
    "as of": dates.as_of,
    "asof": dates.as_of,
    "val": numbers.value,
    "height": numbers.height,
    "ill": lambda args: args.get("lt") or args.get("1"),
    "interlanguage link": lambda args: args.get("lt") or args.get("1"),
    **dict.fromkeys(("vanchor", "visible anchor"), lambda args: args.get("text") or args.get("1")),
    "percentage": numbers.percentage,
    "ordinal": numbers.ordinal,
    "nts": numbers.number,
    "formatnum": numbers.number,
    **dict.fromkeys(("radic", "sqrt"), numbers.root),
    "mya": dates.ago,
    "unité": numbers.french_unit,
    **dict.fromkeys(("nuclide", "nuclide2", "simplenuclide", "simplenuclide2"), numbers.nuclide),
    "chem2": numbers.formula,
    "sic": makers.as_written,
    **dict.fromkeys(("bibleverse", "bibleref", "bibleref2"), makers.bible_verse),
    **dict.fromkeys(
        ("quote", "quotation", "blockquote", "bquote", "poemquote", "pull quote"), makers.quotation
    ),
    "rquote": makers.pulled_quotation,
    "cquote": makers.big_quotation,
    **dict.fromkeys(("key", "keypress", "key press"), makers.keys),
    "ruby": makers.ruby,
    "music": makers.music,
    **dict.fromkeys(("flag", "flagcountry", "flagu"), makers.country),
    **dict.fromkeys(("angbr", "angle bracket"), makers.bracketed),
    **{name: partial(numbers.money, sign) for name, sign in MONEY.items()},
    **{name: partial(dates.since, *marks) for name, marks in SPANS.items()},
}
FUNCTIONS: dict[str, Callable[[str], str | None]] = {
    "formatnum": group_thousands,
    "lc": str.lower,
    "uc": str.upper,
    "lcfirst": lambda words: words[:1].lower() + words[1:],
    "ucfirst": lambda words: words[:1].upper() + words[1:],
}
"""Parser functions: their parameter follows a colon."""


def plain_name(name: str) -> str:
    """Return a template's name as it counts, without the parameter of a parser function."""
    plain = " ".join(name.replace("_", " ").split()).casefold().removeprefix("template:")
    head, colon, _ = plain.partition(":")
    return head if colon and head in FUNCTIONS else plain


def is_prose(name: str) -> bool:
    """Return whether a template of this name, as written, may be replaced by text."""
    plain = plain_name(name)
    tables = (FIRST, SECOND, LAST, JOINED, POWERS, FIXED, MAKERS, FUNCTIONS)
    return plain.startswith(FOREIGN) or any(plain in table for table in tables)


def replacement(name: str, args: Arguments) -> str | None:
    """Return the text that replaces a template; None for one that is dropped.

    Args:
        name: the template's name as written.
        args: its parameters as text.
    """
    plain = plain_name(name)
    if plain in FUNCTIONS and ":" in name:
        return FUNCTIONS[plain](name.partition(":")[2].strip()) if "1" not in args else None
    if plain in MAKERS:
        return MAKERS[plain](args) or None
    if plain in FIXED:
        return FIXED[plain]
    parts = positional(args)
    if plain in POWERS:
        return POWERS[plain] + parts[0] if len(parts) == 1 and parts[0] else None
    if plain in JOINED:
        return "".join(parts) or None
    if plain.startswith(FOREIGN):
        return makers.language(plain.removeprefix(FOREIGN), args)
    if plain in FIRST:
        return next((args[key] for key in ("1", "text", "content") if args.get(key)), None)
    if plain in SECOND:
        return args.get("2") or args.get("text") or None
    return parts[-1] or None if plain in LAST and parts else None
