import pytest

from densecli.lexical.analysis import Analysis, Analyzer


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("The Cats are running", ["cat", "run"]),
        ("Obama's speech, Obama’s", ["obama", "speech", "obama"]),
        ("It's not the U.S. but 3.5 of 1,000", ["u.", "3.5", "1,000"]),
        ("don't O'Neill", ["don't", "o'neil"]),
        ("Jay-Z (born 1969)", ["jai", "z", "born", "1969"]),
        ("end.Next 5.x", ["end.next", "5", "x"]),
        ("Beyonce\u0301 BEYONCÉ", ["beyoncé", "beyoncé"]),
        ("... — !", []),
        ("", []),
    ],
)
def test_terms_of_english(text, terms):
    assert Analyzer(Analysis()).terms(text) == terms


def test_the_second_time_is_like_the_first():
    analyzer = Analyzer(Analysis())
    text = "The running of the bulls' runner's run"
    assert analyzer.terms(text) == analyzer.terms(text) == ["run", "bull", "runner", "run"]


def test_settings_change_the_terms():
    plain = Analyzer(Analysis(word=r"[a-z]+", stop_words="cats", stemmer=""))
    assert plain.terms("The cats are running 5") == ["the", "are", "running"]


def test_settings_come_back_from_their_stored_form():
    analysis = Analysis(stop_words="one two", stemmer="")
    assert Analysis.from_json(analysis.to_json()) == analysis


@pytest.mark.parametrize("row", [{}, {"word": "x"}, {**Analysis().to_json(), "more": "x"}])
def test_unknown_settings_are_refused(row):
    with pytest.raises(ValueError, match="settings"):
        Analysis.from_json(row)
