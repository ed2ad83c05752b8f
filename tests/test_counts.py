from densecli.counts import listed


def test_counts_in_one_line() -> None:
    assert listed({"passages": 1200, "skipped_no_text": 3}) == "passages 1,200, skipped no text 3"
    assert listed({}) == ""
