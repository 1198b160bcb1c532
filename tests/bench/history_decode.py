"""Decode of 5,000,000 records into fresh columns by one processor, beside other readers of Avro files."""

import importlib.util
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fastavro
import numpy as np
import polars

from speeddata.archive import Archive
from speeddata.columns import Columns
from speeddata.container import pack_block, pack_head
from speeddata.plan import Plan
from speeddata.rows import encode
from speeddata.schema import Schema

RECORDS = 5_000_000
BLOCK = 16_384
SCHEMA = {
    "type": "record",
    "name": "bench",
    "fields": [
        {"name": "time", "type": "double"},
        {"name": "a", "type": "double"},
        {"name": "b", "type": "double"},
        {"name": "c", "type": "long"},
        {"name": "d", "type": "float"},
        {"name": "e", "type": "int"},
    ],
}


def columns(count: int = RECORDS) -> dict[str, Any]:
    """What a test stand might send: two signals with noise, a counter, a noise, a 12-bit value."""
    number, random = np.arange(count), np.random.default_rng(1)
    return {
        "time": 1.7e9 + number * 1e-3,
        "a": np.sin(number / 100) + random.normal(size=count),
        "b": np.cos(number / 100) + random.normal(size=count),
        "c": number,
        "d": random.normal(size=count).astype(np.float32),
        "e": random.integers(0, 4096, count).astype(np.int32),
    }


def write(path: Path, plan: Plan) -> list[tuple[bytes, int]]:
    """Write a container file; its blocks' contents with their numbers of records."""
    given, sync = columns(), os.urandom(16)
    blocks = []
    for first in range(0, RECORDS, BLOCK):
        part = {name: column[first : first + BLOCK] for name, column in given.items()}
        blocks.append((encode(plan, part), len(part["time"])))
    metadata = {"avro.schema": plan.schema.text.encode(), "avro.codec": b"null"}
    with path.open("wb") as file:
        file.write(pack_head(metadata, sync))
        file.writelines(pack_block(count, content, sync) for content, count in blocks)
    return blocks


def median_s(work: Callable[[], object], rounds: int = 5) -> float:
    """Median seconds of some rounds, the first of which does not count."""
    times = []
    for _ in range(rounds + 1):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return statistics.median(times[1:])


def ours(plan: Plan, blocks: list[tuple[bytes, int]]) -> None:
    made, row = Columns(plan, RECORDS), 0
    for content, count in blocks:
        made.fill(content, count, row)
        row += count
    made.take()


def with_fastavro(path: Path, count: int) -> None:
    rows: dict[str, list[Any]] = {name["name"]: [] for name in SCHEMA["fields"]}  # type: ignore[index]
    with path.open("rb") as file:
        for number, record in enumerate(fastavro.reader(file)):
            if number == count:
                break
            for name, value in record.items():
                rows[name].append(value)
    for name, values in rows.items():
        np.array(values, name == "c" and np.int64 or None)


def with_rugo(path: Path, numpy: bool) -> None:
    """Read into rugo's own batches, or on into fresh numpy columns."""
    from rugo.avro import read_avro

    parts: dict[str, list[Any]] = {name["name"]: [] for name in SCHEMA["fields"]}  # type: ignore[index]
    with read_avro(str(path), max_threads=1) as morsels:
        for morsel in morsels:
            if numpy:
                batch = morsel.to_arrow()
                for name, found in parts.items():
                    found.append(batch.column(name).to_numpy(zero_copy_only=False))
    if numpy:
        for found in parts.values():
            np.concatenate(found)


def with_duckdb(path: Path, packages: Path) -> float:
    """Seconds that DuckDB's Avro reader takes, which is installed into a folder, apart from the DuckDB of this Python."""
    pip = [sys.executable, "-P", "-m", "pip", "install", "--quiet", "--target", str(packages)]
    subprocess.run([*pip, "duckdb==1.5.5", "duckdb-extension-avro==1.5.5", "numpy"], check=True)
    command = [sys.executable, "-P", str(Path(__file__).with_name("duckdb_avro.py")), str(path)]
    environment = os.environ | {"PYTHONPATH": str(packages)}
    return float(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)


def measure(folder: Path) -> Iterator[tuple[str, float, str]]:
    """Name, million records a second, and remark of each reader."""
    path = folder / "decode.avro"
    plan = Plan(Schema.parse(SCHEMA))
    blocks = write(path, plan)
    yield (
        "SpeedData, blocks into fresh columns",
        RECORDS / median_s(lambda: ours(plan, blocks)) / 1e6,
        "one core",
    )
    few = RECORDS // 20
    yield "fastavro to numpy", few / median_s(lambda: with_fastavro(path, few), 1) / 1e6, "one core"
    yield "polars.read_avro", RECORDS / median_s(lambda: polars.read_avro(path), 3) / 1e6, ""
    if importlib.util.find_spec("rugo"):
        for name, numpy in (("rugo to its own batches", False), ("rugo to numpy", True)):
            yield name, RECORDS / median_s(lambda n=numpy: with_rugo(path, n), 3) / 1e6, "one thread"
    try:
        yield "DuckDB read_avro to numpy", RECORDS / with_duckdb(path, folder / "duckdb") / 1e6, "one thread"
    except subprocess.CalledProcessError as error:
        yield "DuckDB read_avro to numpy", float("nan"), f"not to be had: {error}"
    blocks.clear()
    whole = folder / "decode" / "decode_20231114T221320.000000Z.avro"
    whole.parent.mkdir()
    path.rename(whole)
    archive = Archive(whole.parent)
    archive.segments()

    def read() -> None:
        with archive.open() as reader:
            for _ in reader.batches():
                pass

    yield "SpeedData, archive to sorted batches", RECORDS / median_s(read, 3) / 1e6, "all cores, checksums"
    whole.unlink()
