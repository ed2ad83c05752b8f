"""Which pages are no articles, and by what they are known: as in the paper, after DrQA."""

import re

ARTICLES = "0"
"""The number of the namespace that articles are in."""

LIST_TITLE = re.compile(r"(?:Lists?|Index|Outline) of .")
REDIRECT = re.compile(
    r"\s*#\s*(?:redirect|weiterleitung|redirection|redirecci[oó]n|redirecionamento|rinvia|omdirigering|"
    r"doorverwijzing|patrz|przekieruj|перенаправление|転送|重定向|넘겨주기)\b",
    re.IGNORECASE,
)
DISAMBIGUATION_TITLE = re.compile(
    r"\((?:disambiguation(?: page)?|begriffsklärung|homonymie|desambiguación|desambiguação|disambigua)\)$",
    re.IGNORECASE,
)
TEMPLATE_NAME = re.compile(r"\{\{\s*([^|{}\n<\[\]]{2,60}?)\s*(?:\||\}\})")
DISAMBIGUATION_TEMPLATES = {
    # English, and the names that its redirects have
    "disambiguation", "disambig", "disamb", "dab", "disambiguation page", "disambiguation cleanup",
    "disambig cleanup", "hndis", "hndis cleanup", "human name disambiguation", "geodis",
    "place name disambiguation", "airport disambiguation", "biology disambiguation",
    "call sign disambiguation", "caselaw disambiguation", "chinese title disambiguation",
    "church disambiguation", "genus disambiguation", "hospital disambiguation",
    "letter number combination disambiguation", "letter–number combination disambiguation",
    "mathematical disambiguation", "mathdab", "military unit disambiguation", "mil unit dis",
    "music disambiguation", "number disambiguation", "numberdis", "opus disambiguation",
    "phonetics disambiguation", "phrase disambiguation", "road disambiguation", "roaddis",
    "school disambiguation", "schooldis", "species latin name disambiguation", "stationdis",
    "synagogue disambiguation", "taxonomy disambiguation", "template disambiguation",
    # other large Wikipedias
    "begriffsklärung", "homonymie", "disambigua", "desambiguación", "desambiguação", "desambig", "dp",
    "doorverwijspagina", "förgrening", "ujednoznacznienie", "неоднозначность", "aimai",
    "曖昧さ回避", "消歧义",
    "消歧義", "disambig-cat",
}  # fmt: skip


def drop_reason(title: str, namespace: str, redirect: bool, model: str, text: str) -> str:
    """Return why a page is no article with prose, or nothing when it may be one.

    Args:
        title: the page's title, which DrQA searches for lists and disambiguation.
        namespace: its number; articles are in 0.
        redirect: whether the dump marks the page as one.
        model: the kind of its content, `wikitext` for articles.
        text: its wikitext.
    """
    if redirect or REDIRECT.match(text):
        return "redirect"
    if namespace != ARTICLES or model != "wikitext":
        return "not_an_article"
    if _is_disambiguation(title, text):
        return "disambiguation"
    return "list" if LIST_TITLE.match(title) else ""


def _is_disambiguation(title: str, text: str) -> bool:
    if DISAMBIGUATION_TITLE.search(title) or "__DISAMBIG__" in text:
        return True
    names = (match.group(1) for match in TEMPLATE_NAME.finditer(text))
    return any(name.replace("_", " ").casefold() in DISAMBIGUATION_TEMPLATES for name in names)
