"""A system whose processes are killed one after the other, while channels are sent to and records come by HTTP."""

import os
import random
import signal
import threading
import time
from collections import Counter
from pathlib import Path

import requests
from line import NUMBERED, read_records, wait_until
from ports import free_port
from processes import open_files
from sender import Sender
from system import System, alive, speeddata

CHANNELS = 3
BACK_S = 60.0  # for everything to run again after a kill


class Posts(threading.Thread):
    """Batches by HTTP to a channel, each sent until it is acknowledged, under a key."""

    def __init__(self, system):
        super().__init__()
        self.system = system
        self.acknowledged = 0
        self.ended = threading.Event()

    def run(self):
        while not self.ended.is_set():
            n = self.acknowledged
            rows = [{"time": time.time_ns(), "n": n * 10 + k, "value": 0.5} for k in range(10)]
            while not self._post(n, rows) and not self.ended.wait(0.1):
                pass
            self.ended.wait(0.05)

    def _post(self, n, rows):
        url = f"http://127.0.0.1:{self.system.pivot_port}/api/v1/ingest"
        try:
            answer = requests.post(
                url,
                json={"channel": "posted", "rows": rows},
                headers={"Idempotency-Key": f"batch {n}"},
                timeout=10,
            )
        except requests.RequestException:
            return False
        if answer.status_code == 200:
            self.acknowledged += 1
        return answer.status_code == 200

    def finish(self):
        self.ended.set()
        self.join()


class Fates:
    """The system, its senders, and who is killed next."""

    def __init__(self, folder, seed):
        self.chance = random.Random(seed)
        self.system = System(folder / "data").start()
        self.killed = Counter()
        self.senders = {}
        for number in range(CHANNELS):
            name, port = f"c{number}", free_port()
            self.system.register(name, port, NUMBERED)
            self.senders[name] = Sender(port, pause=0.01)
        body = {"name": "posted", "port": None, "schema": NUMBERED}
        assert self.system.ask("POST", "/api/v1/channels", body)[0] == 201
        self.system.processes()
        self.posts = Posts(self.system)

    def pids(self):
        """All processes, by what they are; None while one does not run."""
        status = self.system.get("/status")
        found = {"orchestrator": status["pid"], "keeper": status["keeper"]["pid"]}
        found |= {one["name"]: one["pid"] for one in status["services"]}
        channels = self.system.get("/channels")["channels"]
        return found | {f"relay {one['name']}": one["pid"] for one in channels if one["port"]}

    def all_run(self):
        """The processes, if all run; None otherwise."""
        try:
            found = self.pids()
        except (OSError, AssertionError, KeyError):
            return None
        return found if all(pid and alive(pid) for pid in found.values()) else None

    def kill_one(self):
        """Kill a process, have it come back, and see every channel go on."""
        pids = wait_until(self.all_run, "everything", BACK_S)
        name = self.chance.choice(sorted(pids))
        os.kill(pids[name], signal.SIGKILL)
        self.killed[name.partition(" ")[0]] += 1
        if name == "orchestrator":
            assert self.system.process is not None
            self.system.process.wait()
            self.system.start()
        after = wait_until(
            lambda: (found := self.all_run()) and found[name] != pids[name] and found,
            f"another {name}",
            BACK_S,
        )
        untouched = [one for one in pids if one.startswith("relay") and one != name]
        assert {one: after[one] for one in untouched} == {one: pids[one] for one in untouched}, (
            "no other relay was touched"
        )

    def archived(self):
        return {
            one["name"]: one["stats"]["archived"]
            for one in self.system.get("/channels")["channels"]
            if one["port"]
        }


def run(folder: Path, kills: int, seed: int) -> dict:
    """Kill so many processes; the figures. Fails where anything is lost, doubled or left over."""
    fates = Fates(folder, seed)
    try:
        told, sent = _kill(fates, kills)
        everybody = list(wait_until(fates.all_run, "everything", BACK_S).values())
    finally:
        stopped = speeddata("stop", f"--data={fates.system.data}", limit_s=60)
        assert fates.system.process is not None
        fates.system.process.wait(20)
    assert stopped.returncode == 0
    assert not [pid for pid in everybody if alive(pid)], "no orphan"
    assert left_over(fates.system.data) == []
    return told | {"sent": sent, "posted": _compare_archive(fates, sent)}


def _kill(fates, kills):
    """Kill and compare the books with what was sent: who was killed, descriptors before and after, what was sent."""
    for sender in (*fates.senders.values(), fates.posts):
        sender.start()
    before = None
    try:
        for number in range(kills):
            if number == min(10, kills // 2):
                keeper = wait_until(fates.all_run, "everything", BACK_S)["orchestrator"]
                before = len(open_files(keeper))
            fates.kill_one()
        after = len(open_files(wait_until(fates.all_run, "everything", BACK_S)["orchestrator"]))
    finally:
        sent = {name: sender.finish() for name, sender in fates.senders.items()}
        fates.posts.finish()
    wait_until(lambda: fates.archived() == sent, f"the last blocks of {sent}", BACK_S)
    for one in fates.system.get("/channels")["channels"]:
        if one["port"]:
            stats = one["stats"]
            assert (
                stats["packets"] + sum(stats["rejected"].values()) + stats["kernel_drops"]
                == sent[one["name"]]
            )
            assert (
                stats["archived"] + stats["ring_full"] + sum(stats["not_archived"].values())
                == stats["records"]
            )
            assert stats["sequence"] == {"gaps": 0, "duplicates": 0, "reordered": 0}
    assert before is None or after <= before + 8, f"descriptors of the orchestrator: {before}, then {after}"
    return {"kills": dict(fates.killed), "descriptors": [before, after]}, sent


def _compare_archive(fates, sent):
    """Whether the archive holds all that was sent and acknowledged, once; how many records came by HTTP."""
    for name, count in sent.items():
        numbers = [record["n"] for record in read_records(fates.system.data / "archive" / name, name)]
        assert numbers == list(range(count)), name
    posted = Counter(
        record["n"] for record in read_records(fates.system.data / "archive" / "posted", "posted")
    )
    wanted = 10 * fates.posts.acknowledged
    assert all(posted[n] == 1 for n in range(wanted)), "each batch that was acknowledged, once"
    assert max(posted.values(), default=1) == 1
    return wanted


def left_over(data: Path) -> list[str]:
    """Processes that name a data folder in their command line or environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            told = (path / "cmdline").read_bytes() + (path / "environ").read_bytes()
        except OSError:
            continue
        if str(data).encode() in told and int(path.name) != os.getpid():
            found.append(told[:200].decode(errors="replace"))
    return found
