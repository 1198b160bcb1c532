"""A relay compiled with AddressSanitizer and UndefinedBehaviorSanitizer, in a process of its own.

Its extensions are built from a copy of the repository in build/asan/relay. Slots of the mapping have no bounds that the
sanitizer would know of; `poison.c` gives them some, those of the packet that lies in each.
"""

import contextlib
import fcntl
import json
import re
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import working_copy
from line import wait_until

from speeddata.relay.sockets import set_receive_buffer

FLAGS = "-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"
CFLAGS = f"{FLAGS} -O1 -g1 -fno-wrapv"  # not -fwrapv, with which they are shipped: here signed overflow is to be seen
# What is freed is kept aside for a while, but little of it: until that has filled up, memory seems to grow.
OPTIONS = "detect_leaks=0:quarantine_size_mb=1:thread_local_quarantine_size_kb=64:allocator_release_to_os_interval_ms=500"
MEMORY = re.compile(r"^(VmRSS|RssAnon):\s+(\d+) kB", re.MULTILINE)
# Reads one byte more than recvmmsg has put into a slot.
OVER = """
import ctypes, socket
libc = ctypes.CDLL(None)
class Part(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
class Message(ctypes.Structure):
    _fields_ = [("name", ctypes.c_void_p), ("namelen", ctypes.c_uint), ("parts", ctypes.POINTER(Part)),
                ("count", ctypes.c_size_t), ("control", ctypes.c_void_p), ("controllen", ctypes.c_size_t),
                ("flags", ctypes.c_size_t), ("filled", ctypes.c_size_t)]
a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
a.send(b"x" * 20)
slot = (ctypes.c_uint64 * 100)()
part = Part(ctypes.addressof(slot), 800)
message = Message(None, 0, ctypes.pointer(part), 1, None, 0, 0, 0)
assert libc.recvmmsg(b.fileno(), ctypes.byref(message), 1, 0, None) == 1 and message.filled == 20
print(ctypes.string_at(slot, 20), flush=True)
print(ctypes.string_at(slot, 21), flush=True)
"""


class SanitizedRelay:
    """A relay that runs under sanitizers; `running` gives one."""

    def __init__(self, home: Path, spec: dict[str, Any], folder: Path) -> None:
        self.port = spec["port"]
        self.said = folder / "relay.err"
        path = folder / "spec.json"
        path.write_text(json.dumps(spec))
        self.report = folder / "report"
        with self.said.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "speeddata.relay", "--spec", str(path)],
                env=environment(home, self.report), stdout=subprocess.PIPE, stderr=said,
            )  # fmt: skip
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            set_receive_buffer(sock, spec.get("receive_buffer_bytes", 64 << 20))
            self.room = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 8

    def waiting(self) -> int | None:
        """Bytes in its socket, None when it has none; fails when the relay has ended."""
        assert self.process.poll() is None, self.words()
        for line in Path("/proc/net/udp").read_text().splitlines()[1:]:
            columns = line.split()
            if int(columns[1].rpartition(":")[2], 16) == self.port:
                return int(columns[4].rpartition(":")[2], 16)
        return None

    def give_room(self) -> None:
        """Wait until its socket can take another burst."""
        wait_until(lambda: (self.waiting() or 0) <= self.room, "room", 60)

    def stats(self) -> dict[str, Any]:
        """Its counters."""
        self.process.send_signal(signal.SIGUSR1)
        return self._line()

    def memory_mib(self) -> dict[str, float]:
        """Resident memory, all of it and that which is its own."""
        found = MEMORY.findall(Path(f"/proc/{self.process.pid}/status").read_text())
        return {key: int(kilobytes) / 1024 for key, kilobytes in found}

    def stop(self) -> dict[str, Any]:
        """End it in order; its last counters."""
        self.process.terminate()
        stats = self._line()
        assert self.process.wait(60) == 0, self.words()
        return stats

    def words(self) -> str:
        """What it and the sanitizers said."""
        return "\n".join(self.findings()) or self.said.read_text()[-3000:]

    def findings(self) -> list[str]:
        """Reports of the sanitizers."""
        return [path.read_text()[:5000] for path in self.report.parent.glob(f"{self.report.name}.*")]

    def _line(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], 60)
        line = self.process.stdout.readline() if ready else b""
        assert line, self.words()
        stats: dict[str, Any] = json.loads(line)
        return stats


@contextlib.contextmanager
def running(spec: dict[str, Any], folder: Path) -> Iterator[SanitizedRelay]:
    """A relay under sanitizers that has begun to receive."""
    folder.mkdir(parents=True, exist_ok=True)
    relay = SanitizedRelay(build(), spec, folder)
    try:
        wait_until(lambda: relay.waiting() is not None, "the relay", 60)
        yield relay
    finally:
        relay.process.kill()
        relay.process.wait()
        if relay.process.stdout:
            relay.process.stdout.close()


def build() -> Path:
    """Build what is not built; where it is. What is loaded elsewhere must not be built anew: one does so at a time."""
    home = working_copy.ROOT / "build" / "asan" / "relay"
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        working_copy.make(home, built=False)
        working_copy.build(home, SPEEDDATA_CFLAGS=CFLAGS, SPEEDDATA_LDFLAGS=FLAGS)
        source = Path(__file__).with_name("poison.c")
        command = ["gcc", "-O1", "-shared", "-fPIC", str(source), "-o", str(home / "poison.so")]
        subprocess.run(command, check=True)
    return home


def environment(home: Path, report: Path) -> dict[str, str]:
    """Environment in which Python runs what was built, under the sanitizers."""
    libraries = [
        subprocess.run(
            ["gcc", f"-print-file-name={name}"], capture_output=True, text=True, check=True
        ).stdout.strip()
        for name in ("libasan.so", "libubsan.so")
    ]
    return working_copy.environment(home) | {
        "LD_PRELOAD": " ".join([*libraries, str(home / "poison.so")]),
        "ASAN_OPTIONS": f"{OPTIONS}:log_path={report}",
        "UBSAN_OPTIONS": f"print_stacktrace=1:log_path={report}",
        "PYTHONMALLOC": "malloc",
    }


def check_awake(folder: Path) -> None:
    """Fail unless the copy is what is imported, and reading over the end of a packet in its slot is found."""
    home = build()
    surroundings = environment(home, folder / "awake")
    working_copy.check(home, **surroundings)
    done = subprocess.run(
        [sys.executable, "-c", OVER], env=surroundings, capture_output=True, text=True, check=False
    )
    reports = [path.read_text() for path in folder.glob("awake.*")]
    assert done.stdout == f"{b'x' * 20!r}\n", done
    assert done.returncode != 0, "reading over the end is not found"
    assert any("use-after-poison" in report for report in reports), reports
