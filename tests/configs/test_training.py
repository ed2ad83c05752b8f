import pytest

from densecli.configs.training import TrainConfig, TrainReaderConfig
from densecli.errors import UsageError


@pytest.mark.parametrize(
    ("given", "rates"),
    [(None, ()), ("1", (1.0,)), ("1, 4", (1.0, 4.0)), ("0.5,1000,1e0", (0.5, 1000.0, 1.0))],
)
def test_sampling_rates(given: str | None, rates: tuple[float, ...]) -> None:
    assert TrainConfig(sampling_rates=given).rates == rates


@pytest.mark.parametrize("given", ["", "a", "1;4", "1,", "0", "-1", "1,0", "nan", "inf", "1001"])
def test_rates_that_are_none(given: str) -> None:
    with pytest.raises(UsageError, match="^--sampling-rates is .*numbers above 0 and up to 1,000"):
        TrainConfig(sampling_rates=given)


def test_the_paper_goes_through_a_small_set_more_often() -> None:
    paper = TrainConfig(preset="paper")
    assert [paper.passes(examples) for examples in (2_474, 9_999, 10_000, 58_880)] == [100, 100, 40, 40]
    assert TrainConfig(preset="paper", epochs=7).passes(10) == 7
    assert TrainConfig().passes(10) == TrainConfig().passes(100_000) == 3
    assert TrainReaderConfig(preset="paper").passes(10) == TrainReaderConfig().passes(10) == 1
    assert TrainReaderConfig(epochs=2).passes(10) == 2


def test_the_papers_reader_sees_fewer_questions_at_once_where_there_are_few() -> None:
    paper = TrainReaderConfig(preset="paper")
    assert [paper.batch(questions) for questions in (2_474, 9_999, 10_000, 58_880)] == [4, 4, 16, 16]
    assert TrainReaderConfig(preset="paper", batch_size=16).batch(10) == 16
    assert TrainReaderConfig().batch(10) == TrainReaderConfig(preset="dpr-nq").batch(10) == 16
