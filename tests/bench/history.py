"""What history costs, beside the goals and the rivals: `make bench-history`, or python -P tests/bench/history.py [ROW...].

A whole system runs on this machine, in a folder of its own; rows are those of ROWS. Rivals that can be installed here run in
the same minute; figures of the others were measured elsewhere on two cores, and are said so.
"""

import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

import history_decode
import history_duckdb
import history_export
import history_load
from system import SPEEDDATA, System, run

YEAR = 31_536_000
EXAMPLES = Path(__file__).parent.parent.parent / "examples"
RANGE = {"start": "2021-05-01T00:00:00Z", "end": "2022-05-01T00:00:00Z"}
DAY = {"start": "2021-08-09T00:00:00Z", "end": "2021-08-10T00:00:00Z"}
ARROW = "application/vnd.apache.arrow.stream"


def say(what: str, found: str, goal: str = "", rivals: str = "") -> None:
    """A line of the table."""
    print(f"| {what} | {found} | {goal} | {rivals} |", flush=True)


class History:
    """The history service of a system, asked over one connection."""

    def __init__(self, port: int) -> None:
        self.connection = HTTPConnection("127.0.0.1", port, timeout=120)
        self.server_ms = 0.0  # that the last query took by the service's own clock

    def get(self, path: str, accept: str = "application/json", **query: Any) -> bytes:
        """The body of an answer, which must be 200."""
        self.connection.request("GET", f"{path}?{urlencode(query)}", headers={"Accept": accept})
        answer = self.connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body[:500]
        timing = answer.headers.get("server-timing", "query;dur=0")
        self.server_ms = float(timing.partition("dur=")[2])
        return body

    def measure(self, accept: str, rounds: int = 21, **query: Any) -> str:
        """Milliseconds at the server, over HTTP and of the first call; each is for another range, as no cache knows."""
        times, inside = [], []
        self.connection.close()  # the service may have, while others were measured
        for number in range(rounds):
            end = query["end"].replace("00Z", f"00.{number:06d}Z")
            begun = time.perf_counter()
            self.get("/api/v1/query", accept, **(query | {"end": end}))
            times.append((time.perf_counter() - begun) * 1e3)
            inside.append(self.server_ms)
        found = statistics.median(inside[1:]), statistics.median(times[1:])
        return "{:.1f} ms ({:.1f} ms to the last byte at the client, {:.0f} ms the first time)".format(
            *found, times[0]
        )


def decode(folder: Path, _: System) -> None:
    for name, rate, remark in history_decode.measure(folder):
        say(f"decode of 5,000,000 records: {name}", f"{rate:.1f} M/s", ">= 25 M/s", remark)


def export(folder: Path, system: System) -> None:
    for what, found, goal in history_export.measure(folder, system):
        say(what, found, goal, "SpeedData 0.6: 26 s")


def imports(folder: Path, system: System) -> None:
    """A year of CSV in both forms; the ISO one is left as channel `year`."""
    for form in ("german", "iso"):
        csv = folder / f"{form}.csv"
        command = [sys.executable, str(EXAMPLES / "grid_frequency.py"), str(csv), "--form", form]
        subprocess.run([*command, "--rows", str(YEAR), "--step", "1"], check=True, stdout=subprocess.DEVNULL)
        channel = "year" if form == "iso" else form
        options = ["--channel", channel, "--zone", "UTC", "--quiet", "--state", str(folder / "state")]
        history = History(system.pivot_port)
        begun = time.perf_counter()
        done = subprocess.run(
            [*SPEEDDATA, "import", str(csv), *options, "--api", f"http://127.0.0.1:{system.api_port}/api/v1"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        seconds = time.perf_counter() - begun
        assert done.returncode == 0, done.stderr
        body = history.get("/api/v1/query", channels=channel, every="1h", aggregates="count", **RANGE)
        rolled = time.perf_counter() - begun
        (series,) = json.loads(body)["series"]
        (counts,) = series["columns"].values()
        total = sum(counts)
        assert total == YEAR, total
        rival = ""
        if form == "iso":
            rival = (
                f"DuckDB to Parquet, not durable: {history_duckdb.load(csv, folder / 'year.parquet'):.1f} s; "
            )
        say(
            f"a year at 1 Hz from CSV ({form}), acknowledged; with the first hourly query",
            f"{seconds:.2f} s; {rolled:.2f} s",
            "<= 5 s",
            rival + "TimescaleDB 84 to 103 s, PostgreSQL binary COPY 19 s (elsewhere)",
        )
        csv.unlink()


def queries(folder: Path, system: System) -> None:
    history = History(system.pivot_port)
    hourly = {"channels": "year", "every": "1h", "aggregates": "avg,min,max", **RANGE}
    found = history.measure(ARROW, **hourly)
    duck = history_duckdb.hourly_ms(folder / "year.parquet")
    say(
        "hourly avg/min/max over the year, from rollups (Arrow)", found, "<= 5 ms",
        "TimescaleDB continuous aggregate 13 to 20 ms (elsewhere)",
    )  # fmt: skip
    say("the same as JSON", history.measure("application/json", **hourly))
    found = history.measure(ARROW, 4, **hourly, where="value > 0")
    say("the same by the records alone", found, "<= 700 ms", f"DuckDB on Parquet {duck:.0f} ms")
    say_day(history, folder)
    say_again(history, "by rollups", **hourly)
    say_again(history, "by records", **hourly, where="value > 1")


def say_again(history: History, kind: str, **query: str) -> None:
    """A query, and the same from the cache: medians, as a warm service takes them."""
    first, again = [], []
    for number in range(5):
        asked = query | {"end": query["end"].replace("00Z", f"00.9{number:02d}Z")}
        for times in (first, again):
            history.get("/api/v1/query", **asked)
            times.append(history.server_ms)
    found = statistics.median(first), statistics.median(again)
    say(
        f"an hourly query {kind}, and once more from the cache",
        "{:.2f} ms, {:.2f} ms".format(*found),
        "<= 1/5",
    )


def say_day(history: History, folder: Path) -> None:
    duck = history_duckdb.day_ms(folder / "year.parquet")
    rivals = f"DuckDB {duck:.0f} ms; TimescaleDB 88 ms (elsewhere)"
    raw = {"channels": "year", "limit": "100000", **DAY}
    say("one day of raw rows (86,400) as Arrow", history.measure(ARROW, **raw), "<= 5 ms", rivals)
    say("the same as JSON", history.measure("application/json", **raw), "<= 25 ms", rivals)


def size(folder: Path, system: System) -> None:
    """What the year takes, once the system has sealed it (compression is on)."""
    archive = system.data / "archive" / "year"
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and any(
        b"zstandard" not in head(path) for path in archive.glob("*.avro")
    ):
        time.sleep(1)
    for ending, goal in ((".avro", "<= 6 B"), (".idx", ""), (".rollup", "")):
        total = sum(path.stat().st_size for path in archive.glob(f"*{ending}"))
        say(
            f"the year on disk, sealed: {ending}",
            f"{total / YEAR:.2f} B a row",
            goal,
            "TimescaleDB 6.2, Parquet 3.6",
        )
    queries(folder, system)


def head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4096)


def ingest(_: Path, __: System) -> None:
    program = Path(__file__).with_name("bench_ingest.py")
    done = subprocess.run([sys.executable, "-P", str(program)], capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        if "rows/s" in line:
            found = f"{line.rpartition('kB')[2].partition('rows/s')[0].strip()} rows/s"
            goal = ">= 150,000 rows/s" if line.startswith("JSON") else ">= 1,000,000 rows/s"
            say(f"HTTP ingest, batches of 1,000 rows: {line[:14].strip()}", found, goal, "Redis, worker, INSERT: 1,900/s (elsewhere)")  # fmt: skip


def clients(folder: Path, system: System) -> None:
    for what, found, goal in history_load.measure(folder, system):
        say(what, found, goal)


ROWS: dict[str, Callable[[Path, System], None]] = {
    "decode": decode,
    "imports": imports,
    "export": export,
    "queries": queries,
    "size": size,
    "ingest": ingest,
    "clients": clients,
}


@contextlib.contextmanager
def system_in(folder: Path) -> Iterator[System]:
    config = folder / "config"
    config.mkdir()
    (config / "relay.yaml").write_text("compression: zstandard\n")
    with run(folder / "data", f"--config={config}") as system:
        system.processes()
        deadline = time.monotonic() + 30
        while True:  # until the history service is there
            try:
                History(system.pivot_port).get("/api/v1/health")
                break
            except ConnectionRefusedError:
                assert time.monotonic() < deadline, "no history service"
                time.sleep(0.1)
        yield system


def main(wanted: list[str]) -> None:
    unknown = set(wanted) - set(ROWS)
    if unknown:
        raise SystemExit(f"no row {min(unknown)!r}, wanted some of {', '.join(ROWS)}")
    if set(wanted) & {"queries", "size"} and "imports" not in wanted:
        wanted = ["imports", *wanted]
    print("| what | measured | goal | rivals |\n| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory(dir=".") as made:
        folder = Path(made).absolute()
        with system_in(folder) as system:
            for name in [name for name in ROWS if name in (wanted or ROWS)]:
                ROWS[name](folder, system)


if __name__ == "__main__":
    main(sys.argv[1:])
