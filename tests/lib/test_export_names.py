from pathlib import Path

import pytest

from speeddata.errors import FormatError
from speeddata.export_names import compression_of, format_of, named_for


@pytest.mark.parametrize(
    ("name", "format", "compression"),
    [
        ("x.h5", "hdf5", None),
        ("a.b/X.HDF5", "hdf5", None),
        ("x.1.parquet", "parquet", None),
        ("x.feather", "arrow", None),
        ("x.csv.gz", "csv", "gzip"),
        ("x.jsonl.zst", "jsonl", "zstd"),
        ("r7.parquet.zip", "parquet", None),
    ],
)
def test_the_end_tells_format_and_compression(name, format, compression):
    assert format_of(Path(name)) == format
    assert compression_of(Path(name), format) == compression


@pytest.mark.parametrize("name", ["x.xlsx", "x", ".h5", "x.zip", "x.gz", "x.h5.gz", "x.csv.xlsx", "parquet"])
def test_any_other_end_is_refused(name):
    with pytest.raises(FormatError, match=r"wanted one that ends in \.h5, .*\.avro"):
        format_of(Path(name))


@pytest.mark.parametrize(
    ("name", "zipped", "named"),
    [
        ("r7.parquet", False, "r7.parquet"),
        ("r7.parquet", True, "r7.parquet.zip"),
        ("r7.parquet.zip", True, "r7.parquet.zip"),
        ("r7.parquet.zip", False, "r7.parquet"),
        ("r7.zip", False, "r7.csv"),
    ],
)
def test_zip_is_at_the_end_exactly_of_what_is_one(name, zipped, named):
    assert named_for(Path("f") / name, zipped, "csv") == Path("f") / named
