import contextlib

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speeddata.pivot.body_arrow_sizes import unpacked_size


def stream(table, compression=None, **options):
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=compression, **options)
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=100_000)
    return sink.getvalue().to_pybytes()


def zeros(rows):
    text = pa.array(["a", "b"]).dictionary_encode()
    return pa.table({"x": np.zeros(rows), "d": pa.chunked_array([pa.concat_arrays([text] * (rows // 2))])})


@pytest.mark.parametrize("compression", ["zstd", "lz4"])
def test_what_a_compressed_stream_takes_is_known_before(compression):
    table = zeros(200_000)
    data = stream(table, compression)
    assert len(data) < 100_000
    assert table.nbytes <= unpacked_size(data) <= table.nbytes + 10_000


def test_a_plain_stream_takes_what_it_has():
    data = stream(zeros(1000))
    assert unpacked_size(data) <= len(data)
    assert unpacked_size(b"") == 0


WHOLE = stream(zeros(10), "zstd")


@given(
    st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=4),
    st.integers(0, len(WHOLE)),
)
def test_damage_is_a_value_error_or_a_size(changes, length):
    data = bytearray(WHOLE)
    for place, value in changes:
        data[place] = value
    with contextlib.suppress(ValueError):
        assert unpacked_size(bytes(data[:length])) >= 0


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_error_or_a_size(data):
    with contextlib.suppress(ValueError):
        unpacked_size(data)
