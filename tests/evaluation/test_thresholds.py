import pytest

from densecli.errors import ThresholdError, UsageError
from densecli.evaluation.accuracy import Summary
from densecli.evaluation.thresholds import parse_ks, parse_thresholds

FOUND = Summary(9, {1: 50.0, 20: 75.0}, None, measures={"nDCG@10": 0.31})
READ = Summary(9, {1: 50.0}, 40.0, f1=60.0)


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        ("top20=0.75", FOUND), ("top-20=75", FOUND), ("TOP1=.5,nDCG@10=0.3", FOUND),
        ("75", FOUND), ("0.75", FOUND),
        ("EM=40", READ), ("em=0.4,f1=60", READ), ("40", READ),
    ],
)  # fmt: skip
def test_a_reached_threshold_passes(text: str, summary: Summary) -> None:
    for threshold in parse_thresholds(text):
        threshold.check("run", summary)


@pytest.mark.parametrize(
    ("text", "summary", "told"),
    [
        ("top20=0.76", FOUND, "run: top-20 accuracy is 75.0, below 76"),
        ("76", FOUND, "run: top-20 accuracy is 75.0, below 76"),
        ("top1=0.5,nDCG@10=0.32", FOUND, "run: nDCG@10 is 0.3100, below 0.32"),
        ("41", READ, "run: exact match is 40.0, below 41"),
        ("F1=0.61", READ, "run: F1 is 60.0, below 61"),
    ],
)
def test_a_missed_threshold_fails(text: str, summary: Summary, told: str) -> None:
    with pytest.raises(ThresholdError) as error:
        for threshold in parse_thresholds(text):
            threshold.check("run", summary)
    assert str(error.value) == told


@pytest.mark.parametrize("text", ["top20=", "=0.5", "x", "top20=nan", "top20=101", "-1", "top20=0.7,"])
def test_an_invalid_threshold_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="`fail_under` is"):
        parse_thresholds(text)


def test_a_threshold_on_an_unmeasured_value_is_refused() -> None:
    for text, summary in (("top100=0.5", FOUND), ("EM=1", FOUND), ("20", Summary(9, {1: 50.0}, None))):
        with pytest.raises(UsageError):
            parse_thresholds(text)[0].check("run", summary)


def test_values_of_k_are_parsed() -> None:
    assert parse_ks("20, 1,5,5") == (1, 5, 20)
    for text in ("", "0", "1,,2", "1;2", "-1", "1.5", "100001", "²"):
        with pytest.raises(UsageError, match="`top_k` is"):
            parse_ks(text)


@pytest.mark.parametrize("right", range(101))
def test_a_value_equal_to_the_threshold_passes(right: int) -> None:
    """100 * 0.29 is a little less than 29, and 100 * 0.07 a little more than 7."""
    summary = Summary(100, {}, 100 * (right / 100), f1=0.0)
    for text in (f"EM={right}", f"EM={right / 100}"):
        if right > 1:
            parse_thresholds(text)[0].check("run", summary)
