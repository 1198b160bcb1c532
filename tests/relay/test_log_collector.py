"""What children say reaches the orchestrator's log, in bounds; their files stay within theirs."""

import logging
import subprocess
import sys

import pytest

from speeddata.relay.log_collector import MAX_LOG, MOST_BYTES, MOST_LINES, LogCollector, put_aside

TEXT = "2026-01-23T14:00:00.123Z {} pivot: {}\n"


@pytest.fixture
def log(tmp_path):
    return tmp_path / "pivot.log"


@pytest.fixture
def collector(log, caplog):
    caplog.set_level(logging.INFO)
    return LogCollector(lambda: {"pivot": log}, log.parent)


def said(caplog):
    return [(record.source, record.levelname, record.getMessage()) for record in caplog.records]


def test_lines_are_passed_on_with_who_said_them(log, collector, caplog):
    collector.look()
    with log.open("a") as file:
        file.write(TEXT.format("INFO", "begun") + "plain words\n" + TEXT.format("ERROR", "half")[:-3])
        file.flush()
        collector.look()
        assert said(caplog) == [("pivot", "INFO", "begun"), ("pivot", "INFO", "plain words")]
        file.write("lf\n")
    collector.look()
    collector.look()
    assert said(caplog)[2:] == [("pivot", "ERROR", "half")]


def test_what_was_said_before_is_not_said_again(log, caplog):
    log.write_text(TEXT.format("INFO", "of the former run"))
    caplog.set_level(logging.INFO)
    again = LogCollector(lambda: {"pivot": log}, log.parent)
    with log.open("a") as file:
        file.write(TEXT.format("INFO", "of this one"))
    again.look()
    assert said(caplog) == [("pivot", "INFO", "of this one")]


def test_what_a_child_said_before_us_is_not_said_again_though_it_starts_later(log, caplog):
    log.write_text(TEXT.format("INFO", "of the former run"))
    caplog.set_level(logging.INFO)
    children = {}
    later = LogCollector(lambda: children, log.parent)
    later.look()
    children["pivot"] = log
    with log.open("a") as file:
        file.write(TEXT.format("INFO", "of this one"))
    later.look()
    assert said(caplog) == [("pivot", "INFO", "of this one")]


def test_a_file_that_is_another_is_read_from_its_beginning(log, collector, caplog):
    log.write_text("one\n")
    collector.look()
    log.unlink()
    collector.look()
    log.write_text("two\n")
    collector.look()
    assert [message for _, _, message in said(caplog)] == ["one", "two"]


def test_fault_32_a_child_that_writes_100_mb_is_bounded_and_what_is_left_out_is_told(log, collector, caplog):
    code = "import sys\nline = 'x' * 99 + '\\n'\nfor _ in range(1000): sys.stderr.write(line * 1000)\nsys.stderr.write('end\\n')"
    with log.open("ab") as file:
        subprocess.run([sys.executable, "-c", code], stderr=file, check=True, timeout=60)
    assert log.stat().st_size == 100_000_004
    collector.look()
    assert collector.left_out == {"pivot": 1_000_001 - MOST_LINES}
    assert len(caplog.records) == MOST_LINES + 1
    assert said(caplog)[-1] == (
        "pivot",
        "WARNING",
        f"{1_000_001 - MOST_LINES} more lines are left out, in one second",
    )
    assert log.stat().st_size == 0
    former = log.with_suffix(".log.1")
    assert former.stat().st_size == MAX_LOG
    assert former.read_bytes().endswith(b"x\nend\n")
    with log.open("ab") as file:
        file.write(b"and on\n")
    collector.look()
    assert said(caplog)[-1][2] == "and on"


def test_lines_that_are_few_and_long_are_bounded_too(log, collector, caplog):
    line = "x" * 10_000 + "\n"
    log.write_text(line * 50)
    collector.look()
    told = MOST_BYTES // 10_000 + 1
    assert len(caplog.records) == told + 1
    assert said(caplog)[-1] == ("pivot", "WARNING", f"{50 - told} more lines are left out, in one second")
    assert collector.left_out == {"pivot": 50 - told}


def test_who_appends_goes_on_at_the_new_end(log):
    with log.open("ab", buffering=0) as child, log.open("r+b") as own:
        child.write(b"a" * 10)
        put_aside(log, own.fileno())
        child.write(b"b")
    assert log.read_bytes() == b"b"


def test_a_link_is_not_followed(log, collector, caplog, tmp_path):
    (tmp_path / "other").write_text("secret\n")
    log.symlink_to(tmp_path / "other")
    collector.look()
    assert said(caplog) == []


def test_what_was_said_by_the_end_is_told(log, collector, caplog):
    collector.start()
    log.write_text("last words\n")
    collector.stop()
    assert [message for _, _, message in said(caplog)] == ["last words"]
