"""The contenders of the benchmark: each deals with what it is sent, and says so."""

import resource
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from line import wait_until

from speeddata.relay.bench_run import packets, spec_of
from speeddata.relay.contenders import NAMES, running


@pytest.mark.parametrize("name", NAMES)
def test_a_contender_deals_with_what_it_is_sent(tmp_path: Path, name: str) -> None:
    spec = spec_of(tmp_path, joined=False)
    packet = packets(200, joined=False)[:200]
    with (
        running(name, spec, tmp_path, {0}) as contender,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        for _ in range(300):
            sender.sendto(packet, ("127.0.0.1", spec.port))
        contender.drain()
        assert contender.cpu_s() >= 0
        contender.finish()
        assert (contender.packets, contender.drops) == (300, 0)


def test_what_the_disk_refuses_is_no_packet_dealt_with(tmp_path: Path) -> None:
    spec = replace(spec_of(tmp_path, joined=False), block_bytes=65536, ring_bytes=1 << 22)
    packet = packets(200, joined=False)[:200]
    with (
        running("relay", spec, tmp_path, {0}) as contender,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        sender.connect(("127.0.0.1", spec.port))
        sender.send(packet)
        wait_until(
            lambda: [one.stat().st_size for one in tmp_path.glob("bench/bench_*.idx")] == [128], "a block"
        )
        _, hard = resource.prlimit(contender.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(contender.process.pid, resource.RLIMIT_FSIZE, (1, hard))
        for _ in range(300):
            sender.send(packet)
        contender.drain()
        contender.finish()
    assert (contender.packets, contender.drops) == (1, 0)


def test_one_that_does_not_begin_is_said(tmp_path: Path) -> None:
    spec = spec_of(tmp_path, joined=False)
    with (
        pytest.raises(RuntimeError, match="nosuch does not receive on port"),
        running("nosuch", spec, tmp_path, {0}),
    ):
        pass
