"""card_writes.py [SECONDS]: how many bytes a slow channel brings to a disk, and so to an SD card, at several settings.

For each row of ROWS a whole system runs on an ext4 of its own, in a file by a loop device, all of them at once; what the kernel has
written to each device is read in /sys twice, SECONDS apart (600 if absent). Bytes are counted and no times, so that other programs
may run meanwhile. Needs root.
"""

import contextlib
import os
import random
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from live import Encoder, free_port  # noqa: E402
from loop_disk import missing, mounted, run  # noqa: E402
from ports import free_tcp_ports  # noqa: E402
from system import System  # noqa: E402

SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "slow",
    "fields": [{"name": "time", "type": "long", "logicalType": "timestamp-nanos"}]
    + [{"name": f"x{n}", "type": "double"} for n in range(5)],
}
ROWS: dict[str, tuple[int, dict[str, Any]]] = {  # records a second, settings of the channel
    "1 Hz, flush 1 s": (1, {}),
    "1 Hz, flush 60 s, block 1 s": (1, {"flush_interval_s": 60}),
    "1 Hz, flush 10 s, block 10 s": (1, {"flush_interval_s": 10, "block_age_s": 10}),
    "1 Hz, flush 60 s, block 60 s": (1, {"flush_interval_s": 60, "block_age_s": 60}),
    "100 Hz, flush 1 s": (100, {}),
    "100 Hz, flush 60 s, block 60 s": (100, {"flush_interval_s": 60, "block_age_s": 60}),
    "nothing sent": (0, {}),
}
MEBIBYTES = 512
SETTLE_S = 90  # what a start writes is brought to the disk meanwhile
SECTOR = 512  # bytes, in /sys, whatever the disk has
DAY_S = 86400


@contextlib.contextmanager
def whole_disk(folder: Path) -> Iterator[Path]:
    """An ext4 of which the kernel has nothing left to make ready while it is used, mounted as Raspberry Pi OS mounts its own."""
    image = folder / "disk.img"
    with image.open("wb") as file:
        file.truncate(MEBIBYTES << 20)
    run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", image)
    with mounted(image, folder / "disk", "noatime") as place:
        yield place


def written(folder: Path) -> int:
    """Bytes that the device of a folder has been given."""
    device = os.stat(folder).st_dev
    stat = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/stat")
    return int(stat.read_text().split()[6]) * SECTOR


class Row:
    """A system on a disk of its own, with one channel."""

    def __init__(self, name: str, disk: Path, ports: list[int], stack: contextlib.ExitStack) -> None:
        self.name, self.disk = name, disk
        self.hertz, config = ROWS[name]
        self.port = free_port(socket.SOCK_DGRAM)
        self.system = System(disk / "data")
        self.system.api_port, self.system.websocket_port, self.system.pivot_port = ports
        stack.callback(self.system.stop)
        self.system.start()
        self.system.register("slow", self.port, SCHEMA, **config)

    def look(self) -> tuple[int, int, int, int]:
        """Bytes on the device, and of the channel: records in the archive, bytes of their segments, fsyncs."""
        stats = self.system.get("/channels/slow")["stats"]
        return written(self.disk), stats["archived"], stats["archived_bytes"], stats["fsyncs"]


def send(rows: list[Row], seconds: int) -> None:
    """Send each row what it has, second by second."""
    encode = Encoder(SCHEMA)
    begun = time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for second in range(seconds):
            time.sleep(max(0.0, begun + second - time.monotonic()))
            for row in rows:
                for _ in range(row.hertz):
                    values = {f"x{n}": random.gauss(0, 1) for n in range(5)}
                    sock.sendto(encode(time=time.time_ns(), **values), ("127.0.0.1", row.port))


def tell(row: Row, before: tuple[int, ...], after: tuple[int, ...], seconds: int) -> None:
    device, records, segment, fsyncs = (new - old for old, new in zip(before, after, strict=True))
    each = f"{device / fsyncs:8,.0f}" if fsyncs else " " * 8
    print(
        f"{row.name:32}{records:9,} records{segment:12,} B of segments{fsyncs:6} fsyncs{each} B each"
        f"{device:12,} B to the device{device / seconds * DAY_S / 1e6:9,.0f} MB a day"
    )


def main(seconds: int) -> None:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        rows = []
        ports = free_tcp_ports(3 * len(ROWS))
        for number, name in enumerate(ROWS):
            (folder / str(number)).mkdir()
            disk = stack.enter_context(whole_disk(folder / str(number)))
            rows.append(Row(name, disk, ports[3 * number : 3 * number + 3], stack))
        send(rows, SETTLE_S)
        before = [row.look() for row in rows]
        send(rows, seconds)
        for row, old in zip(rows, before, strict=True):
            tell(row, old, row.look(), seconds)


if __name__ == "__main__":
    if missing():
        sys.exit(missing())
    main(int(sys.argv[1]) if sys.argv[1:] else 600)
