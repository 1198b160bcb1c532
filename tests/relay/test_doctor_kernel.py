"""Limits of the kernel that are too low, made for real where a test may: each is found, and gone when its remedy was run."""

import fcntl
import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from room import Room, bare, needs_room, room
from system import SPEEDDATA

from speeddata.relay.doctor_check import MEND, UNKNOWN, WELL, Subject
from speeddata.relay.doctor_kernel import FOR_GOOD, check_limits, measure_buffer
from speeddata.service_unit import Plan, service_files

CORE, IPV4 = "/proc/sys/net/core", "/proc/sys/net/ipv4"
RMEM_MAX = Path(CORE, "rmem_max")
PAGE = os.sysconf("SC_PAGE_SIZE")


@pytest.fixture(scope="module")
def place() -> Iterator[Room]:
    with room() as made:
        made.cover(
            CORE,
            rmem_max=str(64 << 20),
            rmem_default=str(2 << 20),
            wmem_max=str(4 << 20),
            netdev_max_backlog="1000",
        )
        made.run("mkdir -p /etc/sysctl.d && mount -t tmpfs room /etc/sysctl.d")
        yield made


def test_what_is_mended_for_good_hinders_no_service() -> None:
    """`service install` replaces no file of its own that another has written to."""
    plan = Plan(Path("/usr/bin/python3"), (), Path("/var/lib/speeddata"))
    assert Path(FOR_GOOD) not in [file.path for file in service_files(plan)]


def as_nobody(wanted: int) -> dict[str, object]:
    """What doctor finds of the receive buffer in a user namespace, where nobody may go beyond net.core.rmem_max."""
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", *SPEEDDATA, "doctor", "--quick", "--json",
         "--set", f"relay.receive_buffer_bytes={wanted}"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    found = json.loads(done.stdout)
    (check,) = [one for one in found["checks"] if one["name"] == "receive_buffer"]
    return dict(check) | {"granted": found["receive_buffer"]["granted"]}


def test_a_small_receive_buffer_is_found_for_who_is_not_root() -> None:
    most = int(RMEM_MAX.read_text())
    found = as_nobody(most * 2)
    text = f"receive buffer: {most} bytes of {most * 2} wanted, net.core.rmem_max is {most}"
    assert (found["state"], found["text"], found["granted"]) == (MEND, text, most)


@pytest.mark.skipif(not os.access(RMEM_MAX, os.W_OK), reason="only root may set net.core.rmem_max")
def test_its_remedy_lets_everybody_have_it() -> None:
    """The machine's own setting, which no namespace has: by a page more, and put back. Two runs of this take turns."""
    with RMEM_MAX.open() as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        most = int(RMEM_MAX.read_text())
        found = as_nobody(most + PAGE)
        try:
            subprocess.run(["sh", "-ec", bare(found["mend"][0]["command"])], check=True, capture_output=True)  # type: ignore[index]
            mended = as_nobody(most + PAGE)
        finally:
            RMEM_MAX.write_text(str(most))
    assert (found["state"], found["granted"]) == (MEND, most)
    assert (mended["state"], mended["granted"]) == (WELL, most + PAGE)


@pytest.mark.netns
@needs_room
@pytest.mark.parametrize(
    ("name", "key", "little", "wanted", "what"),
    [
        ("default_buffer", "net.core.rmem_default", 212992, 2097152, "bytes of receive buffer of programs that ask for none"),
        ("send_buffer", "net.core.wmem_max", 212992, 4194304, "bytes of send buffer that a stream may have"),
        ("memberships", "net.ipv4.igmp_max_memberships", 10, 20, "multicast groups that a socket may join"),
        ("backlog", "net.core.netdev_max_backlog", 300, 1000,
         "packets that may wait for a processor; 0 were dropped since the machine started"),
    ],
)  # fmt: skip
def test_a_limit_that_is_low(place: Room, name: str, key: str, little: int, wanted: int, what: str) -> None:
    """Memberships for real, the others in a tree of files in the place of the kernel's: those are the whole machine's."""
    file = f"/proc/sys/{key.replace('.', '/')}"
    place.run(f"echo {little} > {file}; mount --bind /dev/null /proc/net/softnet_stat")
    found = place.is_mended(name, f"{key} is {little}, {wanted} wanted: {what}")
    # For good: what is written there is what sysctl reads when the machine starts.
    place.run(f"echo {little} > {file}")
    place.run(bare(found["mend"][1]["command"]))
    place.run(f"sysctl -p {FOR_GOOD}")
    assert place.check(name)["state"] == WELL


@pytest.mark.netns
@needs_room
def test_what_the_service_brings_along_leaves_nothing_to_mend_of_buffers_in_a_tree_of_files(
    place: Room,
) -> None:
    buffers = ("receive_buffer", "default_buffer", "send_buffer")
    place.run(f"for one in rmem_max rmem_default wmem_max; do echo 212992 > {CORE}/$one; done")
    assert {place.check(name)["state"] for name in buffers} == {MEND}
    plan = Plan(Path("/usr/bin/python3"), (), Path("/var/lib/speeddata"))
    (sysctl,) = [file for file in service_files(plan) if file.path.parent.name == "sysctl.d"]
    place.run(f"printf %s {shlex.quote(sysctl.text)} > {sysctl.path} && sysctl -p {sysctl.path}")
    assert {place.check(name)["state"] for name in buffers} == {WELL}


@pytest.mark.netns
@needs_room
def test_for_root_alone_is_not_enough_in_a_tree_of_files(place: Room) -> None:
    """Root gets its buffer from the kernel whatever the file says; others would not."""
    place.run(f"echo 212992 > {CORE}/rmem_max")
    text = "receive buffer: net.core.rmem_max is 212992, 67108864 wanted: it is granted to root alone"
    place.is_mended("receive_buffer", text)


@pytest.mark.netns
@needs_room
def test_memory_of_all_udp_sockets_that_is_short_in_a_tree_of_files(place: Room) -> None:
    pages = (128 << 20) // PAGE
    place.cover(IPV4, udp_mem="\t".join(map(str, (pages - 1, pages, pages))))
    try:
        found = place.check("udp_memory")
        assert found["state"] == MEND
        place.run(bare(found["mend"][0]["command"]))
        assert place.check("udp_memory")["state"] == WELL
        assert place.run(f"cat {IPV4}/udp_mem").split() == [str(pages), str(pages * 4 // 3), str(pages * 2)]
    finally:
        place.run(f"umount {IPV4}")
    assert place.check("udp_memory")["state"] == UNKNOWN  # a namespace is not shown it


def test_drops_at_the_backlog_ask_for_a_longer_one_in_a_tree_of_files(tmp_path: Path) -> None:
    def tell(dropped: str, longest: int) -> tuple[str, str]:
        for path, text in {"proc/net/softnet_stat": f"00000e85 {dropped} 0\n00000001 00000001 0\n",
                           "proc/sys/net/core/netdev_max_backlog": str(longest)}.items():  # fmt: skip
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
        (found,) = [one for one in check_limits(Subject(tmp_path, root=tmp_path)) if one.name == "backlog"]
        return found.state, found.text

    state, text = tell("0000000a", 1000)
    assert state == MEND
    assert "is 1000, 10000 wanted" in text
    assert "11 were dropped" in text
    assert tell("0000000a", 10000)[0] == WELL


def test_what_the_kernel_does_not_show_is_said(tmp_path: Path) -> None:
    found = list(check_limits(Subject(tmp_path, root=tmp_path)))
    assert {one.state for one in found} == {UNKNOWN}
    assert len(found) == 5


def test_packets_are_measured_and_the_rates_reckoned() -> None:
    found = measure_buffer(Subject(Path()))
    granted = found["receive_buffer"]["granted"]
    assert [packet["bytes"] for packet in found["packets"]] == [64, 200, 1400, 8000]
    for packet in found["packets"]:
        assert packet["bytes"] < packet["kernel_bytes"] < packet["bytes"] * 3 + 2048
        assert packet["rate"] == pytest.approx(2 * granted / (packet["kernel_bytes"] * 0.02), abs=1)


def test_packets_take_as_much_of_a_buffer_that_holds_few() -> None:
    """The kernel takes one in at least."""
    few, many = (measure_buffer(Subject(Path(), receive_buffer=size))["packets"] for size in (4096, 1 << 20))
    assert [one["kernel_bytes"] for one in few] == [one["kernel_bytes"] for one in many]
    assert all(0 < one["rate"] < other["rate"] for one, other in zip(few, many, strict=True))
