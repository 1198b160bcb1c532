import json
import threading

import history
import pytest
import requests
import segments as made
from follow_segments import GrowingChannel
from line import wait_until

FOLLOW = "/api/v1/follow"
LIMIT_S = 30


@pytest.fixture
def channel(tmp_path):
    return GrowingChannel(tmp_path / "archive")


@pytest.fixture
def service(channel):
    channel.add(0, 1)
    with history.running(channel.folder.parent) as service:
        yield service


def lines(service, **params):
    """The answer's objects as they come."""
    with requests.get(f"{service.address}{FOLLOW}", params=params, stream=True, timeout=LIMIT_S) as answer:
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/x-ndjson"
        for line in answer.iter_lines():
            yield json.loads(line)


def until(found, number):
    """The numbers of records up to one."""
    out = []
    for line in found:
        out += line.get("columns", {}).get("counter", [])
        if out and out[-1] == number:
            return out, line["resume"]
    raise AssertionError("the stream has ended")


def test_history_then_what_comes_then_from_there(service, channel):
    stream = lines(service, channels="engine", start="2023-11-14")
    assert until(stream, 1)[0] == [0, 1]
    channel.add(5)
    found, token = until(stream, 2)
    stream.close()
    channel.add(6)
    assert found == [2]
    stream = lines(service, resume=token)
    assert until(stream, 3)[0] == [3]
    stream.close()


def test_heartbeats_tell_where_it_is(service, channel):
    stream = lines(service, channels="engine", heartbeat="0.1")
    beats = [next(stream) for _ in range(3)]
    stream.close()
    assert all(beat["live"] and "columns" not in beat for beat in beats)
    channel.add(7)
    assert until(lines(service, resume=beats[-1]["resume"]), 2)[0] == [2]


@pytest.mark.parametrize(
    ("params", "status"),
    [({}, 400), ({"channels": "nosuch"}, 404), ({"channels": "engine", "signals": "nosuch"}, 404),
     ({"channels": "engine", "start": "x"}, 400), ({"resume": "x"}, 400), ({"channels": ",".join("abcdefghijklmnopqrstu")}, 413)],
)  # fmt: skip
def test_what_is_refused(service, params, status):
    answer = requests.get(f"{service.address}{FOLLOW}", params=params, timeout=LIMIT_S)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_stopping_ends_the_streams(channel):
    channel.add(0)
    ended = threading.Event()

    def follow(service, begun):
        for _ in lines(service, channels="engine", heartbeat="0.1"):
            begun.set()
        ended.set()

    with history.running(channel.folder.parent) as service:
        begun = threading.Event()
        thread = threading.Thread(target=follow, args=(service, begun))
        thread.start()
        assert begun.wait(LIMIT_S)
    assert ended.wait(LIMIT_S)
    thread.join()


def test_too_many_are_refused_and_those_that_left_are_not_counted(service):
    url = f"{service.address}{FOLLOW}?channels=engine&heartbeat=0.1"
    with requests.Session() as session:
        answers = [session.get(url, stream=True, timeout=LIMIT_S) for _ in range(65)]
        assert [answer.status_code for answer in answers].count(429) == 1
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert refused.headers["retry-after"] == "5"
        for answer in answers:
            answer.close()

        def admitted():
            with session.get(url, stream=True, timeout=LIMIT_S) as answer:
                return answer.status_code == 200

        wait_until(admitted, "a place")


def test_a_channel_of_the_registry_without_records(channel):
    channel.folder.mkdir(parents=True)
    with history.registry(["idle"]) as url, history.running(channel.folder.parent, registry=url) as service:
        stream = lines(service, channels="idle", start="2023-11-14", heartbeat="0.1")
        next(stream)
        idle = GrowingChannel(channel.folder.parent, "idle")
        idle.add(0)
        assert until(stream, 0)[0] == [0]
        stream.close()
    assert made.START
