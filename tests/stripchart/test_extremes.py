"""The one property of columns: whatever is sent, each shows the minimum and the maximum of the records of its span."""

import itertools
import math
import random
import time
from pathlib import Path

import numpy as np
import pytest
from line import NUMBERED, make_spec, numbered, running
from live import wait_for

from speeddata.schema import Schema
from speeddata.stripchart import frames
from speeddata.stripchart.catalogue import ChannelInfo, Making
from speeddata.stripchart.channel import LiveChannel
from speeddata.stripchart.classes import width_ns
from speeddata.stripchart.receiver import Receiver

MS = 1_000_000
WIDTHS = sorted({width_ns(1000 / 2**n, 20 * MS) for n in range(20)})


def random_records(rng: random.Random, count: int) -> list[tuple[int, float]]:
    """Times that ascend, now close together, now far apart, and values of all kinds."""
    now = time.time_ns() - 4_000 * MS
    found = []
    pause = 1.0
    for _ in range(count):
        if rng.random() < 0.05:
            pause = 10 ** rng.uniform(-2, 1.3)
        now += int(rng.expovariate(1 / pause) * MS)
        spike = 1000 if rng.random() < 0.01 else 1
        found.append((now, math.nan if rng.random() < 0.02 else rng.gauss(0, spike)))
    return found


def received(channel: LiveChannel, receiver: Receiver, newest_ns: int) -> bool:
    """Take in what came; whether the newest record has."""
    packets = [packet for packet, _ in receiver.drain()]
    if packets:
        channel.ingest(packets, time.time_ns())
    return channel.ring.total > 0 and int(channel.ring.times(0).max()) >= newest_ns


@pytest.mark.parametrize("seed", range(3))
def test_each_column_of_each_class_has_the_extremes_of_the_records_of_its_span(
    tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)
    spec = make_spec(tmp_path)
    group = spec["multicast"]["decimated"]["address"], spec["multicast"]["decimated"]["port"]
    info = ChannelInfo("test", group, None, "1", None, Schema.parse(NUMBERED), making=Making(20 * MS, True))
    channel, receiver = LiveChannel(info, itertools.count(1)), Receiver(group, "127.0.0.1")
    sent = random_records(rng, 1500)
    with running(spec) as line:
        assert line.spec.decimation == type(line.spec.decimation)(), "as shipped"
        place = 0
        while place < len(sent):
            some = sent[place : place + rng.randint(1, 40)]
            line.send(b"".join(numbered(place + n, value, at) for n, (at, value) in enumerate(some)))
            place += len(some)
            received(channel, receiver, 2**63)
        wait_for(lambda: received(channel, receiver, sent[-1][0]))
        assert line.stats["records"] == len(sent)
    receiver.close()
    assert (channel.bad, receiver.drops) == (0, 0)
    signal = channel.by_path["value"]
    for width in WIDTHS:
        blocks = frames.parse(frames.frame(1, 0.0, channel.serving(signal, width).window(0, [signal]))).blocks
        axis, columns = blocks
        found = {
            round(start * MS / width): (low, high)
            for start, low, high in zip(axis.data.tolist(), *columns.data[1:3].tolist(), strict=True)
            if not math.isnan(low)
        }
        groups: dict[int, list[float]] = {}
        for at, value in sent:
            if not math.isnan(value):
                groups.setdefault(at // width, []).append(value)
        assert found == {number: (min(own), max(own)) for number, own in groups.items()}
    assert len(WIDTHS) > 8
    assert np.isfinite(channel.ring.values(signal.row or 0, 0)).any()
