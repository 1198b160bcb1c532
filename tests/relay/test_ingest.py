"""The shared relay as a process: killed under load, on a full disk, with a disk that fails, ended."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from ingest_kills import kill_again_and_again
from line import wait_until
from store_client import StoreProcess, numbers, part
from tracing import Trace

from speeddata.relay.ingest import allow_files


def test_killed_again_and_again_each_batch_is_there_once(tmp_path: Path) -> None:
    batches, _ = kill_again_and_again(tmp_path, 6, 3, 0.3)
    assert batches > 0


def test_it_imports_no_numpy() -> None:
    code = "import sys, speeddata.relay.ingest; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-P", "-c", code], check=False).returncode == 0


def test_there_is_one_for_a_data_folder(tmp_path: Path) -> None:
    with StoreProcess(tmp_path) as store:
        module = [sys.executable, "-P", "-m", "speeddata.relay.ingest", "--data", str(tmp_path)]
        second = subprocess.run(module, capture_output=True, text=True, check=False, timeout=30)
        assert store.process is not None
        assert second.returncode == 3
        assert (
            second.stderr == f"ingest: {tmp_path} has a shared relay already, process {store.process.pid}\n"
        )


def test_when_it_is_asked_to_end_everything_is_on_the_disk(tmp_path: Path) -> None:
    pidfile = tmp_path / "ingest.pid"
    with StoreProcess(tmp_path) as store, store.open("x") as client:
        assert client.append([part("x", 0, 10)])["ok"]
        assert store.end() == 0
    assert numbers(tmp_path / "archive" / "x") == [*range(10)]
    assert not pidfile.exists()


def test_a_full_disk_undoes_the_batch(tmp_path: Path) -> None:
    """By a limit to the size of files, which is refused like a full disk."""
    with StoreProcess(tmp_path, "prlimit", f"--fsize={3 << 20}") as store, store.open("x", "y") as client:
        acknowledged: list[int] = []
        for first in range(0, 200_000, 40_000):
            answer = client.append([part("y", first, 10), part("x", first, 40_000)], key=str(first))
            if not answer["ok"]:
                break
            acknowledged += range(first, first + 40_000)
        assert (answer["status"], answer["error"]) == (507, "no room on the disk")
        assert numbers(store.archive / "x") == acknowledged
        assert client.append([part("y", 900_000, 10)])["ok"]
        assert len(numbers(store.archive / "y")) == len(acknowledged) // 4000 + 10


@pytest.mark.parametrize("call", ["pwritev", "pwrite64", "fdatasync", "renameat2", "openat", "ftruncate"])
@pytest.mark.parametrize("when", ["1", "2", "3", "1+3"])
def test_a_call_that_fails_loses_and_doubles_nothing(tmp_path: Path, call: str, when: str) -> None:
    settings = {"flush_interval_s": 0.05, "rotation": {"bytes": 900, "seconds": 0}}
    with StoreProcess(tmp_path) as store, store.open("x", "y", **settings) as client:
        assert client.append([part("x", 0, 10)])["ok"]
        acknowledged = [*range(10)]
        assert store.process is not None
        injections = [f"{call}:error=EIO:when={when}"]
        if call == "ftruncate":  # which follows a write that failed
            injections.append("pwritev:error=ENOSPC:when=2+3")
        with Trace(store.process.pid, injections) as trace:
            for first in range(10, 60, 10):
                for _ in range(20):
                    parts = [part("y", first, 10), part("x", first, 10)]
                    durability = "block" if first % 20 else "interval"
                    if (answer := client.append(parts, key=str(first), durability=durability))["ok"]:
                        acknowledged += range(first, first + 10)
                        break
                    assert answer["status"] in (503, 507), answer
        assert trace.struck > 0
        assert client.append([part("x", 100, 10)], durability="block")["ok"]
        total = client.ask({"op": "stats"})["total"]
        assert total["records"] - total["lost"] == total["archived"]
        store.end(signal.SIGKILL)
        store.start()
        found = numbers(store.archive / "x")
        wanted = [*acknowledged, *range(100, 110)]
        assert sorted({*wanted} - {*found}) == [] or total["lost"]
        assert len(set(found)) == len(found)
        assert {*found} <= {*wanted}


def test_it_waits_without_work(tmp_path: Path) -> None:
    with StoreProcess(tmp_path) as store, store.open("x") as client:
        assert client.append([part("x", 0, 10)])["ok"]
        wait_until(lambda: client.ask({"op": "stats"})["fsyncs"] > 0, "the flush")


def test_few_files_are_allowed_at_least() -> None:
    assert allow_files() >= 16
