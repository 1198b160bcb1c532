"""A million records to HDF5 over HTTP, beside h5py writing arrays that are ready; and the memory of exports of a year."""

import json
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import h5py
import history_decode
import numpy as np
from system import System

from speeddata.archive import Archive
from speeddata.plan import Plan
from speeddata.rows import encode
from speeddata.schema import Schema

RECORDS = 1_000_000
STEP_NS = 100_000  # so that all are within the limit of an export
START_NS = 1_700_000_000 * 10**9
PART = 250_000
FORMATS = ("hdf5", "parquet", "arrow", "csv", "jsonl", "avro")
CHUNK = 1 << 16
SCHEMA = {
    **history_decode.SCHEMA,
    "fields": [
        {"name": "time", "type": {"type": "long", "logicalType": "timestamp-nanos"}},
        *history_decode.SCHEMA["fields"][1:],  # type: ignore[index]
    ],
}


def ask(port: int, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
    """One request to the history service."""
    connection = HTTPConnection("127.0.0.1", port, timeout=300)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    try:
        return answer.status, answer.read()
    finally:
        connection.close()


def load(system: System) -> None:
    """A channel `bench` of so many records."""
    plan = Plan(Schema.parse(SCHEMA))
    columns = history_decode.columns(RECORDS) | {"time": START_NS + STEP_NS * np.arange(RECORDS)}
    status, answer = system.ask("POST", "/api/v1/channels", {"name": "bench", "port": None, "schema": SCHEMA})
    assert status == 201, answer
    for first in range(0, RECORDS, PART):
        part = {name: column[first : first + PART] for name, column in columns.items()}
        path = "/api/v1/ingest?channel=bench&live=false"
        said = ask(system.pivot_port, "POST", path, encode(plan, part), **{"Content-Type": "avro/binary"})
        assert said[0] == 200, said


def ready(folder: Path, archive: Path) -> tuple[float, float]:
    """Seconds to decode the records, and to write them by h5py."""
    begun = time.perf_counter()
    with Archive(archive).open() as reader:
        table = reader.read()
    middle = time.perf_counter()
    with h5py.File(folder / "ready.h5", "w") as file:
        for name, column in {"time": table.time_ns, **table.columns}.items():
            file.create_dataset(name, data=column, chunks=(CHUNK,))
    return middle - begun, time.perf_counter() - middle


def resident(pid: int) -> int:
    """Bytes of memory that a process has to itself or shares with files."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


def highest(pid: int, done: threading.Event, out: list[int]) -> None:
    while not done.wait(0.02):
        out.append(resident(pid))


def export_year(system: System, pid: int, kind: str) -> tuple[float, int, int]:
    """Seconds, bytes of the file, and the most memory, of the year as a job."""
    before, seen, done = resident(pid), [0], threading.Event()
    watcher = threading.Thread(target=highest, args=(pid, done, seen))
    watcher.start()
    begun = time.perf_counter()
    wanted = {
        "channels": "year",
        "start": "2021-05-01T00:00:00Z",
        "end": "2022-05-01T00:00:00Z",
        "format": kind,
    }
    headers = {"Content-Type": "application/json"}
    status, body = ask(system.pivot_port, "POST", "/api/v1/exports", json.dumps(wanted), **headers)
    assert status == 202, body
    job = json.loads(body)
    while job["state"] in ("queued", "running"):
        time.sleep(0.1)
        job = json.loads(ask(system.pivot_port, "GET", f"/api/v1/exports/{job['id']}")[1])
    seconds = time.perf_counter() - begun
    done.set()
    watcher.join()
    assert job["state"] == "done", job
    ask(system.pivot_port, "DELETE", f"/api/v1/exports/{job['id']}")
    return seconds, job["bytes"], max(seen) - before


def measure(folder: Path, system: System) -> Iterator[tuple[str, str, str]]:
    """What, found, goal of each line."""
    load(system)
    end = START_NS + STEP_NS * RECORDS
    query = f"start={stamp(START_NS)}&end={stamp(end)}&channels=bench"
    times, baselines = [], []
    for _ in range(6):
        begun = time.perf_counter()
        status, body = ask(system.pivot_port, "GET", f"/api/v1/pivot/export?{query}")
        times.append(time.perf_counter() - begun)
        assert status == 200, body[:500]
        baselines.append(sum(ready(folder, system.data / "archive" / "bench")))
    found, base = sorted(times[1:])[2], sorted(baselines[1:])[2]
    yield (
        "1,000,000 records to HDF5 over HTTP",
        f"{found:.3f} s ({26 / found:.0f} x 0.6's); decode and h5py by hand {base:.3f} s, {found / base:.2f} x of it",
        ">= 100 x 0.6's, <= 1.5 x by hand",
    )
    pid = next(one["pid"] for one in system.processes()["services"] if one["name"] == "pivot")
    if (system.data / "archive" / "year").is_dir():
        for kind in FORMATS:
            seconds, size, memory = export_year(system, pid, kind)
            yield (
                f"the year as {kind}, a job",
                f"{seconds:.1f} s, {size / 1e6:.0f} MB; {memory / 1e6:.0f} MB of memory",
                "<= 200 MB",
            )


def stamp(ns: int) -> str:
    return str(np.datetime64(ns, "ns")) + "Z"
