"""Limits in a real relay: one bad sample in a million, kills, bad times; what the keeper tells of it."""

import os
import random
import signal
import time

import numpy as np
import pytest
from channels import plan_of
from limited import LIMITED, LIMITS, MS, START, Sending, of_keeper, of_line, record
from line import Line, encode, make_spec, running, wait_until

from speeddata.rows import encode as encode_rows

MILLION = 1_000_000
EVERY_TENTH = {"enabled": True, "algorithm": "downsample", "factor": 10, "rate_hz": None}


@pytest.mark.parametrize("decimation", [{}, {"decimation": EVERY_TENTH}], ids=["minmax", "downsample"])
def test_one_bad_sample_in_a_million_is_found_with_value_and_time(tmp_path, decimation):
    bad = random.randrange(MILLION)
    value = np.random.default_rng(bad).uniform(-4.9, 4.9, MILLION)
    value[bad] = -11.25
    number = np.arange(MILLION)
    plan, step = plan_of(LIMITED), 2000
    # As many blocks as are used in turn hold all of it: also a decimator that gets no processor skips nothing.
    with running(make_spec(tmp_path, LIMITED, block_bytes=1 << 20, **decimation)) as line:
        for at in range(0, MILLION, step):
            rows = slice(at, at + step)
            columns = {"time": START + number[rows] * MS, "n": number[rows], "value": value[rows]}
            line.send(encode_rows(plan, columns))
            if at % (10 * step) == 0:
                line.wait(records=at + step)
        line.wait(archived=MILLION)
        alarm = wait_until(lambda: of_line(line, "low"), f"the alarm of record {bad}")
        wait_until(lambda: of_line(line, "low")["level"] == 0 or bad == MILLION - 1, "its return")
        line.stop()
        assert line.mapping.skipped == 0
        alarm = of_line(line, "low")
        assert of_line(line, "high") is None
    expected = {"time": START + bad * MS, "value": -11.25, "limit": -10, "kind": 5}
    assert alarm["worst"] == alarm["last"] == expected, bad
    assert (alarm["rises"], alarm["records"], alarm["highest"]) == (1, [1, 1], 2)
    assert (alarm["limits"], alarm["unit"]) == (LIMITS | {}, "V")


def test_two_limits_crossed_in_one_packet(tmp_path):
    with running(make_spec(tmp_path, LIMITED)) as line:
        line.send(b"".join(record(n, value) for n, value in enumerate([0.0, 6.0, -20.0, 30.0, 0.0])))
        high = wait_until(lambda: (one := of_line(line)) and one["level"] == 0 and one["rises"] == 2 and one)
        low = of_line(line, "low")
    assert (high["worst"]["value"], high["records"], high["since"]) == (
        30.0,
        [2, 1],
        [START + MS, START + 3 * MS],
    )
    assert (low["worst"]["value"], low["worst"]["time"], low["records"]) == (-20.0, START + 2 * MS, [1, 1])


def test_a_time_that_cannot_be_right_is_that_of_the_check(tmp_path):
    schema = LIMITED | {"fields": [{"name": "time", "type": "double"}, *LIMITED["fields"][1:]]}
    with running(make_spec(tmp_path, schema)) as line:
        line.send(encode(schema, time=START / 1e9, n=0, value=0.0))
        before = time.time_ns()
        line.send(encode(schema, time=float("nan"), n=1, value=99.0))
        alarm = wait_until(lambda: of_line(line), "the alarm")
        assert before <= alarm["worst"]["time"] <= time.time_ns()
        assert line.stats["bad_time"] == 1


def test_a_unit_that_the_first_record_tells_is_that_of_alarms(tmp_path):
    schema = LIMITED | {"fields": [{"name": "time", "type": "long"}, *LIMITED["fields"][1:]]}
    with running(make_spec(tmp_path, schema)) as line:
        line.send(encode(schema, time=START // MS, n=0, value=99.0))
        assert wait_until(lambda: of_line(line), "the alarm")["worst"]["time"] == START


def test_what_a_late_decimator_skips_is_said(tmp_path):
    line = Line(make_spec(tmp_path, LIMITED, block_bytes=65536, ring_bytes=4 << 20)).start(
        "receiver", "writer"
    )
    try:
        packet = b"".join(record(n, 99.0) for n in range(2000))
        for count in range(1, 101):
            line.send(packet)
            line.wait(packets=count)
        assert (line.mapping.skipped, of_line(line)) == (0, None)
        decimator = line.relay._decimator()
        line.relay.bells["decimator"].stop()
        decimator.run()
        alarm = of_line(line)
        assert line.mapping.skipped == line.stats["decimate_skipped_blocks"] > 0
        assert 0 < alarm["records"][0] < 100 * 2000
    finally:
        line.close()


# ---- relays that are killed, and the keeper


def kill(keeper):
    """Kill the relay, and wait for the next."""
    pid = wait_until(lambda: keeper.list()[0]["pid"])
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: keeper.list()[0]["pid"] not in (None, pid), "the next relay")


def test_an_active_alarm_survives_the_relay_that_is_killed(keeper, spec):
    keeper.start(spec | {"schema": LIMITED})
    with Sending(spec["port"]) as source:
        source.send(0.0, 12.0, 50.0, 13.0)
        before = wait_until(lambda: (one := of_keeper(keeper)) and one["records"][0] == 3 and one)
        kill(keeper)
        assert of_keeper(keeper) == before
        assert (before["level"], before["worst"]["value"]) == (2, 50.0)
        source.send(0.0)
        after = wait_until(lambda: (one := of_keeper(keeper))["level"] == 0 and one, "its return")
    assert (after["rises"], after["records"], after["worst"]) == (1, [3, 3], before["worst"])


def test_kills_lose_no_alarm(keeper, spec):
    """Each kill falls among bad samples. None of them is missed; at most one is counted twice by each kill."""
    seeded = random.Random(5)
    keeper.start(spec | {"schema": LIMITED})
    kills, rises = 10, 200
    with Sending(spec["port"]) as source:
        for _ in range(kills):
            for n in range(rises):
                source.send(0.0, 11.0 + source.sent / MILLION, 0.0)
                if n == rises // 2:
                    time.sleep(seeded.uniform(0, 0.01))  # when to strike, not what to wait for
                    os.kill(wait_until(lambda: keeper.list()[0]["pid"]), signal.SIGKILL)
        sent = source.sent
        wait_until(lambda: keeper.list()[0]["pid"] and keeper.stats("test")["records"] == sent, "all records")
        wait_until(lambda: of_keeper(keeper)["last"]["time"] == START + (sent - 2) * MS, "the last alarm")
        alarm = of_keeper(keeper)
    assert kills * rises <= alarm["rises"] == alarm["records"][1] <= kills * rises + kills
    assert alarm["worst"]["value"] == 11.0 + (sent - 3) / MILLION
    assert keeper.stats("test")["decimate_skipped_blocks"] == 0


def test_the_keeper_tells_and_notes_what_is_acknowledged(keeper, spec):
    keeper.start(spec | {"schema": LIMITED})
    with Sending(spec["port"]) as source:
        source.send(12.0, 0.0, 6.0)
        one = wait_until(lambda: (one := of_keeper(keeper)) and one["rises"] == 2 and one)
        assert (one["seen"], one["highest"], one["worst"]["value"]) == (0, 2, 12.0)
        keeper.acknowledge("test", [("value", "high", one["epoch"], 2)])
        assert of_keeper(keeper)["seen"] == 2
        source.send(0.0, 7.0)
        one = wait_until(lambda: (one := of_keeper(keeper))["rises"] == 3 and one)
        assert (one["highest"], one["worst"]["value"], one["records"]) == (1, 7.0, [1, 0])
    (channel,) = keeper.list("test", alarms=True)
    about = channel["alarms"]
    assert (about["limited"], about["ignored"], about["skipped_blocks"]) == (1, [], 0)
    assert "alarms" not in keeper.list("test")[0]


def test_the_next_keeper_goes_on_with_alarms(keeper, spec):
    keeper.start(spec | {"schema": LIMITED})
    with Sending(spec["port"]) as source:
        source.send(12.0)
        before = wait_until(lambda: of_keeper(keeper))
        os.kill(keeper.ping()["pid"], signal.SIGKILL)
        source.send(13.0)
        keeper.start_keeper()
        after = wait_until(lambda: (one := of_keeper(keeper)) and one["records"][0] == 2 and one)
    assert (after["epoch"], after["rises"], after["worst"]["value"]) == (before["epoch"], 1, 13.0)


def test_a_channel_whose_limits_cannot_be_used_records_and_says_so(keeper, spec):
    schema = {
        **LIMITED,
        "fields": [*LIMITED["fields"][:2], LIMITED["fields"][2] | {"speeddata": {"limits": 5}}],
    }
    keeper.start(spec | {"schema": schema})
    with Sending(spec["port"]) as source:
        source.send(12.0)
        wait_until(lambda: keeper.stats("test")["archived"] == 1)
    (channel,) = keeper.list("test", alarms=True)
    assert channel["alarms"]["raised"] == []
    assert channel["alarms"]["ignored"][0].startswith("field 'value': limits must be an object, not 5")
