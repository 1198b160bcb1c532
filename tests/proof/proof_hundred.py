"""A hundred channels: registered over REST and active within seconds, small in memory, and asleep while nothing comes.

CHANNELS=n makes it another number.
"""

import json
import os
import re
import statistics
import time
from pathlib import Path

from line import NUMBERED, wait_until
from ports import free_port
from system import run

CHANNELS = int(os.environ.get("CHANNELS", "100"))
ACTIVE_S = 5.0  # on two cores, however many channels there are
IDLE_S = 10.0
PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)
SWITCHES = re.compile(r"^(?:non)?voluntary_ctxt_switches:\s+(\d+)", re.MULTILINE)


def proportional_mib(pid):
    """Proportional set size of a process."""
    return int(PSS.findall(Path(f"/proc/{pid}/smaps_rollup").read_text())[0]) / 1024


def wakes(pid):
    """How often the threads of a process have been put to sleep, so far."""
    return sum(
        sum(map(int, SWITCHES.findall((task / "status").read_text())))
        for task in Path(f"/proc/{pid}/task").iterdir()
    )


def test_a_hundred_channels(tmp_path):
    with run(tmp_path / "data", "--only=relay") as system:
        ports = set()
        while len(ports) < CHANNELS:
            ports.add(free_port())
        begin = time.perf_counter()
        for number, port in enumerate(sorted(ports)):
            system.register(f"channel{number}", port, NUMBERED)
        wait_until(lambda: all(c["state"] == "active" for c in system.get("/channels")["channels"]))
        took = time.perf_counter() - begin
        channels = system.get("/channels")["channels"]
        pids = [channel["pid"] for channel in channels]
        assert len(set(pids)) == CHANNELS
        wait_until(lambda: all(len(list(Path(f"/proc/{pid}/task").iterdir())) == 4 for pid in pids))
        memory = [proportional_mib(pid) for pid in pids]
        keeper = proportional_mib(system.get("/status")["keeper"]["pid"])
        before = list(map(wakes, pids))
        time.sleep(IDLE_S)  # what is measured is what happens in this time
        rates = [(after - then) / IDLE_S for after, then in zip(map(wakes, pids), before, strict=True)]
    figures = {
        "channels": CHANNELS,
        "seconds_until_active": round(took, 2),
        "pss_mib": {"median": round(statistics.median(memory), 2), "most": round(max(memory), 2)},
        "keeper_pss_mib": round(keeper, 2),
        "wakes_per_s": {"median": statistics.median(rates), "most": max(rates)},
    }
    print(json.dumps(figures))
    assert took <= ACTIVE_S
    assert max(memory) <= 12
    assert max(rates) <= 1
