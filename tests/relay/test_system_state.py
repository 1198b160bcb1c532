"""What the system page is told: composed of what others tell, at most once a second."""

import os
import threading
from typing import Any

from speeddata.relay import doctor
from speeddata.relay.doctor_check import Subject
from speeddata.relay.system_state import SystemState

STATS = {
    "receive_buffer": {"wanted": 1000, "granted": 500, "used": 5},
    "kernel_drops": 3,
    "gro": False,
}
RELAY = {"name": "x", "pid": os.getpid(), "state": "active", "reason": "", "restarts": 1, "since": 10**18}


def make(tmp_path: Any, **changes: Any) -> SystemState:
    status = {
        "version": "1",
        "data": str(tmp_path),
        "archive": {"folder": str(tmp_path / "archive"), "free_bytes": 7},
        "started": "2026-01-01T00:00:00Z",
        "pid": os.getpid(),
        "keeper": {"pid": None, "state": "backoff", "reason": "gone", "since": None, "restarts": 1},
        "services": [
            {"name": "pivot", "pid": os.getpid(), "state": "active", "reason": "", "since": "", "restarts": 0}
        ],
    }
    parts = {
        "status": lambda: status,
        "sealing": lambda: {"pid": os.getpid(), "since": "2026-01-01T00:00:01Z"},
        "relays": lambda: ({"x": RELAY | {"stats": STATS}}, ""),
    }
    return SystemState(**parts | changes)


def test_every_process_is_told_with_what_it_uses(tmp_path: Any) -> None:
    told = make(tmp_path).to_json()
    processes = {one["name"]: one for one in told["processes"]}
    assert {name: one["kind"] for name, one in processes.items()} == {
        "orchestrator": "orchestrator", "keeper": "keeper", "pivot": "service", "sealing": "service", "x": "relay",
    }  # fmt: skip
    assert processes["x"]["memory"]["resident"] > 0
    assert (processes["x"]["restarts"], processes["x"]["since"]) == (1, "2001-09-09T01:46:40Z")
    assert processes["keeper"]["memory"] is processes["keeper"]["cpu_percent"] is None


def test_what_every_process_has_used_is_told_by_itself(tmp_path: Any) -> None:
    state = make(tmp_path)
    told = state.usage(state.status(), {"x": os.getpid(), "dead": None, "gone": 2**22 + 1})
    assert [(one["kind"], one["name"]) for one in told] == [
        ("orchestrator", "orchestrator"), ("service", "pivot"), ("service", "sealing"), ("relay", "x"),
    ]  # fmt: skip
    assert all(one["cpu_s"] > 0 and one["memory"]["resident"] > 0 for one in told)
    shown = {(one["kind"], one["name"]) for one in state.to_json()["processes"] if one["cpu_s"] is not None}
    assert shown == {(one["kind"], one["name"]) for one in told}


def test_buffers_disks_and_machine(tmp_path: Any) -> None:
    told = make(tmp_path).to_json()
    assert told["kernel"]["buffers"] == [
        {"channel": "x", "wanted": 1000, "granted": 500, "used": 5, "drops": 3, "gro": False}
    ]
    (disk,) = told["disks"]
    assert (disk["holds"], disk["folder"]) == (["archive", "data"], str(tmp_path))
    assert 0 < disk["free"] < disk["size"]
    assert told["kernel"]["udp"].keys() == {"received", "no_port", "buffer_errors"}
    assert (told["archive"]["free_bytes"], told["trouble"]) == (7, None)


def test_a_keeper_that_is_away_is_said(tmp_path: Any) -> None:
    told = make(tmp_path, relays=lambda: ({}, "no keeper"), sealing=lambda: None).to_json()
    assert told["trouble"] == "no keeper"
    assert [one["name"] for one in told["processes"]] == ["orchestrator", "keeper", "pivot"]


def test_it_is_looked_at_once_a_second_whoever_asks(tmp_path: Any) -> None:
    asked, now = [], 100.0
    state = make(tmp_path, sealing=lambda: asked.append(1), clock=lambda: now)
    threads = [threading.Thread(target=state.to_json) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(asked) == 1
    now += 1
    state.to_json()
    assert len(asked) == 2


def test_the_doctor_is_asked_when_somebody_asks(tmp_path: Any) -> None:
    found = make(tmp_path).examine()
    assert found["findings"] == doctor.findings(found)
    assert found["packets"]
    assert "rate" not in found, "the simulations would take too long, and the processor"


def test_the_doctor_examines_what_runs(tmp_path: Any) -> None:
    subject = Subject(tmp_path, interface="203.0.113.9", receive_buffer=1 << 20)
    found = make(tmp_path, subject=subject).examine()
    assert "multicast_interface" in {one["name"] for one in found["findings"]}
    assert found["receive_buffer"]["wanted"] == 1 << 20
