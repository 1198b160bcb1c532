"""A run of the benchmark: what is sent, and that a machine which is busy with something else is found out."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator

import pytest

from speeddata.plan import Plan
from speeddata.relay import bench_run
from speeddata.relay.bench_run import DISTURBED, SCHEMA, attempts, packets, run
from speeddata.schema import Schema

SPIN = "print(flush=True)\nwhile True: pass"


@contextlib.contextmanager
def another_process_busy() -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-c", SPIN], stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        process.stdout.readline()
        yield
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize("size", [42, 64, 200, 1400, 8000, 65507])
@pytest.mark.parametrize("joined", [False, True])
def test_packets_are_valid_and_of_the_size_asked_for(size: int, joined: bool) -> None:
    burst = packets(size, joined)
    assert len(burst) % size == 0
    assert not joined or len(burst) <= 65507
    assert Plan(Schema.parse(SCHEMA)).packet(burst[:size]) == 1


@pytest.mark.parametrize("size", [-1, 0, 20, 106, 65508, 10**9])
def test_sizes_without_a_record_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match=f"no packet of one record has {size} bytes"):
        packets(size, joined=False)


def test_a_busy_machine_is_found_out() -> None:
    with another_process_busy():
        point = run("recvmmsg", 200, "plain", 1000.0, 0.3)
    assert point.disturbed
    assert point.others > DISTURBED


def test_a_disturbed_run_is_made_again_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_run, "ATTEMPTS", 2)
    with another_process_busy():
        assert [point.disturbed for point in attempts("recvmmsg", 200, "plain", 1000.0, 0.2)] == [True, True]
