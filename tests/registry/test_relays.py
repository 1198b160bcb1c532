"""What is asked of the launcher, and in which order."""

from typing import Any

import pytest

from speeddata.errors import RelayError
from speeddata.registry.relays import Relays

SPEC = {"name": "x", "port": 26000, "schema": {}, "versions": [], "decimation": 1}


def test_what_runs_is_told_by_name_or_why_not(launcher: Any) -> None:
    relays = Relays(launcher)
    relays.start(SPEC)
    running, trouble = relays.running(stats=True, sources=True)
    assert (list(running), trouble) == (["x"], "")
    assert {"stats", "sources"} <= running["x"].keys()
    launcher.away = True
    assert relays.running() == ({}, "no keeper in /data: No such file or directory")


def test_one_with_another_spec_is_replaced_or_else_started_anew(launcher: Any) -> None:
    relays = Relays(launcher)
    assert relays.start(SPEC) == 27000
    assert relays.start(SPEC | {"decimation": 2}) == 27000
    assert relays.start(SPEC | {"port": 26001}) == 27001
    assert launcher.specs["x"]["port"] == 26001


def test_a_fault_is_kept_until_it_starts(launcher: Any) -> None:
    relays = Relays(launcher)
    relays.note_fault("x", RelayError("port 26000 is in use"))
    assert relays.faults["x"].reason == "port 26000 is in use"
    relays.start(SPEC)
    assert relays.faults == {}


def test_going_over_leaves_alone_what_does_not_run(launcher: Any) -> None:
    relays = Relays(launcher)
    assert relays.go_over(SPEC | {"decimation": 2}, SPEC) is None
    assert launcher.specs == {}
    relays.start(SPEC)
    assert relays.go_over(SPEC | {"decimation": 2}, SPEC) == 27000
    assert launcher.specs["x"]["decimation"] == 2


def test_a_keeper_that_is_away_restarts_nothing(launcher: Any) -> None:
    launcher.away = True
    with pytest.raises(RelayError, match="no keeper"):
        Relays(launcher).restart(SPEC)


def test_stopping_tells_whether_there_was_one(launcher: Any) -> None:
    relays = Relays(launcher)
    assert relays.stop("x") is False
    relays.start(SPEC)
    assert relays.stop("x") is True
    assert launcher.specs == {}
