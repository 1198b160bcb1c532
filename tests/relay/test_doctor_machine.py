"""Faults of the machine beside its network: clock, processor, open files, room on the disk. Each is found, and mended."""

import contextlib
import json
import resource
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from loop_disk import needs_disks
from room import Room, bare, needs_room, room
from system import SPEEDDATA

from speeddata.relay import doctor_machine
from speeddata.relay.doctor_check import MEND, UNKNOWN, WELL, Check, Subject
from speeddata.relay.doctor_machine import (
    check_clock,
    check_processor,
    check_space,
    kernel_clock,
    other_disks,
)

CPUS = "/sys/devices/system/cpu"


@pytest.fixture(scope="module")
def place() -> Iterator[Room]:
    with room() as made:
        yield made


def only(checks: Iterator[Check]) -> Check:
    (found,) = checks
    return found


@pytest.mark.netns
@needs_room
def test_governors_that_save_power_in_a_tree_of_files(place: Room) -> None:
    """This machine's processor shows none, or it would be changed for everybody."""
    place.run(f"mount -t tmpfs room {CPUS}; mkdir -p /etc/tmpfiles.d; mount -t tmpfs room /etc/tmpfiles.d")
    assert place.check("cpu_governor")["state"] == UNKNOWN
    for core, governor in enumerate(("powersave", "performance", "schedutil")):
        folder = f"{CPUS}/cpu{core}/cpufreq"
        place.run(f"mkdir -p {folder}; echo {governor} > {folder}/scaling_governor")
        place.run(f"echo 'performance powersave schedutil' > {folder}/scaling_available_governors")
    text = "processor's clock: powersave, schedutil on 2 of 3 cores, performance wanted"
    found = place.is_mended("cpu_governor", text)
    place.run(bare(found["mend"][1]["command"]))
    line = f"w {CPUS}/cpu[0-9]*/cpufreq/scaling_governor - - - - performance\n"
    assert place.run("cat /etc/tmpfiles.d/90-speeddata.conf") == line


def test_a_processor_that_knows_no_better_is_left_alone_in_a_tree_of_files(tmp_path: Path) -> None:
    folder = tmp_path / "sys/devices/system/cpu/cpu0/cpufreq"
    folder.mkdir(parents=True)
    (folder / "scaling_governor").write_text("powersave\n")
    (folder / "scaling_available_governors").write_text("powersave\n")
    found = only(check_processor(Subject(tmp_path, root=tmp_path)))
    assert (found.state, found.text) == (WELL, "processor's clock: powersave")


def test_a_clock_that_nothing_keeps_right_by_a_made_up_answer_of_the_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock is the whole machine's."""
    subject = Subject(tmp_path, root=tmp_path)
    monkeypatch.setattr(doctor_machine, "kernel_clock", lambda: (False, 16.0))
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}" if name == "apt-get" else None)
    found = only(check_clock(subject))
    assert (found.state, found.text) == (
        MEND,
        "clock: nothing keeps it right (the kernel has it as not synchronised)",
    )
    assert [one.command for one in found.mend] == ["sudo apt-get install chrony", "sudo chronyd"]
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    (tmp_path / "lib/systemd").mkdir(parents=True)
    (tmp_path / "lib/systemd/systemd-timesyncd").touch()
    assert [one.command for one in only(check_clock(subject)).mend] == ["sudo timedatectl set-ntp true"]
    # What systemd-timesyncd does then: it leaves this file, and tells the kernel.
    (tmp_path / "run/systemd/timesync").mkdir()
    (tmp_path / "run/systemd/timesync/synchronized").touch()
    assert only(check_clock(subject)).state == WELL
    monkeypatch.setattr(doctor_machine, "kernel_clock", lambda: (True, 0.0125))
    assert only(check_clock(subject)).text == "clock: synchronised, within 0.0125 s"


def test_the_kernel_is_asked_for_its_clock() -> None:
    synchronised, error_s = kernel_clock()
    assert isinstance(synchronised, bool)
    assert 0 <= error_s <= 16  # which is what the kernel says when nobody tells it


def open_files_of(shell: str) -> dict[str, Any]:
    """What doctor says of open files at the end of a script of the shell."""
    command = " ".join([*SPEEDDATA, "doctor", "--quick", "--json"])
    done = subprocess.run(["sh", "-c", f"{shell}\n{command}"], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    (found,) = [one for one in json.loads(done.stdout)["checks"] if one["name"] == "open_files"]
    return dict(found)


def test_few_open_files_and_the_limit_raised_for_the_shell() -> None:
    found = open_files_of("ulimit -n 512")
    assert (found["state"], found["text"]) == (MEND, "open files: 512 of a process, 16384 wanted")
    shell, for_good = (bare(one["command"]) for one in found["mend"])
    line = subprocess.run(
        ["sh", "-c", for_good.partition(" | ")[0]], capture_output=True, text=True, check=True
    )
    assert line.stdout == "* - nofile 16384\nroot - nofile 16384\n"
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < 16384:
        pytest.skip(f"the tests themselves may open {hard} files, and cannot have more")
    # Without CAP_SYS_RESOURCE, as root in a container, none can raise the hard limit: there only the soft one is lowered.
    may_raise = (
        subprocess.run(["sh", "-c", f"ulimit -n 512; {shell}"], capture_output=True, check=False).returncode
        == 0
    )
    mended = open_files_of(f"ulimit {'-n' if may_raise else '-Sn'} 512\n{shell}")
    assert (mended["state"], mended["text"]) == (WELL, "open files: 16384 of a process")


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "small", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@needs_disks
def test_a_disk_that_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_machine, "LEAST_FREE", 1 << 20)
    with small_disk(tmp_path / "small disk") as folder:
        subject = Subject(folder)
        assert only(check_space(subject)).state == WELL
        ballast = folder / "ballast"
        ballast.write_bytes(bytes(60 << 20))
        found = only(check_space(subject))
        assert (
            found.text
            == f"disk space: 4.2 MB of 67.1 MB free (6.2 %) for {folder}; below 10 % the oldest segments are deleted"
        )
        look, *others = found.mend
        said = subprocess.run(
            ["sh", "-c", bare(look.command)], capture_output=True, text=True, check=True
        ).stdout
        assert f"60M\t{ballast}" in said
        # Another disk of this machine, if there is one with so much room, is well.
        for other in others:
            elsewhere = Path(other.command.removeprefix("speeddata run --data "))
            assert only(check_space(Subject(elsewhere))).state == WELL
        ballast.unlink()
        assert only(check_space(subject)).state == WELL


def test_little_room_of_a_large_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a share of the disk is allowed to be full, there are bytes that must not."""
    monkeypatch.setattr(doctor_machine, "LEAST_FREE", 1 << 60)
    found = only(check_space(Subject(tmp_path, min_free_percent=0)))
    assert found.state == MEND
    assert found.text.endswith(", 1,152,921.5 TB wanted")


def test_other_disks_of_a_made_up_table_of_mounts(tmp_path: Path) -> None:
    """Only real ones, that are another file system and have the room; a space in a name is \\040 there."""
    memory = Path("/dev/shm")
    if memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("/dev/shm is the disk of the tests")
    (tmp_path / "proc/self").mkdir(parents=True)
    table = f"one {memory} ext4 rw 0 0\ntwo {tmp_path} xfs rw 0 0\nthree /not\\040there xfs rw 0 0\nproc /proc proc rw 0 0\n"
    (tmp_path / "proc/self/mounts").write_text(table)
    subject = Subject(tmp_path / "not made yet", root=tmp_path)
    assert other_disks(subject, 1) == [memory]
    assert other_disks(subject, 1 << 62) == []
