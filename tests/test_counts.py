from densecli.counts import format_counts


def test_counts_in_one_line() -> None:
    assert format_counts({"passages": 1200, "skipped_no_text": 3}) == "passages 1,200, skipped no text 3"
    assert format_counts({}) == ""
