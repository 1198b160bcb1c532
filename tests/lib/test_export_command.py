import json
import subprocess
import sys
import zipfile
from pathlib import Path

import history
import pytest
import segments as made
from click.testing import CliRunner

from speeddata import read_hdf5
from speeddata.cli import commands
from speeddata.export_command import file_name

RANGE = ("--channels", "example", "--start", "2023-11-14T22:13:20Z")


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("command") / "archive"
    made.write_segment(folder / "example", [made.records(500, n) for n in range(0, 5000, 500)])
    path = made.write_segment(folder / "damaged", [made.records(5), made.records(5, 5)])
    data = path.read_bytes()
    path.write_bytes(data.replace(b"m7", b"!7"))
    tags = [
        {
            "id": 1,
            "name": "run 7/a",
            "start": "2023-11-14T22:13:20Z",
            "end": "2023-11-14T22:13:21Z",
            "channels": None,
        }
    ]
    with history.registry([], tags) as url, history.running(folder, registry=url) as service:
        yield service


def run(service, *arguments):
    return CliRunner().invoke(commands, ["export", "--url", service.address, *arguments])


def test_a_range_becomes_a_file(service, tmp_path):
    path = tmp_path / "x.h5"
    done = run(service, *RANGE, "--duration", "PT1S", "-o", str(path))
    assert (done.exit_code, done.output) == (0, f"{path}: 1,001 records, {path.stat().st_size:,} bytes\n")
    assert len(read_hdf5(path).example) == 1001


def test_a_long_range_and_a_tag_are_made_in_the_background(service, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run(service, *RANGE, "--json", "-o", "x.csv.gz", "--compression", "gzip")
    assert (done.exit_code, json.loads(done.output)["records"]) == (0, 5000)
    assert (tmp_path / "x.csv.gz").read_bytes()[:2] == b"\x1f\x8b"
    done = run(service, "--tag", "run 7/a", "--json")
    assert (done.exit_code, json.loads(done.stdout)["file"]) == (3, "run_7_a.h5")
    assert json.loads(done.stdout)["partial"] == "1 damaged place left out"
    assert list(read_hdf5("run_7_a.h5").channel) == ["damaged", "example"]
    done = run(service, "--tag", "run 7/a", "--format", "parquet", "--channels", "example,damaged", "--json")
    assert json.loads(done.stdout)["file"].endswith(".zip")


def test_several_channels_in_a_format_of_one_are_a_zip_archive_that_is_called_one(
    service, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    both = ("--channels", "example,damaged", "--start", "2023-11-14T22:13:20Z", "--duration", "PT1S")
    done = run(service, *both, "-o", "x.csv")
    size = (tmp_path / "x.csv.zip").stat().st_size
    said = f"x.csv.zip: 1,006 records, {size:,} bytes, a zip archive with a file for each channel\n"
    assert (done.exit_code, done.stdout) == (3, said)
    assert zipfile.is_zipfile("x.csv.zip")
    done = run(service, "--tag", "run 7/a", "-o", "r7.parquet", "--json")
    assert (json.loads(done.stdout)["file"], json.loads(done.stdout)["zip"]) == ("r7.parquet.zip", True)
    done = run(service, *RANGE, "--duration", "PT1S", "-o", "one.parquet.zip", "--json")
    told = {"file": "one.parquet", "bytes": Path("one.parquet").stat().st_size, "records": 1001}
    assert json.loads(done.stdout) == told
    piped = run(service, *both, "-o", "-", "--format", "csv")
    assert "this is a zip archive" in piped.stderr
    assert sorted(Path().iterdir()) == [Path("one.parquet"), Path("r7.parquet.zip"), Path("x.csv.zip")]


def test_the_end_of_the_name_is_the_format(service, tmp_path):
    for end, begin in (
        ("parquet", b"PAR1"),
        ("arrow", b"ARROW1"),
        ("jsonl", b'{"time"'),
        ("avro", b"Obj\x01"),
    ):
        path = tmp_path / f"x.{end}"
        assert run(service, *RANGE, "--duration", "PT1S", "-o", str(path)).exit_code == 0
        assert path.read_bytes().startswith(begin)
    assert run(service, *RANGE, "-o", str(tmp_path / "x.csv.gz")).exit_code == 0
    assert (tmp_path / "x.csv.gz").read_bytes()[:2] == b"\x1f\x8b"
    other = run(service, *RANGE, "--duration", "PT1S", "-o", str(tmp_path / "y.parquet"), "--format", "hdf5")
    assert (other.exit_code, (tmp_path / "y.parquet").read_bytes()[:4]) == (0, b"\x89HDF")


def test_standard_output_gets_the_file_alone(service):
    command = [
        sys.executable,
        "-P",
        "-m",
        "speeddata",
        "export",
        "--url",
        service.address,
        *RANGE,
        "--duration",
        "PT0.002S",
    ]
    done = subprocess.run(
        [*command, "--format", "jsonl", "--time", "ns", "-o", "-"], capture_output=True, check=True
    )
    assert [json.loads(line)["counter"] for line in done.stdout.splitlines()] == [0, 1, 2]
    assert done.stderr == b""


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ((), 2, "give --tag, or --channels and a range"),
        ((*RANGE, "--decimate", "median:2"), 2, "every, mean or minmax"),
        (("--channels", "nosuch", "--start", "2023-11-14T22:13:20Z"), 1, "Channel not found (name: nosuch)"),
        ((*RANGE, "-o", "x.xlsx"), 2, "ends in .h5, .hdf5, .parquet, .arrow"),
        ((*RANGE, "-o", "x"), 2, "cannot tell a format by the name 'x'"),
        (("--tag", "nosuch"), 1, "Tag not found (tag: nosuch)"),
        ((*RANGE, "--duration", "PT1S", "-o", "/nosuch/x.h5"), 1, "No such file"),
        ((*RANGE, "--duration", "PT1S", "--signals", "nosuch"), 1, "Signal not found (signal: nosuch)"),
    ],
)
def test_what_is_wrong_is_told(service, arguments, status, words):
    done = run(service, *arguments)
    assert done.exit_code == status, done.output
    assert words in done.output


def test_no_service_is_told():
    done = CliRunner().invoke(commands, ["export", "--url", history.NO_REGISTRY, "--tag", "a", "--json"])
    assert done.exit_code == 1
    assert "http://127.0.0.1:9 does not answer; " in json.loads(done.stderr)["error"]


def test_files_of_tags_have_names_that_files_can_have():
    assert file_name("../run 7\n", "hdf5") == "run_7.h5"
    assert file_name("\0", "csv") == "export.csv"
    assert len(file_name("x" * 500, "parquet")) == 108
