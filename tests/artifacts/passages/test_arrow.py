import numpy as np
import pyarrow as pa
import pytest

from densecli.artifacts.passages.arrow import TextColumn


@pytest.mark.parametrize("ends", [[0, 9, 4], [0, -1, 4], [0, 3, 2]])
def test_a_text_that_ends_outside_of_its_block_is_refused(ends):
    buffers = (pa.py_buffer(np.array(ends, np.int32)), pa.py_buffer(b"Ulm."))
    column = TextColumn(pa.StringArray.from_buffers(2, *buffers))
    with pytest.raises(ValueError, match="outside of its block"):
        _ = [column[0], column[1]]


def test_a_slice_of_a_column_is_read_by_its_own_places():
    column = TextColumn(pa.array(["Ulm", "", "Bern", "Zürich"]).slice(1))
    assert [column[place] for place in range(3)] == ["", "Bern", "Zürich"]
