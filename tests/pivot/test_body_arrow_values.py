import numpy as np
import pyarrow as pa
import pytest

from speeddata.pivot.body_arrow_values import require_plain, written_out
from speeddata.pivot.problem import Problem

RUNS = pa.RunEndEncodedArray.from_arrays([1000], [1.5])


@pytest.mark.parametrize(
    "column",
    [
        RUNS,
        pa.array(["a"], pa.string_view()),
        pa.array([b"a"], pa.binary_view()),
        pa.array([[1]], pa.list_view(pa.int64())),
        pa.array([[1]], pa.large_list_view(pa.int64())),
        pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])]),
        pa.DictionaryArray.from_arrays([0], pa.array([[1, 2]])),
        pa.array([["a"]], pa.list_(pa.string_view())),
        pa.StructArray.from_arrays([pa.array(["a"]).dictionary_encode()], ["x"]),
    ],
    ids=lambda column: str(column.type)[:30],
)
def test_kinds_whose_size_is_not_told_are_refused(column):
    with pytest.raises(Problem) as caught:
        require_plain(pa.schema([("time", pa.int64()), ("x", column.type)]))
    assert (caught.value.status, caught.value.body["field"]) == (400, "x")
    assert "dictionaries" in caught.value.body["wanted"]


TEXTS = pa.array(["a" * 100, "b"])


@pytest.mark.parametrize(
    ("column", "least"),
    [
        (pa.array([1.5, None]), 16),
        (pa.nulls(1000), 8000),
        (pa.array([True] * 800), 6400),
        (TEXTS, 101),
        (pa.DictionaryArray.from_arrays(np.zeros(1000, np.int8), TEXTS), 100_000),
        (pa.DictionaryArray.from_arrays(np.ones(1000, np.int8), TEXTS), 9000),
        (pa.DictionaryArray.from_arrays(pa.array([None, 0], pa.int8()), TEXTS), 100),
        (pa.DictionaryArray.from_arrays(np.zeros(1000, np.int8), pa.array([1.5])), 8000),
        (pa.DictionaryArray.from_arrays(np.zeros(10, np.int8), pa.array([b"xx"], pa.binary(2))), 20),
        (pa.array([[1] * 50, []]), 400),
        (pa.array([[]] * 1000, pa.list_(pa.int8(), 0)), 8000),
        (pa.array([{"x": "a" * 50, "y": None}]), 50),
        (pa.array([[("k" * 30, 1)]], pa.map_(pa.string(), pa.int64())), 38),
        (pa.array([], pa.string()), 0),
    ],
    ids=lambda one: str(getattr(one, "type", one)),
)
def test_what_values_take_is_known_before_they_are_made(column, least):
    require_plain(pa.schema([("x", column.type)]))
    told = written_out(pa.chunked_array([column, column]))
    assert 2 * least <= told <= 6 * least + 2000
