import csv
import io
import json

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from speeddata.errors import FormatError
from speeddata.pivot.sql_results import FORMATS, Failed, TooLarge, write


def answer(sql, form="json", rows=None, size=1 << 30, per_batch=1000):
    out = io.BytesIO()
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        made = connection.execute(sql)
        types = [str(column[1]) for column in made.description]
        told = write(made.to_arrow_reader(per_batch), types, form, out, rows, size)
    return told, out.getvalue()


KINDS = {
    "1::BIGINT": 1,
    "9007199254740993": 9007199254740993,
    "sum(5)": 5,
    "1.5::DECIMAL(4,2)": 1.5,
    "12345678901234567890123::DECIMAL(38,0)": "12345678901234567890123",
    "'nan'::DOUBLE": None,
    "'inf'::FLOAT": None,
    "0.5": 0.5,
    "NULL": None,
    "true": True,
    "'\"é\n'": '"é\n',
    "'ab'::BLOB": "YWI=",
    "DATE '2020-01-02'": "2020-01-02",
    "TIME '10:00'": "10:00:00",
    "TIMESTAMP '2020-01-02 03:04:05.006'": "2020-01-02T03:04:05.006",
    "TIMESTAMPTZ '2020-01-02 03:04:05+01'": "2020-01-02T02:04:05Z",
    "'2020-01-02 03:04:05.000000006'::TIMESTAMP_NS": "2020-01-02T03:04:05.000000006",
    "'1000-01-01'::TIMESTAMP": "1000-01-01T00:00:00.000000",
    "'infinity'::TIMESTAMPTZ": "infinity",
    "INTERVAL '1 month 2 days 3 seconds'": "P1M2DT3S",
    "[1, NULL]": [1, None],
    "{'a': 1, 'b': [2]}": {"a": 1, "b": [2]},
    "MAP {'k': 2}": [["k", 2]],
    "'x'::ENUM ('x', 'y')": "x",
}


@pytest.mark.parametrize("expression", KINDS)
def test_values_of_json(expression):
    _, content = answer(f"SELECT {expression} AS v")
    told = json.loads(content)
    assert told["rows"] == [[KINDS[expression]]]
    assert told["columns"][0]["name"] == "v"


ROWS = "SELECT range AS n, range::VARCHAR AS s FROM range(2500)"


@pytest.mark.parametrize("limit", [None, 0, 1, 999, 1000, 1001, 2499, 2500, 2501])
def test_rows_columns_and_limits(limit):
    count = 2500 if limit is None else min(limit, 2500)
    told, content = answer(ROWS, rows=limit)
    assert told == (count, count < 2500)
    given = json.loads(content)
    assert given["rows"] == [[n, str(n)] for n in range(count)]
    assert given["columns"] == [{"name": "n", "type": "BIGINT"}, {"name": "s", "type": "VARCHAR"}]
    assert given["truncated"] == (count < 2500)
    _, content = answer(ROWS, "columns", rows=limit)
    assert json.loads(content)["values"] == [list(range(count)), [str(n) for n in range(count)]]


def test_names_that_repeat():
    assert json.loads(answer("SELECT 1 AS a, 2 AS a")[1])["rows"] == [[1, 2]]


def test_fault_80_no_text_of_csv_is_a_formula():
    words = "SELECT '=1+1' AS a, '-x' AS b, -1.5 AS c, -2.5::DECIMAL(5, 2) AS d, -3 AS e, 'x' AS f, NULL AS g"
    _, content = answer(words, "csv")
    lines = list(csv.reader(io.StringIO(content.decode(), newline="")))
    assert lines[1] == ["'=1+1", "'-x", "-1.5", "-2.5", "-3", "x", ""]


def test_csv():
    _, content = answer(
        "SELECT 1 AS \"a,b\", 'x\"y' AS c, NULL AS d, [1, 2] AS e, TIMESTAMP '2020-01-01' AS t", "csv"
    )
    assert list(csv.reader(io.StringIO(content.decode(), newline=""))) == [
        ["a,b", "c", "d", "e", "t"],
        ["1", 'x"y', "", "[1,2]", "2020-01-01T00:00:00"],
    ]


def test_arrow_and_parquet():
    wanted = pa.table({"n": list(range(2500)), "s": [str(n) for n in range(2500)]})
    assert pa.ipc.open_stream(answer(ROWS, "arrow")[1]).read_all().equals(wanted)
    assert pq.read_table(io.BytesIO(answer(ROWS, "parquet")[1])).equals(wanted)


def test_parquet_cannot_hold_all():
    with pytest.raises(FormatError, match="parquet cannot hold"):
        answer("SELECT INTERVAL 1 DAY", "parquet")


@pytest.mark.parametrize("form", FORMATS)
def test_too_large(form):
    with pytest.raises(TooLarge):
        answer("SELECT hash(range) AS a, hash(range + 1) AS b FROM range(100000)", form, size=100_000)


def test_a_statement_that_fails_on_the_way():
    # Of DuckDB's threads one fails, and the others are interrupted: which of them it tells of is a matter of luck.
    with pytest.raises(Failed, match="Conversion Error|INTERRUPT Error"):
        answer(
            "SELECT CASE WHEN range < 900000 THEN 1 ELSE range::VARCHAR::DATE::VARCHAR::INT END FROM range(1000000)"
        )
