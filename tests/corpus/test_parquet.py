import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus_files import records, write
from densecli.corpus.columns import Columns
from densecli.corpus.parquet import parquet_source
from densecli.errors import FieldError, InputError
from densecli.records import Article, Passage


def table(folder, **columns):
    path = folder / "x.parquet"
    pq.write_table(pa.table(columns), path, row_group_size=300)
    return str(path)


def test_rows_are_read_with_their_numbers(tmp_path):
    path = table(
        tmp_path,
        text=[f"t{n}" for n in range(1000)],
        vector=[[0.5]] * 1000,
        title=["T", None] * 500,
        id=list(range(1000)),
    )
    source = parquet_source(path, Columns())
    found = [(place, source.parse(payload)) for place, payload in source.raw]
    assert found == [(n + 1, Article(str(n), "T" if n % 2 == 0 else "", f"t{n}")) for n in range(1000)]


def test_columns_are_found_by_their_names(tmp_path):
    path = table(tmp_path, docid=["a"], contents=["t"], abstract=pa.array(["x"]).dictionary_encode())
    assert records(parquet_source(path, Columns())) == [Passage("a", "", "t")]
    assert records(parquet_source(path, Columns(texts=("abstract",)))) == [Passage("a", "", "x")]
    with pytest.raises(InputError, match="the schema is 'docid, contents, abstract'; .* `id_column`"):
        parquet_source(path, Columns(ids=("id",)))


def test_unusable_values_are_refused(tmp_path):
    source = parquet_source(table(tmp_path, id=["a", None], text=[None, "t"]), Columns())
    first, second = source.raw
    with pytest.raises(FieldError, match="'text' is null"):
        source.parse(first[1])
    with pytest.raises(FieldError, match="'id' is empty"):
        source.parse(second[1])


def test_an_unusable_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="not a Parquet file, or damaged"):
        parquet_source(write(tmp_path, "y.parquet", b"PAR1 and more"), Columns())
    with pytest.raises(InputError, match="no such file"):
        parquet_source(str(tmp_path / "nowhere.parquet"), Columns())
    path = table(tmp_path, id=[str(n) for n in range(5000)], text=[f"text {n}" * 9 for n in range(5000)])
    data = bytearray(open(path, "rb").read())
    data[20_000:40_000] = bytes(20_000)
    source = parquet_source(write(tmp_path, "z.parquet", bytes(data)), Columns())
    with pytest.raises(InputError, match=r"z\.parquet:\d+: not a Parquet file, or damaged"):
        list(source.raw)
