import pytest

from densecli.files.pieces import PLAN, Pieces, find_unfinished, new_piece

NAME = "piece-{}".format


def write(folder, number, text="x"):
    with new_piece(folder / NAME(number)) as path:
        path.write_text(text)


def names(folder):
    return {path.name for path in folder.iterdir()}


def test_pieces_of_the_same_plan_are_done(tmp_path):
    pieces = Pieces(tmp_path, NAME, "plan", "note")
    assert (pieces.leading, find_unfinished(tmp_path, NAME)) == (0, None)
    write(tmp_path, 0)
    write(tmp_path, 2)
    again = Pieces(tmp_path, NAME, "plan", "other note")
    assert again.leading == 1
    begun = find_unfinished(tmp_path, NAME)
    assert begun is not None
    assert (begun.plan, begun.note) == ("plan", "note")
    write(tmp_path, 1)
    assert again.leading == 3
    assert [again.path(number).read_text() for number in range(3)] == ["x", "x", "x"]


@pytest.mark.parametrize("before", ["other", "plan and more", None])
def test_pieces_of_another_plan_are_removed(tmp_path, before):
    Pieces(tmp_path, NAME, before or "plan")
    write(tmp_path, 0)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "x").touch()
    if before is None:
        (tmp_path / PLAN).write_bytes(b"\xff\xfe\0")
    assert Pieces(tmp_path, NAME, "plan").leading == 0
    assert names(tmp_path) == {PLAN}


def test_an_empty_plan_never_matches(tmp_path):
    for _ in range(2):
        assert Pieces(tmp_path, NAME, "").leading == 0
        write(tmp_path, 0)


def test_a_failed_piece_is_not_done(tmp_path):
    pieces = Pieces(tmp_path, NAME, "plan")
    with pytest.raises(OSError, match="full"), new_piece(pieces.path(0)) as path:
        path.write_text("half")
        raise OSError("full")
    assert pieces.leading == 0
    write(tmp_path, 0, "whole")
    assert pieces.path(0).read_text() == "whole"
    assert names(tmp_path) == {PLAN, NAME(0)}


def test_a_piece_can_be_a_folder(tmp_path):
    (tmp_path / NAME(0)).with_suffix(".partial").mkdir()
    (tmp_path / NAME(0)).with_suffix(".partial").joinpath("half").touch()
    with new_piece(tmp_path / NAME(0)) as path:
        path.mkdir()
        (path / "whole").touch()
    assert names(tmp_path / NAME(0)) == {"whole"}
    assert names(tmp_path) == {NAME(0)}


def test_a_plan_without_finished_pieces_is_removed(tmp_path):
    pieces = Pieces(tmp_path, NAME, "plan")
    pieces.discard_if_empty()
    assert not names(tmp_path)
    pieces = Pieces(tmp_path, NAME, "plan")
    write(tmp_path, 0)
    pieces.discard_if_empty()
    assert names(tmp_path) == {PLAN, NAME(0)}
