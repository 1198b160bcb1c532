"""The sealing process as its parent sees it."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import segments as made
from line import wait_until
from system import alive

from speeddata.index import Seal
from speeddata.relay.data_folder import DataFolder
from speeddata.relay.sealer import Sealer
from speeddata.relay.strays import find_all_strays


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    data = DataFolder(tmp_path / "data")
    data.make()
    return data


@pytest.fixture
def sealer(data: DataFolder) -> Iterator[Sealer]:
    sealer = Sealer(data)
    yield sealer
    sealer.stop()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return made.write_segment(tmp_path / "a", [made.records(500, n * 500) for n in range(20)])


def pid(sealer: Sealer) -> int:
    return int(sealer.pidfile.read_text())


def test_what_came_of_each_is_told_when_it_has_ended(sealer: Sealer, path: Path, tmp_path: Path) -> None:
    assert sealer.finished() is None
    nothing = tmp_path / "nothing.avro"
    sealer.start([path, nothing], "zstandard")
    assert sealer.paths == (path, nothing)
    shown = sealer.to_json()
    assert shown is not None
    assert (shown["pid"], shown["since"][-1]) == (pid(sealer), "Z")
    outcomes = wait_until(sealer.finished, "the end")
    assert [(one.path, one.seal, one.words) for one in outcomes] == [
        (path, Seal.FINAL, ""),
        (nothing, Seal.UNSEEN, "No such file or directory"),
    ]
    assert (sealer.paths, sealer.pidfd, sealer.pidfile.exists()) == ((), -1, False)
    assert sealer.to_json() is None
    sealer.start([path], None)
    assert wait_until(sealer.finished)[0].seal is Seal.VERIFIED


def test_one_that_dies_is_told(sealer: Sealer, path: Path) -> None:
    sealer.start([path], "deflate")
    os.kill(pid(sealer), signal.SIGKILL)
    (outcome,) = wait_until(sealer.finished, "the end")
    assert (outcome.seal, outcome.words) == (Seal.UNSEEN, "the sealing process ended: SIGKILL")


def test_it_is_ended_at_once(sealer: Sealer, path: Path) -> None:
    sealer.start([path] * 30, None)
    process = pid(sealer)
    assert sealer.stop()
    assert not alive(process)
    assert sealer.finished() is None
    assert sealer.stop()


def test_it_is_found_by_whoever_ends_strays(sealer: Sealer, data: DataFolder, path: Path) -> None:
    sealer.start([path], None)
    (stray,) = wait_until(lambda: find_all_strays(data.run), "it to have begun")
    assert (stray.name, stray.pid) == ("sealing", pid(sealer))
    stray.close()
