"""What `speeddata doctor` says of the machine beside its network: clock, processor, open files, room on the disk."""

import ctypes
import os
import resource
import shlex
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path

from speeddata.relay.disk_space import measure
from speeddata.relay.doctor_check import Check, Remedy, Subject, mend, size_text, unknown, well

__all__ = [
    "check_clock",
    "check_files",
    "check_processor",
    "check_space",
    "kernel_clock",
    "other_disks",
]

STA_UNSYNC = 0x40
# The beginning of struct timex: modes, offset, freq, maxerror, esterror, status.
TIMEX = struct.Struct("IllllI")
TIMEX_ROOM = 512  # bytes, more than struct timex has anywhere
GOVERNORS = "sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor"
TMPFILES = "/etc/tmpfiles.d/90-speeddata.conf"
WANTED_FILES = 16384  # five of each channel, one of each browser, those of an export
LIMITS = "/etc/security/limits.d/90-speeddata.conf"
LEAST_FREE = 1 << 30  # bytes
DISKS = ("ext4", "ext3", "ext2", "xfs", "btrfs", "f2fs", "zfs", "bcachefs")
LARGEST = 20  # folders that are shown


def check_clock(subject: Subject) -> Iterator[Check]:
    """Whether something keeps the machine's clock right: sources and receivers are compared by it."""
    synchronised, error_s = kernel_clock()
    if synchronised:
        yield well("clock", f"clock: synchronised, within {error_s:.3g} s")
    elif (subject.root / "run/systemd/timesync/synchronized").exists():
        yield well("clock", "clock: synchronised by systemd-timesyncd")
    else:
        text = "clock: nothing keeps it right (the kernel has it as not synchronised)"
        yield mend("clock", text, *_clock_remedies(subject))


def kernel_clock() -> tuple[bool, float]:
    """Whether the kernel's clock is synchronised, and the most it may be wrong by, in seconds."""
    timex = ctypes.create_string_buffer(TIMEX_ROOM)  # modes is 0: nothing is changed
    if ctypes.CDLL(None, use_errno=True).adjtimex(timex) < 0:
        raise OSError(ctypes.get_errno(), "adjtimex")
    _, _, _, error_us, _, status = TIMEX.unpack_from(timex)
    return not status & STA_UNSYNC, error_us / 1e6


def _clock_remedies(subject: Subject) -> Iterator[Remedy]:
    """How a time service is begun: by systemd, where that runs, else by hand; before that it must be there."""
    chrony = shutil.which("chronyd") is not None
    served = (subject.root / "run/systemd/system").exists()
    timesyncd = served and (subject.root / "lib/systemd/systemd-timesyncd").exists()
    if not (chrony or timesyncd):
        yield Remedy(
            "install a time service",
            "sudo apt-get install chrony" if shutil.which("apt-get") else "sudo dnf install chrony",
        )
    yield Remedy("have it begun with", "sudo timedatectl set-ntp true" if served else "sudo chronyd")


def check_processor(subject: Subject) -> Iterator[Check]:
    """Whether the processor waits for load before it runs at its full clock, by which the first packets of a burst are lost."""
    files = sorted(subject.root.glob(GOVERNORS))
    if not files:
        yield unknown("cpu_governor", "processor's clock: this machine does not show who sets it")
        return
    governors = {file: file.read_text().strip() for file in files}
    slow = sorted({one for one in governors.values() if one != "performance"})
    choices = [file.with_name("scaling_available_governors") for file in files]
    possible = all("performance" in (_text(file) or "performance").split() for file in choices)
    if not slow or not possible:
        yield well("cpu_governor", f"processor's clock: {', '.join(sorted(set(governors.values())))}")
        return
    path = f"/{GOVERNORS}"
    text = f"processor's clock: {', '.join(slow)} on {sum(one != 'performance' for one in governors.values())} of {len(files)} cores, performance wanted"
    yield mend(
        "cpu_governor",
        text,
        Remedy("mend it with", f"echo performance | sudo tee {path}"),
        Remedy("and for good", f"echo 'w {path} - - - - performance' | sudo tee -a {TMPFILES}"),
    )


def check_files(subject: Subject) -> Iterator[Check]:
    """How many files a process may open. Each raises its soft limit by itself, so that the hard one counts."""
    del subject  # it is a limit of this process, which others that are started from here share
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or hard >= WANTED_FILES:
        yield well(
            "open_files",
            f"open files: {'any number' if hard == resource.RLIM_INFINITY else hard} of a process",
        )
        return
    lines = rf"* - nofile {WANTED_FILES}\nroot - nofile {WANTED_FILES}\n"
    yield mend(
        "open_files",
        f"open files: {hard} of a process, {WANTED_FILES} wanted",
        Remedy(
            "mend it for this shell with", f"sudo prlimit --pid $$ --nofile={WANTED_FILES}:{WANTED_FILES}"
        ),
        Remedy("and for good, from the next login on", f"printf '{lines}' | sudo tee -a {LIMITS}"),
    )


def check_space(subject: Subject) -> Iterator[Check]:
    """Whether there is room for the archive, before its oldest segments are deleted to make some."""
    space = measure(subject.archive)
    text = f"disk space: {size_text(space.free)} of {size_text(space.size)} free ({space.free_percent:.1f} %) for {subject.archive}"
    least = max(LEAST_FREE, int(space.size * subject.min_free_percent / 100))
    if space.free >= least:
        yield well("disk_space", text)
        return
    if space.free_percent < subject.min_free_percent:
        text += f"; below {subject.min_free_percent:g} % the oldest segments are deleted"
    else:
        text += f", {size_text(LEAST_FREE)} wanted"
    place = shlex.quote(str(_mount_point(subject.archive)))
    look = f"sudo du -xah {place} | sort -h | tail -n {LARGEST}"
    yield mend(
        "disk_space",
        text,
        Remedy("see what takes the room, and delete what is of no more use", look),
        *(
            Remedy("or record on another disk", f"speeddata run --data {shlex.quote(str(one / 'speeddata'))}")
            for one in other_disks(subject, least)[:1]
        ),
    )


def other_disks(subject: Subject, room: int) -> list[Path]:
    """Where other disks of this machine are mounted that may be written and have so much room, the most first."""
    own = _existing(subject.archive).stat().st_dev
    found = {}
    for line in (subject.read("proc/self/mounts") or "").splitlines():
        _, mounted, kind, *_ = line.split()
        place = Path(mounted.encode().decode("unicode_escape"))  # a space is \040
        if kind in DISKS and place.is_dir() and os.access(place, os.W_OK) and place.stat().st_dev != own:
            free = measure(place).free
            if free >= room:
                found[place.stat().st_dev] = free, place
    return [place for _, place in sorted(found.values(), reverse=True)]


def _existing(path: Path) -> Path:
    path = path.absolute()
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def _mount_point(path: Path) -> Path:
    path = _existing(path).resolve()
    while not path.is_mount():
        path = path.parent
    return path


def _text(file: Path) -> str | None:
    try:
        return file.read_text()
    except OSError:
        return None
