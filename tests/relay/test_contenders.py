"""The contenders of the benchmark: each deals with what it is sent, and says so."""

import socket
from pathlib import Path

import pytest

from speeddata.relay.bench import packets, spec_of
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


def test_one_that_does_not_begin_is_said(tmp_path: Path) -> None:
    spec = spec_of(tmp_path, joined=False)
    with (
        pytest.raises(RuntimeError, match="nosuch does not receive on port"),
        running("nosuch", spec, tmp_path, {0}),
    ):
        pass
