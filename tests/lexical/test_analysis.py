import re
from unicodedata import normalize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import densecli.lexical.analysis as analysis_module
from densecli.configs.corpus import STEMMERS, IndexConfig
from densecli.lexical.analysis import WORD, Analysis, Analyzer


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("The Cats are running", ["cat", "run"]),
        ("Obama's speech, Obama’s", ["obama", "speech", "obama"]),
        ("It's not the U.S. but 3.5 of 1,000", ["u.", "3.5", "1,000"]),
        ("don't O'Neill", ["don't", "o'neil"]),
        ("Jay-Z (born 1969)", ["jai", "z", "born", "1969"]),
        ("end.Next 5.x", ["end.next", "5", "x"]),
        ("Talk:Rome 10:30 5'11", ["talk:rom", "10", "30", "5'11"]),
        ("us os s 's", ["us", "os", "s", "s"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("Москва́ שָׁלוֹם", ["москва́", "שָׁלוֹם"]),
        ("東京タワー は", ["東", "京", "タワー", "は"]),
        ("ภาษาไทย", ["ภาษาไทย"]),
        ("Beyonce\u0301 BEYONCÉ", ["beyoncé", "beyoncé"]),
        ("... — !", []),
        ("", []),
    ],
)
def test_english_text_is_split_into_stemmed_terms(text, terms):
    assert Analyzer(Analysis()).terms(text) == terms


def test_analyzing_again_gives_the_same_terms():
    analyzer = Analyzer(Analysis())
    text = "The running of the bulls' runner's run"
    assert analyzer.terms(text) == analyzer.terms(text) == ["run", "bull", "runner", "run"]


@pytest.mark.parametrize(
    ("changes", "terms"),
    [
        ({"word": r"[a-z]+", "stop_words": "cats", "stemmer": ""}, ["the", "beyonc", "of", "running"]),
        ({"stop_words": "", "stemmer": ""}, ["the", "cats", "beyoncé", "of", "５", "running"]),
        ({"stop_words": "BEYONCE", "unicode": "plain"}, ["the", "cat", "of", "5", "run"]),
        ({"unicode": "nfkc"}, ["cat", "beyoncé", "5", "run"]),
        ({"lower_case": False, "stop_words": "The"}, ["Cat", "Beyoncé", "of", "５", "run"]),
        ({"stemmer": "german"}, ["cat", "beyoncé", "５", "running"]),
    ],
)
def test_settings_change_the_terms(changes, terms):
    assert Analyzer(Analysis(**changes)).terms("The Cats' Beyoncé of ５ running") == terms


@settings(deadline=None)
@given(st.text(max_size=80))
def test_splitting_at_white_space_first_changes_no_term(text):
    """So the expression may be applied to chunks, which repeat, in place of texts, which do not."""
    analyzer = Analyzer(Analysis(stemmer="", stop_words=""))
    words = re.findall(WORD, normalize("NFC", text).lower())
    found = [word for chunk in analyzer.chunks(text) for word in re.findall(WORD, chunk)]
    assert found == words


@settings(deadline=None)
@given(
    st.text(max_size=80),
    st.sampled_from(["nfc", "nfkc", "plain"]),
    st.sampled_from(["", "porter", "english"]),
)
def test_no_term_is_empty_or_contains_white_space(text, form, stemmer):
    for term in Analyzer(Analysis(unicode=form, stemmer=stemmer)).terms(text):
        assert term
        assert term.split() == [term]


def test_the_cache_of_terms_is_bounded(monkeypatch):
    monkeypatch.setattr(analysis_module, "REMEMBERED", 3)
    analyzer = Analyzer(Analysis())
    assert analyzer.terms("one two three four two cats") == ["on", "two", "three", "four", "two", "cat"]
    assert len(analyzer._terms) <= 3


def test_options_choose_the_analysis():
    assert Analysis.from_config(IndexConfig()) == Analysis()
    chosen = IndexConfig(stop_words="der die das", stemmer="german", unicode="plain", lower_case=False)
    assert Analysis.from_config(chosen) == Analysis(WORD, "der die das", "german", False, "plain")
    assert Analysis.from_config(IndexConfig(stop_words="none", stemmer="none")) == Analysis(
        stop_words="", stemmer=""
    )


@pytest.mark.parametrize("name", [name for name in STEMMERS if name != "none"])
def test_every_stemmer_in_the_settings_exists(name):
    assert Analyzer(Analysis(stemmer=name)).terms("Haus")


def test_settings_survive_a_round_trip():
    analysis = Analysis(stop_words="one two", stemmer="")
    assert Analysis.from_json(analysis.to_json()) == analysis


@pytest.mark.parametrize(
    "row",
    [{}, {"word": "x"}, {**Analysis().to_json(), "more": "x"}, {**Analysis().to_json(), "lower_case": "no"}],
)
def test_unknown_settings_are_refused(row):
    with pytest.raises(ValueError, match="settings"):
        Analysis.from_json(row)
