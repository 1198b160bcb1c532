"""Alarms over the end of a channel's relays: written when they change, read when the channel begins."""

import json
from pathlib import Path
from typing import Any

import pytest
from limited import LIMITED, Sending, of_keeper, of_line, record
from line import Line, make_spec, wait_until

from speeddata.limits import ALARM_FILE
from speeddata.relay.alarm_file import REST_S, AlarmFile, load_json, save_json


@pytest.fixture
def line(tmp_path: Path) -> Any:
    one = Line(make_spec(tmp_path, LIMITED)).start()
    yield one
    one.close()


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def kept(line: Line, clock: Clock | None = None) -> AlarmFile:
    return AlarmFile(line.folder, line.mapping, line.relay.plans, clock or Clock())


def test_nothing_is_written_as_long_as_nothing_was_beyond(line: Line) -> None:
    line.send(record(0))
    line.wait(archived=1)
    one = kept(line)
    assert not one.keep()
    assert one.write()
    assert not (line.folder / ALARM_FILE).exists()


def test_what_changes_is_written_once_a_second_at_most(line: Line) -> None:
    clock = Clock()
    one = kept(line, clock)
    path = line.folder / ALARM_FILE

    def written() -> int:
        return len(load_json(path)["alarms"])

    line.send(record(0, 20.0))
    wait_until(lambda: of_line(line))
    assert one.keep()
    assert (written(), one.waiting, one.keep()) == (1, False, False)
    line.send(record(1, -20.0))
    wait_until(lambda: of_line(line, "low"))
    assert one.keep()
    assert (written(), one.waiting) == (1, True)
    clock.now += REST_S
    assert one.keep()
    assert (written(), one.keep()) == (2, False)


def test_a_file_that_cannot_be_written_is_tried_again(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    one = kept(line, clock)
    fresh = line.folder / f".{ALARM_FILE}.new"
    fresh.mkdir()
    line.send(record(0, 20.0))
    wait_until(lambda: of_line(line))
    for _ in range(3):
        assert one.keep()
        clock.now += REST_S
    assert caplog.text.count("alarms are not kept") == 1
    fresh.rmdir()
    assert one.keep()
    assert not one.keep()
    assert len(load_json(line.folder / ALARM_FILE)["alarms"]) == 1


def test_no_link_is_followed(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text('{"alarms": []}')
    link.symlink_to(target)
    with pytest.raises(OSError, match="symbolic link"):
        load_json(link)
    (tmp_path / ".link.new").symlink_to(target)
    with pytest.raises(OSError, match="symbolic link"):
        save_json(link, {"alarms": [1]})
    (tmp_path / ".link.new").unlink()
    save_json(link, {"alarms": [1]})
    assert target.read_text() == '{"alarms": []}'
    assert not link.is_symlink()


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"alarms": 5}', '{"alarms": [{"signal": "value"}]}', "[" * 10**5]
)
def test_a_file_that_is_none_is_said_and_keeps_nothing_from_running(
    line: Line, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    (line.folder / ALARM_FILE).write_text(content)
    kept(line).restore()
    assert "the alarms of before cannot be read" in caplog.text
    line.send(record(0, 20.0))
    assert wait_until(lambda: of_line(line))["rises"] == 1


def test_alarms_are_there_again_when_the_channel_is_started_again(keeper: Any, spec: Any) -> None:
    spec |= {"schema": LIMITED}
    keeper.start(spec)
    with Sending(spec["port"]) as source:
        source.send(12.0, 50.0, 0.0, -7.5)
        wait_until(lambda: of_keeper(keeper, "low"))
        high, low = (of_keeper(keeper, side) for side in ("high", "low"))
        assert high is not None
        keeper.acknowledge("test", [("value", "high", high["epoch"], high["rises"])])
        keeper.stop("test")
        told = json.loads((Path(spec["archive"]) / ALARM_FILE).read_text())
        assert [one["side"] for one in told["alarms"]] == ["low", "high"]
        keeper.start(spec)
        assert wait_until(lambda: of_keeper(keeper)) == high | {"seen": 1}
        assert of_keeper(keeper, "low") == low
        source.send(11.0)
        after = wait_until(lambda: (one := of_keeper(keeper)) and one["rises"] == 2 and one)
    assert (after["epoch"], after["worst"]["value"], after["records"]) == (high["epoch"], 11.0, [1, 1])


def test_a_raised_alarm_is_on_the_disk_while_the_relay_runs(keeper: Any, spec: Any) -> None:
    keeper.start(spec | {"schema": LIMITED})
    path = Path(spec["archive"]) / ALARM_FILE
    with Sending(spec["port"]) as source:
        source.send(12.0)
        wait_until(path.exists, "the file")
        assert load_json(path)["alarms"][0]["level"] == 2


def test_packets_that_are_refused_keep_no_alarm_from_the_disk(keeper: Any, spec: Any) -> None:
    keeper.start(spec | {"schema": LIMITED})
    path = Path(spec["archive"]) / ALARM_FILE

    def flooded() -> bool:
        source.socket.send(b"\xff")
        return path.exists()

    with Sending(spec["port"]) as source:
        wait_until(lambda: flooded() or keeper.stats("test")["quarantined"] > 1, "the flood")
        source.send(12.0)
        wait_until(flooded, "the file")
