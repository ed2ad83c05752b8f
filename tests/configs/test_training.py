import pytest

from densecli.configs.training import TrainConfig, TrainReaderConfig
from densecli.errors import UsageError


@pytest.mark.parametrize(
    ("given", "rates"),
    [(None, ()), ("1", (1.0,)), ("1, 4", (1.0, 4.0)), ("0.5,1000,1e0", (0.5, 1000.0, 1.0))],
)
def test_sampling_rates_are_parsed(given: str | None, rates: tuple[float, ...]) -> None:
    assert TrainConfig(sampling_rates=given).rates == rates


@pytest.mark.parametrize("given", ["", "a", "1;4", "1,", "0", "-1", "1,0", "nan", "inf", "1001"])
def test_invalid_sampling_rates_are_refused(given: str) -> None:
    with pytest.raises(UsageError, match="^`sampling_rates` is .*numbers above 0 and up to 1,000"):
        TrainConfig(sampling_rates=given)


def test_the_paper_preset_uses_more_epochs_for_a_small_set() -> None:
    paper = TrainConfig(preset="paper")
    assert [paper.passes(examples) for examples in (2_474, 9_999, 10_000, 58_880)] == [100, 100, 40, 40]
    assert TrainConfig(preset="paper", epochs=7).passes(10) == 7
    assert TrainConfig().passes(10) == TrainConfig().passes(100_000) == 3
    assert TrainReaderConfig(preset="paper").passes(10) == TrainReaderConfig().passes(10) == 1
    assert TrainReaderConfig(epochs=2).passes(10) == 2


def test_the_paper_preset_uses_a_smaller_reader_batch_for_a_small_set() -> None:
    paper = TrainReaderConfig(preset="paper")
    assert [paper.batch(questions) for questions in (2_474, 9_999, 10_000, 58_880)] == [4, 4, 16, 16]
    assert TrainReaderConfig(preset="paper", batch_size=16).batch(10) == 16
    assert TrainReaderConfig().batch(10) == TrainReaderConfig(preset="dpr-nq").batch(10) == 16


def test_index_negatives_are_checked() -> None:
    def config(asked: str | None) -> TrainConfig:
        return TrainConfig(fixed_passage_encoder=True, index_negatives=asked)

    assert [config(asked).index_depth for asked in (None, "all", "1", "100000")] == [None, None, 1, 100_000]
    for wrong in ("", "0", "-3", "ALL", "1.5", "100001", "\u0663"):
        with pytest.raises(UsageError, match="^`index_negatives` is .*; expected all, or a number up to"):
            config(wrong)


def test_settings_that_need_a_softmax_loss_are_refused_without_it() -> None:
    with pytest.raises(UsageError, match="^`index_negatives` is for `loss=nll`, not triplet"):
        TrainConfig(loss="triplet", fixed_passage_encoder=True, index_negatives="all")
    with pytest.raises(UsageError, match="^`max_positives` is for `loss=nll`, not triplet"):
        TrainConfig(loss="triplet", fixed_passage_encoder=True, max_positives=2)


def test_validation_by_search_needs_a_fixed_passage_encoder() -> None:
    with pytest.raises(UsageError, match="^`validate_by=search` needs `fixed_passage_encoder`"):
        TrainConfig(validate_by="search")
