"""A machine of a test's own, as far as network and mounts go, in which doctor finds faults and its remedies are run."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from line import wait_until


def missing() -> str:
    """What there is not, of what a room takes; "" when nothing is missing."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    tools = [tool for tool in ("ip", "ethtool", "sysctl") if shutil.which(tool) is None]
    return f"no {' and no '.join(tools)} here" if tools else ""


needs_room = pytest.mark.skipif(bool(missing()), reason=missing())
# Answers a line of JSON for each that it is asked.
SERVER = """
import json, subprocess, sys
from pathlib import Path
from speeddata.relay import doctor
from speeddata.relay.doctor_check import Subject

for line in sys.stdin:
    asked = json.loads(line)
    if "run" in asked:
        done = subprocess.run(["sh", "-c", asked["run"]], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        answer = [done.returncode, done.stdout, done.stderr]
    else:
        answer = doctor.examine(Subject(archive=Path(asked.pop("archive", ".")), **asked))
    print(json.dumps(answer), flush=True)
"""
ENDS = ("sdcard", "sdcable")  # of a cable between the room's card and nothing in particular
ADDRESS = "10.79.0.1"


class Room:
    """Network and mounts that nobody else sees; with a card whose address is ADDRESS."""

    def __init__(self, name: str, process: "subprocess.Popen[str]") -> None:
        self.name = name
        self.process = process

    def ask(self, **asked: Any) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps(asked), file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def run(self, command: str) -> str:
        """Run a command of the shell, which must succeed."""
        status, said, wrong = self.ask(run=command)
        assert status == 0, f"{command}: {said}{wrong}"
        return str(said)

    def checks(self, name: str, **subject: Any) -> list[dict[str, Any]]:
        """What doctor's checks of a name say of a run with these settings."""
        return [one for one in self.ask(**subject)["checks"] if one["name"] == name]

    def check(self, name: str, **subject: Any) -> dict[str, Any]:
        """What its only check of a name says."""
        (found,) = self.checks(name, **subject)
        return found

    def is_mended(self, name: str, text: str, **subject: Any) -> dict[str, Any]:
        """See that a fault is found and told so, that its first remedy is run, and that the fault is gone then; gives the fault."""
        found = self.check(name, **subject)
        assert (found["state"], found["text"]) == ("mend", text)
        self.run(bare(found["mend"][0]["command"]))
        wait_until(
            lambda: self.check(name, **subject)["state"] == "well", f"{name} mended"
        )  # a carrier takes a moment
        return found

    def wait_for_carrier(self) -> None:
        """The kernel tells of one a moment after an end was put up."""
        wait_until(
            lambda: self.check("multicast_interface", interface=ADDRESS)["state"] == "well", "a carrier"
        )

    def cover(self, folder: str, **files: str) -> None:
        """Put a folder of files of our own over one of the kernel's."""
        lines = [f"printf '%s\\n' '{text}' > {folder}/{file}" for file, text in files.items()]
        self.run("\n".join(["set -e", f"mount -t tmpfs room {folder}", *lines]))


def bare(command: str) -> str:
    """A remedy for who is root already."""
    return command.replace("sudo ", "")


def settings_of(remedy: dict[str, str]) -> list[str]:
    """The options of a remedy that runs SpeedData with another setting."""
    words = remedy["command"].split()
    assert words[:2] == ["speeddata", "run"]
    return words[2:]


@contextlib.contextmanager
def room() -> Iterator[Room]:
    """A room, for as long as the context lasts."""
    name = f"speeddata-room-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True, capture_output=True)
    server = [sys.executable, "-P", "-c", SERVER]
    with contextlib.ExitStack() as undo:
        undo.callback(subprocess.run, ["ip", "netns", "del", name], check=True, capture_output=True)
        process = subprocess.Popen(
            ["ip", "netns", "exec", name, *server],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path.cwd(),
        )
        undo.enter_context(process)
        undo.callback(process.stdin.close if process.stdin else int)
        made = Room(name, process)
        card, cable = ENDS
        made.run(
            f"set -e; ip link set lo up; ip link add {card} type veth peer name {cable}; ip addr add {ADDRESS}/24 dev {card};"
            f"ip link set {cable} up; ip link set {card} up; ip route add 239.255.0.0/16 dev {card};"
            f"ethtool -K {card} gro on"
        )
        made.wait_for_carrier()
        yield made
