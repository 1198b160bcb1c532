"""verify, repair, inspect and cat as they are called: what they print and their exit status."""

import json
import os
import pty
import subprocess
import sys
import types
from pathlib import Path

import pytest
import segments as made
from click.testing import CliRunner
from system import SPEEDDATA, speeddata

from speeddata.archive_commands import for_reader
from speeddata.cli import commands
from speeddata.index import index_path
from speeddata.segment import scan
from speeddata.verify import verify

PAGE = Path(__file__).parents[2] / "docs" / "command-line.md"
BLOCKS = [made.records(3), made.records(2, 3), [made.record(7, voltage=float("nan")), made.record(6)]]
ROWS = [row for block in BLOCKS for row in block]


@pytest.fixture
def archive(tmp_path):
    """An archive of two channels with a segment each."""
    folder = tmp_path / "archive"
    made.write_segment(folder / "b", BLOCKS)
    made.write_segment(folder / "a", BLOCKS)
    return folder


def segment(archive, channel="a"):
    (path,) = (archive / channel).glob("*.avro")
    return path


def spoil(path, block=1):
    data, place = bytearray(path.read_bytes()), scan(path)[block]
    data[place.offset + 4] ^= 1
    path.write_bytes(data)


def run(*arguments):
    """Call a command in this process: exit status, output, errors."""
    done = CliRunner().invoke(commands, [str(argument) for argument in arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


def test_verify_of_what_is_whole(archive):
    size = 2 * segment(archive).stat().st_size
    assert run("verify", archive) == (0, f"2 files, 6 blocks, 14 records, {size} bytes: whole\n", "")
    assert run("verify", archive / "a", segment(archive, "b"))[0] == 0
    (archive / "empty").mkdir()
    assert run("verify", archive / "empty") == (0, "no .avro files there: nothing to verify\n", "")


def test_verify_says_what_is_damaged_and_what_that_cost(archive):
    path = segment(archive)
    place, size = scan(path)[1], 2 * path.stat().st_size
    spoil(path)
    status, output, errors = run("verify", archive)
    assert (status, errors) == (3, "")
    assert output == (
        f"{path}: damaged\n"
        f"  block 2, bytes {place.offset} to {place.offset + place.length}: checksum, 2 records lost\n"
        f"2 files, 5 blocks, 12 records, {size} bytes: 1 damaged, 0 unreadable, 2 records lost\n"
    )
    told = json.loads(run("verify", "--json", archive)[1])
    assert [file["state"] for file in told["files"]] == ["damaged", "whole"]
    assert told["files"][0]["damages"] == [
        {
            "block": 2,
            "start": place.offset,
            "end": place.offset + place.length,
            "records": 2,
            "reason": "checksum",
        }
    ]
    assert (told["summary"]["state"], told["summary"]["lost"]) == ("damaged", 2)


def test_unreadable_goes_before_damaged(archive):
    spoil(segment(archive))
    other = segment(archive, "b")
    other.write_bytes(b"hello")
    index_path(other).unlink()
    status, output, _ = run("verify", archive)
    assert status == 1
    assert f"{other}: unreadable: not an Avro container file, an unknown number of records lost\n" in output
    assert output.endswith("1 damaged, 1 unreadable, an unknown number of records lost\n")


def test_repair_says_what_it_did(archive):
    path = segment(archive)
    spoil(path)
    os.truncate(segment(archive, "b"), scan(segment(archive, "b"))[1].offset + 5)
    salvaged = f"{path}: {{}}salvaged, 2 blocks to a new file: 5 records saved, 2 records lost"
    cut = f"{segment(archive, 'b')}: {{}}cut by 5 bytes of a torn tail: 3 records saved, 4 records lost"
    assert run("repair", "--dry-run", archive) == (
        3,
        "\n".join([salvaged.format("would be "), cut.format("would be "), "2 files, 2 to be repaired, 0 that cannot be\n"]),
        "",
    )  # fmt: skip
    done = salvaged.format("") + f"; the damaged file is {path.name}.damaged"
    assert run("repair", archive) == (
        3,
        "\n".join([done, cut.format(""), "2 files, 2 repaired, 0 that cannot be\n"]),
        "",
    )
    assert run("verify", archive)[0] == 0
    assert run("repair", archive) == (0, "2 files, 0 repaired, 0 that cannot be\n", "")


def test_repair_without_loss_and_one_that_cannot_be(archive):
    index_path(segment(archive)).unlink()
    told = json.loads(run("repair", "--json", archive)[1])
    assert [file["done"] for file in told["files"]] == ["given a new index of 3 blocks", None]
    index_path(segment(archive)).unlink()
    assert run("repair", archive)[0] == 0
    spoil(segment(archive))
    with segment(archive).open("ab"):
        status, output, _ = run("repair", archive)
    assert (status, output.splitlines()[0]) == (
        1,
        f"{segment(archive)}: cannot be repaired: a process has it open for writing; wait until it is over",
    )


def test_repair_clears_away_what_an_interrupted_one_left(archive):
    left = segment(archive).with_name(f".{segment(archive).name}.repair.avro")
    left.touch()
    run("repair", "--dry-run", archive)
    assert left.exists()
    run("repair", archive)
    assert not left.exists()


def test_inspect(archive):
    path = segment(archive)
    status, output, _ = run("inspect", path)
    assert (status, output.splitlines()[0]) == (0, f"{path}: whole")
    assert "  signal     voltage  double  V" in output.splitlines()
    spoil(path)
    status, output, _ = run("inspect", "--json", path)
    assert (status, json.loads(output)["lost"], json.loads(output)["codec"]) == (3, 2, "null")
    path.write_bytes(b"hello")
    assert run("inspect", path)[0] == 1


def test_cat_as_json_and_as_csv(archive):
    status, output, errors = run("cat", segment(archive), segment(archive, "b"))
    assert (status, errors) == (0, "")
    nulled = [
        {**row, "voltage": None if row["voltage"] != row["voltage"] else row["voltage"]} for row in ROWS
    ]
    assert [json.loads(line) for line in output.splitlines()] == nulled * 2
    assert run("cat", "--json", segment(archive))[1] == "".join(output.splitlines(keepends=True)[:7])
    status, output, _ = run("cat", "--csv", segment(archive), segment(archive, "b"))
    assert (status, len(output.splitlines())) == (0, 15)
    assert output.splitlines()[0] == "time,counter,voltage,message"
    assert output.splitlines()[6] == f"{made.START + 7_000_000},7,nan,m7"


@pytest.mark.parametrize("command", ["verify", "repair", "inspect", "cat"])
def test_a_link_that_is_named_is_followed(archive, tmp_path, command):
    (tmp_path / "link").symlink_to(segment(archive))
    index_path(segment(archive)).unlink()
    assert run(command, tmp_path / "link")[0] == (0 if command in ("cat", "repair") else 3)
    assert (tmp_path / "link").is_symlink()


@pytest.mark.parametrize(("more", "shown"), [([], True), (["-q"], False)])
def test_cat_shows_how_far_it_is_where_its_records_go_elsewhere(archive, more, shown):
    ours, theirs = pty.openpty()
    try:
        at_once = "from speeddata import cli, progress_bar; progress_bar.DELAY_S = 0; cli.main()"
        argv = [sys.executable, "-P", "-c", at_once, "cat", *more, str(segment(archive))]
        done = subprocess.run(argv, stderr=theirs, stdout=subprocess.PIPE, timeout=60)
        assert (done.returncode, len(done.stdout.splitlines())) == (0, 7)
        os.write(theirs, b".")  # so that there is something to be read
        assert ("reading" in os.read(ours, 65536).decode()) == shown
    finally:
        os.close(ours)
        os.close(theirs)


def test_cat_of_a_range(archive):
    start = ["--start", "2023-11-14T22:13:20.003Z"]
    assert [json.loads(line)["counter"] for line in run("cat", *start, segment(archive))[1].splitlines()] == [
        3,
        4,
        7,
        6,
    ]
    end = ["--end", "2023-11-14T23:13:20.006+01:00"]
    assert [
        json.loads(line)["counter"] for line in run("cat", *start, *end, segment(archive))[1].splitlines()
    ] == [3, 4]


def test_cat_says_damage_on_standard_error(archive):
    spoil(segment(archive))
    segment(archive, "b").write_bytes(b"hello")
    status, output, errors = run("cat", segment(archive))
    assert (status, len(output.splitlines())) == (3, 5)
    assert "block 2" in errors
    status, output, errors = run("cat", segment(archive, "b"), segment(archive))
    assert (status, len(output.splitlines())) == (1, 5)
    assert errors.splitlines()[0] == f"{segment(archive, 'b')}: unreadable: not an Avro container file"


def test_cat_ends_quietly_when_nobody_reads_on(tmp_path):
    path = made.write_segment(tmp_path / "a", [made.records(2000, n) for n in range(0, 20_000, 2000)])
    with subprocess.Popen(
        [*SPEEDDATA, "cat", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline()) == made.record(0)
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait(30) == 0


def test_output_that_cannot_be_written_is_said(archive):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*SPEEDDATA, "cat", segment(archive)], stdout=full, stderr=subprocess.PIPE, timeout=30
        )
    assert (done.returncode, done.stderr) == (1, b"speeddata: No space left on device\n")


@pytest.mark.parametrize("command", ["verify", "inspect", "cat"])
def test_files_of_old_need_their_schema(tmp_path, command):
    path, sync = tmp_path / "data_1.avro", bytes.fromhex("a48a1e90050424780a68337fc2509563")
    path.write_bytes(made.block(1, made.encode(made.SCHEMA, BLOCKS[0][:1]), sync))
    (tmp_path / "x.avsc").write_text(json.dumps(made.SCHEMA))
    status, output, errors = run(command, path)
    assert status == 1
    assert "SpeedData up to 0.6? then --schema FILE tells its schema" in output + errors
    assert run(command, "--schema", tmp_path / "x.avsc", path)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("verify",), "Missing argument 'PATH...'"),
        (("verify", "nowhere"), "Path 'nowhere' does not exist"),
        (("inspect", "."), "File '.' is a directory"),
        (("cat", "."), "File '.' is a directory"),
        (("cat", "--start", "yesterday", "FILE"), "cannot read the time 'yesterday', wanted an ISO 8601 time"),
        (("cat", "--start", "2026", "--end", "2025", "FILE"), "Invalid value for '--start'"),
        (("cat", "--start", "20260102", "--end", "20260101", "FILE"), "Invalid value for --end: it must be after --start"),
        (("cat", "--schema", "FILE", "FILE"), "not JSON"),
        (("cat", "--json", "--yaml", "FILE"), "No such option"),
        (("repair", "--schema", "FILE", "FILE"), "No such option"),
    ],
)  # fmt: skip
def test_wrong_usage_is_status_2(archive, arguments, said):
    path = str(segment(archive))
    status, output, errors = run(*[path if argument == "FILE" else argument for argument in arguments])
    assert (status, output) == (2, "")
    assert said in errors


def test_columns_that_differ_are_not_one_csv(archive, tmp_path):
    schema = {"type": "record", "name": "x", "fields": [{"name": "time", "type": "long"}]}
    other = made.write_segment(tmp_path / "c", [[{"time": made.START}]], schema)
    status, output, errors = run("cat", "--csv", segment(archive), other)
    assert (status, len(output.splitlines())) == (1, 8)
    assert "its columns are not those of the files before it" in errors
    assert run("cat", segment(archive), other)[0] == 0


def test_names_that_a_terminal_must_not_see_are_escaped(tmp_path):
    path = tmp_path / os.fsdecode(b"a\n\x1b\xff.avro")
    path.write_bytes(b"hello")
    status, output, errors = run("verify", path)
    assert (status, errors) == (1, "")
    assert output.startswith(f"{tmp_path}/a\\n\\x1b\\udcff.avro: unreadable")
    assert json.loads(run("verify", "--json", path)[1])["files"][0]["path"] == str(path)
    assert "a\\n\\x1b\\udcff.avro" in run("cat", path)[2]


@pytest.mark.parametrize("form", ["--csv", "--json"])
def test_values_do_nothing_to_a_terminal_and_are_untouched_elsewhere(tmp_path, form):
    evil = "\x1b]0;title\x07\x9b31m\u202e"
    path = made.write_segment(tmp_path / "a", [[{**made.record(1), "message": evil}]])
    reader, terminal = pty.openpty()
    done = subprocess.run(
        [*SPEEDDATA, "cat", form, path], stdout=terminal, stderr=subprocess.PIPE, timeout=60
    )
    os.close(terminal)
    with open(reader, "rb", buffering=0) as file:
        shown = file.read(1 << 16).decode()
    assert (done.returncode, done.stderr) == (0, b"")
    assert not set("\x1b\x07\x9b\u202e") & set(shown)
    assert "\\x9b31m\\u202e" in shown
    piped = subprocess.run(
        [*SPEEDDATA, "cat", form, path], capture_output=True, timeout=60, check=True
    ).stdout.decode()
    assert (evil if form == "--csv" else evil[-5:]) in piped


def test_a_letter_cut_in_two_is_shown_whole(monkeypatch):
    monkeypatch.setattr(sys, "stdout", types.SimpleNamespace(isatty=lambda: True))
    assert b"".join(for_reader(["\u00e9\r\n".encode()[:1], "\u00e9\r\n".encode()[1:]])) == "\u00e9\n".encode()


def test_the_real_command_line(archive):
    """The exit statuses as a shell sees them."""
    path = segment(archive)
    assert speeddata("verify", str(archive)).returncode == 0
    spoil(path)
    done = speeddata("verify", str(archive))
    assert (done.returncode, done.stderr) == (3, "")
    assert speeddata("repair", str(archive)).returncode == 3
    assert verify(path).state == "whole"
    assert speeddata("repair", str(archive)).returncode == 0
    path.write_bytes(b"hello")
    assert speeddata("verify", str(archive)).returncode == 1
    assert speeddata("repair", str(archive)).returncode == 1


def test_help_and_page_tell_every_option_and_status():
    page = PAGE.read_text()
    for name in ("verify", "repair", "inspect", "cat"):
        command = commands.commands[name]
        said = " ".join(run(name, "--help")[1].split())
        assert all(f"{status} " in said.partition("Exit status:")[2] for status in (0, 3, 1, 2))
        assert f"`speeddata {name} " in page
        for option in command.params:
            for flag in option.opts if option.param_type_name == "option" else ():
                assert flag in said
                assert flag in page


def test_help_needs_none_of_what_the_commands_need():
    code = "import sys, speeddata.cli; print({'numpy', 'fastavro', 'speeddata.segment'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=30)
    assert done.stdout == "set()\n"


def test_a_fifo_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "f.avro")
    for command in ("verify", "inspect", "cat"):
        status, said, errors = run(command, tmp_path / "f.avro")
        assert (status, "unreadable" in said + errors) == (1, True)


def test_an_output_that_is_closed_is_nobodys_fault(archive):
    for command in ("verify", "inspect", "cat"):
        done = subprocess.run(
            ["sh", "-c", '"$@" >&-', "sh", *SPEEDDATA, command, str(segment(archive))],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
