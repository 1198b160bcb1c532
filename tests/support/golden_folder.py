"""A small data folder of a real system, kept for ever: later versions must read it. Run this file to make that of this version.

    python tests/support/golden_folder.py tests/golden/0.7

Channels: one per codec of sealed segments, with two versions of the schema and all kinds of types; one whose records came by
HTTP; a tag. `sample` tells what each record held.
"""

import shutil
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import requests
from line import encode, wait_until
from ports import free_port
from system import System, run

CODECS = {"plain": None, "zstandard": "zstandard", "deflate": "deflate"}
PER_VERSION = 120
BEGIN = 1_767_225_600_000_000_000  # 2026-01-01
STEP = 10_000_000
FIRST: dict[str, Any] = {
    "type": "record",
    "name": "Golden",
    "fields": [
        {"name": "time", "type": "long", "logicalType": "timestamp-nanos"},
        {"name": "n", "type": "long", "speeddata": {"role": "sequence"}},
        {"name": "value", "type": "double", "speeddata": {"unit": "V", "limits": {"alarm": [-1, 200]}}},
        {"name": "small", "type": "float"},
        {"name": "count", "type": "int"},
        {"name": "on", "type": "boolean"},
        {"name": "words", "type": ["null", "string"]},
        {"name": "mode", "type": {"type": "enum", "name": "Mode", "symbols": ["OFF", "ON", "FAULT"]}},
        {"name": "wave", "type": {"type": "array", "items": "double"}},
        {"name": "place", "type": {"type": "record", "name": "Place", "fields": [{"name": "x", "type": "float"}]}},
        {"name": "raw", "type": {"type": "fixed", "name": "Raw", "size": 3}},
    ],
}  # fmt: skip
SECOND = {**FIRST, "fields": [*FIRST["fields"], {"name": "more", "type": "double", "default": 0.0}]}


def sample(n: int) -> dict[str, Any]:
    """A record whose values are exact in each type."""
    return {
        "time": BEGIN + n * STEP, "n": n, "value": n / 2, "small": n / 4, "count": -n, "on": n % 3 == 0,
        "words": None if n % 2 else f"wörd {n}", "mode": ("OFF", "ON", "FAULT")[n % 3], "wave": [n * 1.0] * (n % 3),
        "place": {"x": n / 8}, "raw": bytes((n % 256, 0, 255)), "more": n / 16,
    }  # fmt: skip


def make(folder: Path) -> None:
    """Record it by a system, and keep what that leaves."""
    with tempfile.TemporaryDirectory() as temporary:
        data = Path(temporary) / "data"
        with run(data, "--set=relay.block_age_s=0.2") as system:
            for name, codec in CODECS.items():
                record(system, name, codec)
            post(system)
            tag = {
                "name": "run 1",
                "start": "2026-01-01T00:00:00Z",
                "end": "2026-01-01T00:00:01Z",
                "note": "kept",
            }
            assert system.ask("POST", "/api/v1/tags", tag)[0] == 201
            wait_until(lambda: len(list(data.glob("archive/*/*.rollup"))) >= 4, "rollups", 60)
            wait_until(lambda: sealed(data), "compressed segments", 60)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        shutil.copy2(data / "registry.db", folder)
        for path in sorted(data.glob("archive/*/[!.]*")):
            target = folder / path.relative_to(data)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)


def sealed(data: Path) -> bool:
    """Whether each channel with a codec has a segment that is compressed by it."""
    return all(
        any(codec.encode() in path.read_bytes()[:4096] for path in data.glob(f"archive/{name}/*.avro"))
        for name, codec in CODECS.items()
        if codec
    )


def record(system: System, name: str, codec: str | None) -> None:
    """A channel with two versions of its schema."""
    port, config = free_port(), {"compression": codec}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for schema, first in ((FIRST, 0), (SECOND, PER_VERSION)):
            body = {"name": name, "port": port, "schema": schema, "config": config}
            if first:
                assert system.ask("DELETE", f"/api/v1/channels/{name}")[0] == 200
            assert system.ask("POST", "/api/v1/channels", body)[0] == 201
            wait_until(lambda: system.get(f"/channels/{name}")["state"] in ("active", "idle"), name)
            for n in range(first, first + PER_VERSION):
                sender.sendto(encode(schema, **sample(n)), ("127.0.0.1", port))
                time.sleep(0.002)
            wait_until(
                lambda: (system.get(f"/channels/{name}")["stats"] or {}).get("archived") == PER_VERSION, name
            )


def post(system: System) -> None:
    """A channel whose records come by HTTP."""
    schema = {**FIRST, "fields": FIRST["fields"][:3]}
    assert (
        system.ask("POST", "/api/v1/channels", {"name": "posted", "port": None, "schema": schema})[0] == 201
    )
    rows = [{key: sample(n)[key] for key in ("time", "n", "value")} for n in range(2 * PER_VERSION)]
    url = f"http://127.0.0.1:{system.pivot_port}/api/v1/ingest"
    wait_until(lambda: reachable(system.pivot_port), "history")
    requests.post(url, json={"channel": "posted", "rows": rows}, timeout=30).raise_for_status()
    requests.post(f"{url}/seal?channel=posted", timeout=30).raise_for_status()


def reachable(port: int) -> bool:
    """Whether somebody listens."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    make(Path(sys.argv[1]))
