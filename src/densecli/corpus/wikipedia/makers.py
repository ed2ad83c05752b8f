"""Text of templates that build a phrase from several parameters: languages, quotations, names of ships.

Each function returns what Wikipedia shows, or nothing (None or an empty text) where it does not know the form
that is used: half of a phrase would say something else.
"""

from densecli.corpus.wikipedia.arguments import Arguments, only, positional
from densecli.corpus.wikipedia.languages import NAMES


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
    return f"{parts[1]}: {parts[2]}" if only(parts, 3, 3) else None


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
    return f"{parts[0]}-class {parts[1]}" if only(parts, 2, 2) else None


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
    return f"{parts[0]} {parts[1]}" if only(parts[:2], 2, 2) and len(parts) <= 3 else None


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
    return f"{parts[0]}({parts[1]})" if only(parts, 2, 2) else None


def music(args: Arguments) -> str | None:
    """Return the sign that `{{music|flat}}` shows."""
    parts = positional(args)
    return MUSIC.get(parts[0].casefold()) if only(parts, 1, 1) else None


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
    return f"⟨{parts[0]}⟩" if only(parts, 1, 1) else None
