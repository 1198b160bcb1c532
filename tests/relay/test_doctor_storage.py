"""The disk is tried by itself: a slow one and one that pauses are found, for real, and what mends them."""

import errno
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest
from loop_disk import loop_disk, needs_disks
from room import settings_of

from speeddata.relay import doctor_storage
from speeddata.relay.doctor_check import MEND, WELL, Check, Subject
from speeddata.relay.doctor_storage import BLOCK, Storage, check_storage, simulate_storage
from speeddata.settings import Override, load_settings

MEMORY = Path("/dev/shm")
PAUSE_S = 0.3
SLOW = 2 << 20  # bytes that come to the disk while it pauses, which is less than a network brings


def checks(subject: Subject, storage: Storage) -> dict[str, Check]:
    return {one.name: one for one in check_storage(subject, storage)}


def test_the_disk_is_tried_in_both_ways_and_nothing_stays(tmp_path: Path) -> None:
    steps: list[int] = []
    found = simulate_storage(tmp_path, 0.05, lambda: steps.append(1))
    assert len(steps) == 2
    assert list(tmp_path.iterdir()) == []
    for run in (found.each, found.several):
        assert 0 < run.median_s <= run.worst_s <= found.worst_s
        assert run.flushes >= 1
        assert run.bytes_per_s > 0
    assert found.bytes_per_s(ring=1 << 40) == found.several.bytes_per_s
    assert found.bytes_per_s(ring=1) == 1 / found.worst_s
    told = found.to_json()
    assert (told["each"]["blocks_a_flush"], told["several"]["blocks_a_flush"]) == (1, 32)


def test_a_run_is_bounded_by_the_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_storage, "MOST", 3 * BLOCK)
    found = simulate_storage(tmp_path, 60)
    assert (found.each.flushes, found.several.flushes) == (3, 1)
    monkeypatch.setattr(doctor_storage, "MOST", BLOCK - 1)
    with pytest.raises(OSError) as error:
        simulate_storage(tmp_path, 60)
    assert error.value.errno == errno.ENOSPC


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with loop_disk(tmp_path_factory.mktemp("storage")) as place:
        yield place


@pytest.fixture
def pausing(disk: Path, monkeypatch: pytest.MonkeyPatch) -> Storage:
    """What is found of a disk that stands still for a while in the run that tells how fast it is."""
    monkeypatch.setattr(doctor_storage, "MOST", SLOW)
    opened = 0

    def open_file(**options: Any) -> IO[bytes]:
        """Freeze the disk as soon as the second run has its file, for which a frozen disk would have it wait."""
        nonlocal opened
        opened += 1
        file: IO[bytes] = tempfile.TemporaryFile(**options)  # noqa: SIM115
        if opened == 2:
            subprocess.run(["fsfreeze", "-f", disk], check=True)
            thaw.start()
        return file

    thaw = threading.Timer(PAUSE_S, subprocess.run, [["fsfreeze", "-u", disk]], {"check": True})
    monkeypatch.setattr(doctor_storage, "TemporaryFile", open_file)
    found = simulate_storage(disk, 0.05)
    thaw.join()
    return found


@needs_disks
def test_a_slow_disk_and_a_faster_one(disk: Path, pausing: Storage, tmp_path: Path) -> None:
    """The faster one is in memory, by a made-up table of mounts in which it is a disk."""
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/mounts").write_text(f"memory {MEMORY} ext4 rw 0 0\n")
    subject = Subject(disk, root=tmp_path)
    found = checks(subject, pausing)["disk_speed"]
    assert found.state == MEND
    assert found.text.endswith("; 12.5 MB/s wanted")
    assert [one.command for one in found.mend] == [f"speeddata doctor --data {MEMORY}"]
    assert checks(subject, simulate_storage(MEMORY, 0.05))["disk_speed"].state == WELL
    (tmp_path / "proc/self/mounts").write_text("")
    (remedy,) = checks(subject, pausing)["disk_speed"].mend
    assert (remedy.words, remedy.command) == ("mount a faster disk, and see", "speeddata doctor --data /mnt")


@needs_disks
def test_a_disk_that_pauses_is_bridged_by_a_larger_ring(disk: Path, pausing: Storage) -> None:
    assert pausing.worst_s > PAUSE_S * 0.9
    small = Subject(disk, ring=1 << 20)
    found = checks(small, pausing)["ring"]
    assert found.state == MEND
    assert found.text.startswith("the relay's ring: 1.0 MB, but ")
    (remedy,) = found.mend
    option, setting = settings_of({"command": remedy.command})
    assert option == "--set"
    larger = Subject.of(load_settings(overrides=[Override.parse(setting)]), disk)
    assert larger.ring > SLOW
    assert checks(larger, pausing)["ring"].state == WELL
    assert small.ring < larger.ring
    assert pausing.bytes_per_s(small.ring) < pausing.bytes_per_s(larger.ring)
