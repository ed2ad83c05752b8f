import pytest

from densecli.corpus.wikipedia.pages import drop_reason


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (("Ada", "0", False, "wikitext", "text {{disambiguation needed}} #redirect"), ""),
        (("Ada", "0", True, "wikitext", ""), "redirect"),
        (("Ada", "0", False, "wikitext", " #Weiterleitung [[B]]"), "redirect"),
        (("Talk:Ada", "1", False, "wikitext", ""), "not_an_article"),
        (("Ada.js", "0", False, "javascript", ""), "not_an_article"),
        (("Ada (disambiguation)", "0", False, "wikitext", ""), "disambiguation"),
        (("Ada", "0", False, "wikitext", "x {{ Disambig |geo}}"), "disambiguation"),
        (("Ada", "0", False, "wikitext", "{{human_name disambiguation}}"), "disambiguation"),
        (("Ada", "0", False, "wikitext", "{{Begriffsklärung}}"), "disambiguation"),
        (("Ada", "0", False, "wikitext", "__DISAMBIG__"), "disambiguation"),
        (("List of hills", "0", False, "wikitext", "x"), "list"),
        (("Outline of logic", "0", False, "wikitext", "x"), "list"),
        (("Listing of hills", "0", False, "wikitext", "x"), ""),
    ],
)
def test_each_page_that_is_not_an_article_has_a_reason(page, reason):
    assert drop_reason(*page) == reason
