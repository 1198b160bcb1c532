import pytest

from speeddata.channel_text import channel_lines, limits_text, mapping_lines, time_text

NOW = 1_700_000_000_000_000_000  # 2023-11-14T22:13:20Z
MINUTE = 60 * 10**9


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2023-11-14T22:13:17.342797131Z", "2023-11-14T22:13:17.342Z, 2.7 s ago"),
        ("2023-11-14 22:10:20", "2023-11-14T22:10:20Z, 3 min ago"),
        ("2023-11-14T23:13:20Z", "2023-11-14T23:13:20Z, in 1 h"),
        ("2023-11-44T23:13:20Z", "2023-11-44T23:13:20Z"),
        ("engine_20231114T221320.406877Z.avro", "engine_20231114T221320.406877Z.avro"),
    ],
)
def test_times_have_a_zone_and_an_age(text, words):
    assert time_text(text, NOW) == words


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"warn": (0, 3000), "alarm": (None, 5000.5)}, "warn 0 to 3000, alarm up to 5000.5"),
        ({"warn": (None, None), "alarm": (-1e9, None)}, "alarm from -1000000000.0"),
        (None, ""),
    ],
)
def test_limits_are_words(limits, words):
    assert limits_text(limits) == words


def test_counters_are_for_a_reader():
    told = {
        "heartbeat": NOW - MINUTE,
        "records": 70000,
        "pid": 70000,
        "rejected": {"short": 4, "empty": 0},
        "sequence": {"gaps": 0},
        "source": {"address": "127.0.0.1", "port": 42354},
        "segments_in_use": ["a.avro", "b\x1b.avro"],
        "gro": False,
        "disk_error": None,
        "ring": {"blocks": 256, "queued": 0},
    }
    lines = [line.split(maxsplit=1) for line in mapping_lines("  ", told, NOW)]
    assert dict(lines) == {
        "heartbeat": "2023-11-14T22:12:20Z, 1 min ago",
        "records": "70,000",
        "pid": "70000",
        "rejected": "short 4",
        "sequence": "none",
        "source": "127.0.0.1:42354",
        "segments_in_use": r"a.avro, b\x1b.avro",
        "gro": "no",
        "disk_error": "-",
        "ring": "blocks 256, queued 0",
    }


def test_a_channel_begins_with_its_state_and_says_it_once():
    channel = {
        "created_at": "2023-11-14 22:10:20",
        "name": "a",
        "state": "idle",
        "status": "active",
        "stats": {},
    }
    assert list(channel_lines(channel, NOW)) == [
        "name        a",
        "state       idle",
        "created_at  2023-11-14T22:10:20Z, 3 min ago",
    ]
