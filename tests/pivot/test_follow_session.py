import pytest
import segments as made
from follow_segments import STEP_NS, GrowingChannel, counters

from speeddata.archive import Archive
from speeddata.pivot.follow_request import FollowRequest, read_request
from speeddata.pivot.follow_session import Session
from speeddata.pivot.problem import Problem
from speeddata.pivot.request import Limits


def session(*channels, signals=(), start=None, resume=None):
    archives = {channel.folder.name: Archive(channel.folder) for channel in channels}
    if resume is not None:
        return Session(read_request({"resume": resume}, Limits(), 0), archives)
    start_ns = None if start is None else made.START + start * STEP_NS
    return Session(FollowRequest(tuple(archives), signals, start_ns, None, 1.0), archives)


def said(steps):
    """What there is to say until there is nothing more."""
    found = []
    while (message := next(steps)) is not None:
        found.append(message)
    return found


def numbers(messages):
    return counters([message.data for message in messages if message.data is not None])


def test_history_then_what_comes(tmp_path):
    channel = GrowingChannel(tmp_path)
    channel.add(5, 1, 3)
    steps = session(channel, start=2).messages()
    first = next(steps)
    assert (numbers([first]), first.live) == ([2, 0], False)
    channel.add(9, 0, 4)
    rest = said(steps)
    assert numbers(rest) == [3, 5]  # the one before the start is left out
    assert rest[0].live
    assert rest[0].data is None
    channel.add(2)
    assert numbers(said(steps)) == [6]


def test_live_alone_takes_all_that_comes(tmp_path):
    channel = GrowingChannel(tmp_path)
    channel.add(5)
    steps = session(channel).messages()
    assert numbers(said(steps)) == []
    channel.add(1)
    (message,) = said(steps)
    assert numbers([message]) == [1]
    assert message.data.name == "engine"
    assert message.data.voltage.unit == "V"


def test_histories_of_several_channels_are_merged(tmp_path):
    a, b = GrowingChannel(tmp_path, "a"), GrowingChannel(tmp_path, "b")
    a.add(5)
    b.add(1)
    steps = session(a, b, start=0).messages()
    assert [message.data.name for message in said(steps) if message.data] == ["b", "a"]


@pytest.mark.parametrize("count", range(8))
def test_resumed_after_any_message(tmp_path, count):
    channel = GrowingChannel(tmp_path)
    for wider in (False, True, False):
        channel.begin(wider=wider)
        channel.add(3, 1, 2)
        channel.add(2, 4)
    steps = session(channel, start=2).messages()
    expected = sorted([(t, n) for n, t in enumerate([3, 1, 2, 2, 4] * 3) if t >= 2])
    found = [next(steps) for _ in range(count)]
    found = [message for message in found if message is not None]
    channel.add(7)
    token = found[-1].resume if found else None
    again = session(channel, resume=token) if token else session(channel, start=2)
    found += said(again.messages())
    again.close()
    everything = [number for _, number in expected] + [15]
    assert numbers(found) == (everything if count else [n for _, n in expected] + [15])


def test_signals(tmp_path):
    channel, empty = GrowingChannel(tmp_path), GrowingChannel(tmp_path, "later")
    empty.folder.mkdir()
    channel.add(0)
    steps = session(channel, start=0, signals=("voltage",)).messages()
    assert list(next(steps).data.signal) == ["voltage"]
    with pytest.raises(Problem, match="Signal not found"):
        session(channel, signals=("nosuch",))
    steps = session(channel, empty, signals=("voltage", "later.counter")).messages()
    said(steps)
    empty.add(0)
    assert [list(message.data.signal) for message in said(steps)] == [["counter", "voltage"]]


def test_what_was_left_out_is_told(tmp_path):
    channel = GrowingChannel(tmp_path)
    channel.add(0)
    data = bytearray(channel.path.read_bytes())
    data[-20] ^= 1
    channel.path.write_bytes(data)
    steps = session(channel, start=0).messages()
    notices = [notice for message in said(steps) for notice in message.notices]
    assert [(notice["channel"], notice["damage"]["records"]) for notice in notices] == [("engine", 1)]
