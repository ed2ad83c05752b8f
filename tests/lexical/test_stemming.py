import pytest

from densecli.lexical.stemming import stemmer


@pytest.mark.parametrize(
    ("word", "stem"),
    [
        ("running", "run"),
        ("us", "us"),  # two letters stay
        ("s", "s"),
        ("technology", "technolog"),
        ("technological", "technolog"),
        ("apology", "apolog"),
        ("logy", "logi"),  # nothing before it
        ("possibly", "possibl"),
        ("assembly", "assembl"),
        ("incredibly", "incred"),
        ("bubbly", "bubbl"),
        ("probably", "probabl"),
        ("bly", "bly"),
        ("ably", "abli"),
        ("1969", "1969"),
        ("москва", "москва"),
    ],
)
def test_porter_stemming_matches_lucene(word, stem):
    assert stemmer("porter")(word) == stem


def test_other_stemmers_are_from_snowball():
    assert stemmer("")("running") == "running"
    assert stemmer("english")("generously") == "generous"
    with pytest.raises(KeyError):
        stemmer("none of these")
