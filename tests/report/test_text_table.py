from densecli.report.text_table import TextTable


def test_names_are_aligned_on_the_left_and_numbers_on_the_right() -> None:
    table = TextTable(["results", "top-1"], [["bm25", "33.3"], ["dense", "8.0"]])
    assert str(table).splitlines() == ["results  top-1", "bm25      33.3", "dense      8.0"]


def test_a_table_without_rows_has_its_header() -> None:
    assert str(TextTable(["artifact", "size"], [])) == "artifact  size"
