"""`speeddata doctor` as a command: what it finds of this machine, its exit status, and that its own remedies make all well."""

import json
import subprocess
from pathlib import Path
from typing import Any

import psutil
import pytest
from line import wait_until
from room import ADDRESS, ENDS, bare, needs_room, room
from system import SPEEDDATA, speeddata

from speeddata.relay import doctor
from speeddata.relay.doctor_check import Subject, well

RMEM_MAX = Path("/proc/sys/net/core/rmem_max")
CPUS = "/sys/devices/system/cpu"
DOCS = Path(__file__).parents[2] / "docs/doctor.md"


def test_this_machine_is_examined_and_a_small_rmem_max_is_found() -> None:
    done = speeddata("doctor", "--quick", "--json")
    found = json.loads(done.stdout)
    small = int(RMEM_MAX.read_text()) < 64 << 20
    by_name = {one["name"]: one for one in found["findings"]}
    assert ("receive_buffer" in by_name) is small
    if small:
        commands = [one["command"] for one in by_name["receive_buffer"]["mend"]]
        assert commands[0] == "sudo sysctl -w net.core.rmem_max=67108864"
    assert done.returncode == bool(found["findings"])
    assert {one["state"] for one in found["checks"]} <= {"well", "mend", "unknown"}
    assert all(one["mend"] for one in found["findings"]), "each finding has a command"
    assert [one["bytes"] for one in found["packets"]] == [64, 200, 1400, 8000]
    assert "rate" not in found


def test_the_simulations_tell_the_rate(tmp_path: Path) -> None:
    subject = Subject(tmp_path)
    found = doctor.examine(subject)
    doctor.simulate(subject, found, 0.05, (200,), shown=False)
    (rate,), (tried,) = found["rate"], found["capture"]["rates"]
    parts = {part: rate[part] for part in ("capture", "storage", "replacement")}
    assert rate["bytes"] == 200
    assert rate["records_per_s"] == min(parts.values()) == parts[rate["limited_by"]]
    assert rate["capture"] == (tried["lossless"] or 0)
    assert found["storage"]["folder"] == str(tmp_path)
    names = {one["name"] for one in found["checks"]}
    assert names >= {"capture", "disk_speed", "ring"}
    assert [name for name in names if f"| `{name}` |" not in DOCS.read_text()] == []
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_tried_is_said(tmp_path: Path) -> None:
    subject = Subject(tmp_path / "none")
    found = doctor.examine(subject)
    doctor.simulate(subject, found, 0.05, (), shown=False)
    (disk,) = [one for one in found["checks"] if one["name"] == "disk_speed"]
    assert disk["state"] == "unknown"
    assert disk["text"].startswith(f"disk speed: cannot be tried in {tmp_path}/none: ")
    assert "rate" not in found
    del found["packets"]  # as where the loopback interface is down
    doctor.simulate(subject, found, 0.05, (200,), shown=False)
    assert found["checks"][-1]["text"] == "capture: cannot be tried: packets to 127.0.0.1 do not arrive"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--interface", "eth0"], "--interface: multicast.interface is 'eth0', wanted an IPv4 address"),
        (["--ttl", "999"], "--ttl: multicast.ttl is 999, wanted an integer from 0 to 255"),
        (["--data", "/not/there"], "--data /not/there: wanted a folder that exists"),
        (["--set", "relay.rong=1", "--data", "/not/there"], "unknown key rong"),
        (["--seconds", "0"], "Invalid value for '--seconds'"),
    ],
)
def test_wrong_usage_is_told_apart_and_said(
    options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        doctor.main(options)
    assert ended.value.code == 2
    assert words in capsys.readouterr().err


def test_each_folder_is_examined_by_default_in_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    given: dict[str, str | None] = {}

    def folder(*sets: str, data: Path | None = None) -> Path:
        return doctor._subject(None, data, given, sets).archive

    assert folder() == tmp_path
    (tmp_path / "data").mkdir()
    assert folder() == tmp_path / "data"
    (tmp_path / "data/archive").mkdir()
    assert folder() == tmp_path / "data/archive"
    assert folder(f"global.storage.avro_path={tmp_path}/elsewhere/archive") == tmp_path
    assert folder(data=Path("data")) == Path("data")


def test_a_check_that_fails_does_not_keep_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: Subject) -> Any:
        raise OSError("no such thing")

    monkeypatch.setattr(
        doctor, "CHECKS", (("some_thing", fails), ("other", lambda _: iter([well("other", "is well")])))
    )
    first, second = doctor.examine()["checks"]
    assert (first["state"], first["text"]) == ("unknown", "some thing: cannot be examined: no such thing")
    assert second["state"] == "well"


@pytest.mark.netns
@needs_room
def test_its_own_commands_make_all_well_and_it_says_so() -> None:
    """A machine with a fault of nearly each kind: what is whole machine's is a tree of files in the place of the kernel's."""
    with room() as place:
        place.cover(
            "/proc/sys/net/core",
            rmem_max="212992",
            rmem_default="212992",
            wmem_max="212992",
            netdev_max_backlog="300",
        )
        place.cover("/proc/sys/net/ipv4", udp_mem="100 200 300", igmp_max_memberships="5")
        place.cover(CPUS)
        place.run(f"mkdir -p {CPUS}/cpu0/cpufreq; echo ondemand > {CPUS}/cpu0/cpufreq/scaling_governor")
        place.run(
            "mount -t tmpfs room /run; mkdir -p /run/systemd/timesync; touch /run/systemd/timesync/synchronized"
        )
        card = ENDS[0]
        place.run(f"ethtool -K {card} gro off; ip link set {card} multicast off; ip link set {card} down")
        seen: set[str] = set()

        def mend_all() -> bool:
            findings = doctor.findings(place.ask(interface=ADDRESS, ttl=1))
            for finding in findings:
                seen.add(finding["name"])
                place.run(bare(finding["mend"][0]["command"]))
            return not findings

        wait_until(mend_all, "nothing to mend")
        # The command says the same, and its exit status is 0: it would not have been run by `run` otherwise.
        command = [*SPEEDDATA, "doctor", "--quick", "--interface", ADDRESS, "--ttl", "1"]
        assert place.run(" ".join(command)).startswith("Nothing is to be mended.")
        wanted = {"receive_buffer", "default_buffer", "send_buffer", "backlog", "udp_memory", "memberships"}
        assert seen >= wanted | {"multicast_interface", "multicast_route", "offloads", "cpu_governor"}


def test_nothing_stays_when_it_is_ended(tmp_path: Path) -> None:
    command = [*SPEEDDATA, "doctor", "--seconds", "0.05", "--data", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        (relay,) = wait_until(lambda: psutil.Process(process.pid).children(), "a relay")
        spec = wait_until(
            lambda: next((Path(word) for word in relay.cmdline() if word.endswith(".json")), None), "its spec"
        )
        assert spec.exists()
    finally:
        process.terminate()
        status = process.wait(30)
    assert (status, relay.is_running(), spec.parent.exists()) == (1, False, False)


def test_a_reader_is_shown_how_far_the_simulations_are(tmp_path: Path) -> None:
    """On a terminal, which `script` makes."""
    command = " ".join([*SPEEDDATA, "doctor", "--seconds", "0.05", "--data", str(tmp_path)])
    done = subprocess.run(
        ["script", "-qec", command, "/dev/null"], capture_output=True, text=True, check=False, timeout=90
    )
    assert "simulating" in done.stdout
    assert "The rate that this machine will hold" in done.stdout
