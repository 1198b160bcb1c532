"""CSV files as a whole: generated ones, hostile ones, and real recordings."""

import contextlib
import csv
import datetime
import io
import runpy
import sys
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from unittest import mock
from zoneinfo import ZoneInfo

import fastavro
import numpy as np
import pandas
import pytest

from speeddata import import_csv
from speeddata.errors import FormatError
from speeddata.import_csv import CsvSource
from speeddata.import_options import ImportOptions
from speeddata.import_plan import fit_schema, make_schema
from speeddata.schema import Schema

EXAMPLES = Path(__file__).parents[2] / "examples"
NS = 10**9


def imported(path, max_bad=100, **options):
    """What is found, and the records by key, times in ns."""
    source = CsvSource(path, ImportOptions(**options), max_bad)
    try:
        found = source.examine(lambda _done, _total: None)
        made = make_schema("x", found.fields, found.time_unit)
        fit = fit_schema("x", Schema.parse(made, time_unit=found.time_unit), found.time_unit, found)
        plain = {**made, "fields": [{"name": "time", "type": "long"}, *made["fields"][1:]]}
        records = {key: [] for key in found.keys}
        for _, job in source.jobs(fit, set()):
            for key, count, body in job():
                rows, stream = records[list(found.keys)[key]], io.BytesIO(body)
                rows += [fastavro.schemaless_reader(stream, plain) for _ in range(count)]
                assert stream.tell() == len(body)
    finally:
        source.close()
    scale = {"s": NS, "ms": 10**6, "us": 10**3, "ns": 1}[found.time_unit]
    for rows in records.values():
        for row in rows:
            row["time"] *= scale
    assert {key: len(rows) for key, rows in records.items()} == found.keys
    return found, records


@contextlib.contextmanager
def first_job(path, schema=None, **options):
    """What makes the records of the first piece, for a new channel or one of this schema."""
    source = CsvSource(path, ImportOptions(**options), 0)
    try:
        found = source.examine(lambda _done, _total: None)
        made = make_schema("x", found.fields, found.time_unit)
        schema = schema or Schema.parse(made, time_unit=found.time_unit)
        yield next(source.jobs(fit_schema("x", schema, found.time_unit, found), set()))[1]
    finally:
        source.close()


def example(name, *arguments):
    """Run an example program, with its arguments."""
    with mock.patch.object(sys, "argv", [name, *map(str, arguments)]):
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")


def written(tmp_path, text):
    path = tmp_path / "data.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def column(rows, name):
    return [row[name] for row in rows]


@pytest.mark.parametrize("form", ["iso", "german"])
@pytest.mark.parametrize(
    "odd", [[], ["--bom", "--crlf", "--quotes", "--header-twice", "--empty", "0.01", "--duplicates", "0.01"]]
)
def test_grid_frequency(form, odd, tmp_path):
    path = tmp_path / "grid.csv"
    example("grid_frequency.py", path, "--form", form, "--rows", 5000, "--step", 30, *odd)
    lines = path.read_bytes().decode("utf-8-sig").replace('"', "").replace(";", "|").splitlines()
    if form == "iso":
        lines = [line.replace(",", "|") for line in lines]
    cells = [line.split("|") for line in lines if line and not line.startswith(("Datum", "timestamp"))]
    shape = "%Y-%m-%dT%H:%M:%SZ" if form == "iso" else "%d.%m.%y %H:%M:%S"
    found, records = imported(path)
    rows = records[""]
    name = found.fields[0].name
    truth = [
        datetime.datetime.strptime(c[0][4:] if form == "german" else c[0], shape).replace(tzinfo=datetime.UTC)
        for c in cells
    ]
    assert column(rows, "time") == [int(one.timestamp()) * NS for one in truth]
    assert column(rows, name) == [float(c[1].replace(",", ".")) for c in cells]
    assert (found.time_unit, found.bad_count, found.rows) == ("s", 0, len(cells))
    assert bool(found.notes) == bool(odd)


def test_local_time_with_the_hour_that_comes_twice(tmp_path):
    path = tmp_path / "soll.csv"
    arguments = [
        "--form",
        "german",
        "--values",
        "setpoint",
        "--rows",
        20000,
        "--step",
        30,
        "--start",
        "2021-10-29T00:00:00",
    ]
    example("grid_frequency.py", path, *arguments, "--zone", "Europe/Zurich")
    found, records = imported(path, zone="Europe/Zurich")
    start = int(datetime.datetime(2021, 10, 29, tzinfo=datetime.UTC).timestamp())
    assert column(records[""], "time") == [(start + 30 * n) * NS for n in range(20000)]
    assert {row["A_f_soll_aktiv"] for row in records[""]} == {49.99, 50.0, 50.01}
    assert (found.fields[0].unit, found.fields[0].type) == ("Hz", "double")
    assert any("comes" in note or "twice" in note for note in found.notes)


def test_the_same_however_small_the_pieces_are(tmp_path, monkeypatch):
    path = tmp_path / "soll.csv"
    example("grid_frequency.py", path, "--form", "german", "--rows", 20000, "--start", "2021-10-30T22:00:00", "--zone", "Europe/Zurich",
            "--duplicates", "0.001", "--empty", "0.001")  # fmt: skip
    whole = imported(path, zone="Europe/Zurich")
    monkeypatch.setattr(import_csv, "PIECE", 3333)
    parts = imported(path, zone="Europe/Zurich")
    assert len(parts[0].chunks) > 100
    assert parts[1] == whole[1]


def test_bad_lines_are_numbered_and_told(tmp_path, monkeypatch):
    path = tmp_path / "bad.csv"
    example("grid_frequency.py", path, "--form", "german", "--rows", 5000, "--bad", "0.01", "--cut", 6)
    monkeypatch.setattr(import_csv, "PIECE", 9999)
    found, _ = imported(path, max_bad=1000)
    lines = path.read_bytes().splitlines(keepends=True)
    assert found.bad_count > 20
    assert all(lines[bad.line - 1] == bad.text for bad in found.bad)
    assert found.rows + found.bad_count == len(lines) - 1
    assert any("no line end" in note for note in found.notes)


def test_grid_frequency_may_start_at_any_time(tmp_path, capsys):
    written = []
    for start in ("2021-08-01T00:00:00Z", "2021-08-01T02:00:00+02:00", "2021-08-01T00:00:00", "2021-08-01"):
        path = tmp_path / "grid.csv"
        example("grid_frequency.py", path, "--rows", 3, "--start", start)
        written.append(path.read_bytes())
    assert set(written) == {written[0]}
    assert b"\n2021-08-01T00:00:00Z," in written[0]
    for start, error in (
        ("soon", "cannot read the time 'soon'"),
        ("2021-08-01T00:00:00.5Z", "wanted whole seconds"),
    ):
        with pytest.raises(SystemExit) as told:
            example("grid_frequency.py", tmp_path / "no.csv", "--start", start)
        assert (told.value.code, error in capsys.readouterr().err) == (2, True)


def test_a_last_line_cut_in_a_quote_is_no_null(tmp_path):
    path = tmp_path / "cut.csv"
    example("grid_frequency.py", path, "--rows", 1000, "--quotes")
    whole = path.read_bytes()
    for cut in range(2, 9):
        example("grid_frequency.py", path, "--rows", 1000, "--quotes", "--cut", cut)
        assert path.read_bytes() == whole[:-cut]
        found, records = imported(path)
        assert (found.rows, len(records[""]), found.fields[0].nullable) == (999, 999, False)
        (bad,) = found.bad
        assert (bad.line, bad.reason) == (1001, "an open quote at the end of the file")
        assert bad.text == whole[:-cut].splitlines()[-1]


def test_iot_telemetry(tmp_path):
    path = tmp_path / "iot.csv"
    example("iot_telemetry.py", path, "--rows", 3000)
    plain = tmp_path / "plain.csv"
    example("iot_telemetry.py", plain, "--rows", 3000, "--plain")
    found, records = imported(path, by="device")
    assert imported(plain, by="device")[1] == records
    with path.open(newline="") as file:
        truth = list(csv.DictReader(file))
    assert (list(found.keys), found.time_unit) == (
        ["b8:27:eb:bf:9d:51", "00:0f:00:70:91:0a", "1c:bf:ce:15:ec:4d"],
        "ns",
    )
    for key, rows in records.items():
        own = [row for row in truth if row["device"] == key]
        assert column(rows, "co") == [float(row["co"]) for row in own]
        assert column(rows, "motion") == [row["motion"] == "true" for row in own]
        assert column(rows, "time") == [int(Decimal(row["ts"]) * NS) for row in own]


def test_the_order_of_day_and_month_is_found_in_all_of_the_file(tmp_path):
    head = "time,v\n" + "".join(
        f"{1 + n // 1000 % 12:02d}/{1 + n // 1000 % 12:02d}/2021 00:00:{n % 60:02d},{n}\n"
        for n in range(60_000)
    )
    for last, day in (("05/13/2021 00:00:00", (5, 13)), ("13/05/2021 00:00:00", (5, 13))):
        found, records = imported(written(tmp_path, f"{head}{last},1\n"))
        assert (
            records[""][-1]["time"]
            == int(datetime.datetime(2021, *day, tzinfo=datetime.UTC).timestamp()) * NS
        )
    with pytest.raises(FormatError, match=r"%d/%m/%Y .*%m/%d/%Y .*--time-format"):
        imported(written(tmp_path, head))
    assert imported(written(tmp_path, head), time_format="%d/%m/%Y %H:%M:%S")[0].rows == 60_000


def test_kinds_are_those_of_all_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(import_csv, "PIECE", 100_000)
    lines = [f"{n},{n},,{n}\n" for n in range(100_000)]
    lines.insert(70_000, "70000,5.5,true,7\n")
    found, _ = imported(written(tmp_path, "time,a,b,c\n" + "".join(lines)))
    assert [(one.name, one.type, one.nullable) for one in found.fields] == [
        ("a", "double", False), ("b", "boolean", True), ("c", "long", False)
    ]  # fmt: skip


def test_times_have_the_coarsest_unit_that_holds_all(tmp_path):
    for fraction, unit in (
        ("", "s"),
        (".5", "ms"),
        (".5000", "ms"),
        (".000001", "us"),
        (".0000001", "ns"),
        (".1234567891", "ns"),
    ):
        found, _ = imported(
            written(tmp_path, f"time,v\n2021-05-01 10:00:00,1\n2021-05-01 10:00:01{fraction},2\n")
        )
        assert found.time_unit == unit
        assert any("rounded" in note for note in found.notes) == (fraction == ".1234567891")


def test_file_that_ends_in_nuls(tmp_path):
    found, _ = imported(written(tmp_path, b"time,v\n1,2\n" + b"\0" * 5000))
    assert (found.rows, found.bad[0].reason) == (1, "it has a NUL byte")


def folder_of(package):
    """Where a package has its files; it is not imported."""
    return Path(find_spec(package).origin).parent


HEARTPY = folder_of("heartpy") / "data"
VEGA = folder_of("vega_datasets") / "_data"


def test_real_pulse_without_times():
    found, records = imported(HEARTPY / "data.csv", rate_hz=100.0)
    truth = np.loadtxt(HEARTPY / "data.csv")
    assert column(records[""], "column1") == truth.tolist()
    assert column(records[""], "time") == [n * 10_000_000 for n in range(len(truth))]
    assert found.time_unit == "ms"


def test_real_pulse_with_a_timer():
    found, records = imported(HEARTPY / "data2.csv", time_unit="ms", start_ns=10**18)
    truth = pandas.read_csv(HEARTPY / "data2.csv", dtype=str)
    assert column(records[""], "time") == [
        10**18 + int((Decimal(t) * 10**6).to_integral_value()) for t in truth["timer"]
    ]
    assert column(records[""], "hr") == truth["hr"].astype(int).tolist()
    assert found.rows == 15000


def test_real_pulse_with_times_some_of_which_have_no_fraction():
    found, records = imported(HEARTPY / "data3.csv")
    truth = pandas.read_csv(HEARTPY / "data3.csv")
    times = (
        pandas.to_datetime(truth["datetime"], format="ISO8601")
        .to_numpy()
        .astype("datetime64[ns]")
        .astype(np.int64)
    )
    assert column(records[""], "time") == times.tolist()
    assert column(records[""], "hr") == truth["hr"].tolist()
    assert (found.rows, found.time_unit, found.bad_count) == (68476, "ms", 0)


def test_real_temperatures_in_local_time():
    path = VEGA / "sf-temps.csv"
    truth = pandas.read_csv(str(path))
    found, records = imported(path)
    assert (
        column(records[""], "time")
        == (pandas.to_datetime(truth["date"]).to_numpy().astype("datetime64[ns]").astype(np.int64)).tolist()
    )
    assert column(records[""], "temp") == truth["temp"].tolist()
    zone = ZoneInfo("America/Los_Angeles")
    found, records = imported(path, zone="America/Los_Angeles", missing="shift")
    local = [
        datetime.datetime.strptime(text, "%Y/%m/%d %H:%M:%S").replace(tzinfo=zone) for text in truth["date"]
    ]
    assert column(records[""], "time") == [int(one.timestamp()) * NS for one in local]


def test_real_weather_with_text():
    _, records = imported(VEGA / "seattle-weather.csv")
    truth = pandas.read_csv(VEGA / "seattle-weather.csv")
    rows = records[""]
    assert (
        column(rows, "time")
        == pandas.to_datetime(truth["date"]).to_numpy().astype("datetime64[ns]").astype(np.int64).tolist()
    )
    for name in ("precipitation", "temp_max", "wind", "weather"):
        assert column(rows, name) == truth[name].tolist()


def test_generated_files_are_byte_for_byte_as_told(tmp_path):
    """The sizes are those of a published year at 1 Hz: 28 and 29 bytes a row."""
    one, two = tmp_path / "one", tmp_path / "two"
    for form, head, row in (("iso", 16, 28), ("german", 31, 29)):
        for path in (one, two):
            example("grid_frequency.py", path, "--form", form, "--rows", 100_500)
        assert one.read_bytes() == two.read_bytes()
        assert one.stat().st_size == head + 100_500 * row
    assert one.read_text().splitlines()[:2] == [
        "Datum Zeit;A:f_soll_aktiv [Hz]",
        "Sa. 01.05.21 00:00:00;49,950",
    ]
    example("iot_telemetry.py", one, "--rows", 10)
    lines = one.read_text().splitlines()
    assert lines[0] == '"ts","device","co","humidity","light","lpg","motion","smoke","temp"'
    assert lines[1].startswith('"1.5945120943859746E9","b8:27:eb:bf:9d:51","0.00')


def test_real_accelerometers():
    path = folder_of("aeon") / "datasets" / "data" / "Daphnet_S06R02E0" / "S06R02E0.csv"
    found, records = imported(path)
    truth = pandas.read_csv(path)
    times = pandas.to_datetime(truth["timestamp"]).to_numpy().astype("datetime64[ns]").astype(np.int64)
    assert column(records[""], "time") == times.tolist()
    for field in found.fields:
        assert column(records[""], field.name) == truth[field.heading].tolist()
    assert (found.rows, found.time_unit, len(found.fields)) == (7040, "ms", 10)


def test_short_lines_make_no_body_that_is_too_large(tmp_path):
    path = tmp_path / "data.csv"
    path.write_bytes(b"1\n0\n" * (6 << 19))
    told = {"rate_hz": 1000.0, "start_ns": 1767225600_000000001, "columns": (("column1", "double"),)}
    with first_job(path, **told) as job:
        made = job()
    assert [count > 0 and len(body) < 32 << 20 for _, count, body in made] == [True] * len(made)
    assert len(made) > 3
    assert (sum(count for _, count, _ in made), sum(len(body) for _, _, body in made)) == (
        6 << 20,
        17 * 6 << 20,
    )


def test_a_file_that_changes_in_place_is_not_sent(tmp_path):
    path = written(tmp_path, "time,v\n2026-01-01,1\n2026-01-02,2\n")
    with first_job(path) as job:
        written(tmp_path, "time,v\n2026-01-01,1\n2026-01-02,3\n")
        with pytest.raises(FormatError, match="has changed since it was examined"):
            job()


@pytest.mark.parametrize(("unit", "digits"), [("ms", 3), ("us", 6)])
def test_times_in_a_double_are_exact(tmp_path, unit, digits):
    fractions = range(1, 1000)
    path = written(
        tmp_path, "time,v\n" + "".join(f"2026-01-01T00:00:00.{n:0{digits}}Z,1\n" for n in fractions)
    )
    record = {
        "type": "record",
        "name": "x",
        "fields": [{"name": "time", "type": "double"}, {"name": "v", "type": "long"}],
    }
    with first_job(path, Schema.parse(record, time_unit=unit)) as job:
        ((_, count, body),) = job()
    stream, plain = io.BytesIO(body), fastavro.parse_schema(record)
    times = [fastavro.schemaless_reader(stream, plain)["time"] for _ in range(count)]
    assert times == [1767225600 * 10**digits + n for n in fractions]
