"""A reader answers the same with and without its compiled form."""

from densecli.cli.engines import open_reader
from densecli.encoders.folder import GRAPH
from densecli.reader.torch_folder import open_reader_base, save_reader
from densecli.records import Passage


def test_a_reader_without_a_graph_reads_in_torch(tiny_base, tmp_path):
    save_reader(open_reader_base(str(tiny_base), 64, 5, seed=1), tmp_path)
    passages = [Passage("a", "king", "the king was born in the city"), Passage("b", "", "a song of the sea")]
    compiled = open_reader(tmp_path).read("who was born", passages, 3, 512)
    (tmp_path / "encoder" / GRAPH).unlink()
    in_torch = open_reader(tmp_path).read("who was born", passages, 3, 512)
    assert compiled
    assert [(span.text, span.passage_id) for span in in_torch] == [(s.text, s.passage_id) for s in compiled]
