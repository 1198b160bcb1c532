import h5py
import numpy as np
import pytest

from speeddata.hdf5_column import FILL, infer_kind, pack, unpack


def objects(*values):
    out = np.empty(len(values), object)
    for place, value in enumerate(values):
        out[place] = value
    return out


def store(tmp_path, column, kind):
    """The dataset's own type and attributes, and what is read back."""
    packed = pack(column, kind)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        dataset = file.create_dataset("x", data=packed.data, dtype=packed.dtype)
        dataset.attrs.update(packed.attributes)
        if packed.nulls:
            dataset.attrs["nulls"] = packed.nulls
        return dataset[()], dict(dataset.attrs), unpack(dataset)


@pytest.mark.parametrize(
    "column",
    [
        np.array([1, -2], np.int32),
        np.array([2**63 - 1, -(2**63)], np.int64),
        np.array([1.5, np.nan, np.inf, -0.0], np.float32),
        np.array([5e-324, np.nan], np.float64),
        np.array([True, False]),
        np.arange(6.0).reshape(2, 3),
        np.zeros((2, 0)),
        np.zeros(0, np.int32),
    ],
)
def test_numbers_are_as_they_are(tmp_path, column):
    raw, attributes, back = store(tmp_path, column, "number")
    assert attributes == {}
    assert raw.dtype == column.dtype
    assert back.tobytes() == column.tobytes()
    assert back.shape == column.shape


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (objects("a", "ü€😀", ""), "string"),
        (objects("a", None, ""), "string"),
        (objects("RED", None), "enum"),
        (objects(b"ab\0", b"", None), "bytes"),
        (objects(b"ab", b"\0\1", None), "fixed"),
        (objects(np.array([1.5]), np.array([]), np.array([1.0, 2.0])), "array"),
        (objects(), "array"),
        (objects(), "string"),
        (objects(["a", "b"], [], None), "array"),
        (objects({"a": 1, "b": [1.5, None]}, {}, None), "map"),
        (objects(1, "x", None, True), "union"),
    ],
)
def test_objects_come_back(tmp_path, column, kind):
    _, _, back = store(tmp_path, column, kind)
    plain = [[v.tolist() if isinstance(v, np.ndarray) else v for v in values] for values in (back, column)]
    assert plain[0] == plain[1]


def test_nulls_of_integers_and_booleans_are_a_fill_value(tmp_path):
    raw, attributes, back = store(
        tmp_path, np.ma.MaskedArray(np.array([1, 2], np.int32), [False, True]), "int"
    )
    assert raw.tolist() == [1, -(2**31)]
    assert attributes[FILL] == -(2**31)
    assert back.tolist() == [1, None]
    assert back.dtype == np.int32
    raw, attributes, back = store(
        tmp_path, np.ma.MaskedArray([True, False, True], [False, False, True]), "boolean"
    )
    assert raw.tolist() == [1, 0, -1]
    assert attributes[FILL] == -1
    assert back.tolist() == [True, False, None]
    _, attributes, _ = store(tmp_path, np.ma.MaskedArray([-(2**63), 1], [False, True]), "long")
    assert attributes["fill_value_is_also_data"]


def test_nulls_of_others_are_told_by_row(tmp_path):
    raw, attributes, _ = store(tmp_path, objects("a", None, "b", None), "string")
    assert raw.tolist() == [b"a", b"", b"b", b""]
    assert attributes["nulls"].tolist() == [1, 3]


def test_nul_in_text_is_shown(tmp_path):
    _, attributes, back = store(tmp_path, objects("a\0b"), "string")
    assert back.tolist() == ["a␀b"]
    assert attributes["nul_shown_as"] == "␀"


def test_json_holds_what_json_has_no_word_for(tmp_path):
    _, _, back = store(tmp_path, objects({"b": b"\0\xff", "n": float("nan"), "i": np.int64(5)}), "map")
    assert back.tolist() == [{"b": {"base64": "AP8="}, "n": "nan", "i": 5}]


def test_kinds_without_a_schema():
    assert infer_kind(np.array(["a", "b"])) == "string"
    assert infer_kind(objects("a", None)) == "string"
    assert infer_kind(objects(b"a")) == "bytes"
    assert infer_kind(np.zeros(2, "V3")) == "fixed"
    assert infer_kind(objects(np.zeros(2))) == "array"
    assert infer_kind(objects(1, "a")) == "json"
    assert infer_kind(np.zeros(2)) == "number"
    assert infer_kind(objects()) == "string"


def test_datasets_of_other_makers(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["fixed_text"] = np.array([b"ab", b"c"])
        file["scalar"] = 5
        assert unpack(file["fixed_text"]).tolist() == ["ab", "c"]
        assert unpack(file["scalar"]).tolist() == 5
