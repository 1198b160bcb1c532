"""How fast CSV is read: examined, and made to records, on one core each. A round reads ROWS lines."""

import runpy
import sys
from pathlib import Path
from unittest import mock

import pytest

from speeddata.csv_check import Piece, examine, records
from speeddata.import_csv import CsvSource
from speeddata.import_options import ImportOptions
from speeddata.import_plan import fit_schema, make_schema
from speeddata.schema import Schema

ROWS = 400_000
EXAMPLES = Path(__file__).parents[2] / "examples"
FORMS = {
    "iso": ("grid_frequency.py", "--form", "iso"),
    "german": ("grid_frequency.py", "--form", "german"),
    "iot": ("iot_telemetry.py",),
}


@pytest.fixture(params=FORMS)
def source(request, tmp_path):
    name, *arguments = FORMS[request.param]
    path = tmp_path / "data.csv"
    with mock.patch.object(sys, "argv", [name, str(path), "--rows", str(ROWS), *arguments]):
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    made = CsvSource(path, ImportOptions(), 0)
    yield made
    made.close()


def test_examine(source, benchmark):
    piece = Piece(source.dialect.data_start, source._size)
    facts = benchmark(examine, source._fd, source._size, source.layout, (), piece, 0)
    assert facts.rows == ROWS


def test_records(source, benchmark):
    found = source.examine(lambda _done, _total: None)
    schema = Schema.parse(make_schema("x", found.fields, found.time_unit), time_unit=found.time_unit)
    layout = source._written(fit_schema("x", schema, found.time_unit, found))
    piece = Piece(source.dialect.data_start, source._size)
    made = benchmark(records, source._fd, source._size, layout, (), piece, [], [])
    assert sum(count for _, count, _ in made) == ROWS
