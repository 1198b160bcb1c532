"""Faults of multicast, made for real in a network namespace: each is found, and gone when its remedy was run."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from line import wait_until
from room import ADDRESS, ENDS, Room, bare, needs_room, room, settings_of
from system import speeddata

from speeddata.relay.doctor_check import Subject
from speeddata.relay.doctor_multicast import check_multicast
from speeddata.relay.interfaces import by_address, interfaces, route_out

CARD, CABLE = ENDS
GROUP = "0100FFEF"  # 239.255.0.1, as /proc/net/igmp has it
JOIN = """
import socket
member = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
member.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton("239.255.0.1") + bytes(4))
print(open("/proc/net/igmp").read())
"""
OUTWARD = {"interface": ADDRESS, "ttl": 1}


@pytest.fixture(scope="module")
def place() -> Iterator[Room]:
    with room() as made:
        yield made


def joined(place: Room) -> str:
    """The interface on which somebody is a member who joined a group without naming one."""
    told = place.run(f"{sys.executable} -P -c '{JOIN}'")
    return next(
        line.split()[1] for line in reversed(told.partition(GROUP)[0].splitlines()) if line[:1].isdigit()
    )


@pytest.mark.netns
@needs_room
class TestInARoom:
    def test_all_is_well_there(self, place: Room) -> None:
        told = {one["name"]: one for one in place.ask(**OUTWARD)["checks"]}
        names = ("multicast_interface", "multicast_ttl", "multicast_route", "igmp")
        assert [told[name]["state"] for name in names] == ["well"] * 4
        assert told["multicast_interface"]["text"] == f"multicast interface: {CARD} ({ADDRESS}) is up"
        assert told["multicast_route"]["text"] == f"route of multicast: 239.255.0.0/16 goes out by {CARD}"
        assert told["igmp"]["text"].startswith("IGMP: version 3; whether a switch")

    def test_an_interface_that_is_down(self, place: Room) -> None:
        place.run(f"ip link set {CARD} down")
        assert place.check("multicast_route", **OUTWARD)["state"] == "unknown"
        place.is_mended("multicast_interface", f"multicast interface: {CARD} ({ADDRESS}) is down", **OUTWARD)
        # The kernel forgot the route when the interface went down, which is then found too.
        place.is_mended(
            "multicast_route",
            "route of multicast: there is none for 239.255.0.0/16; who joins a group without naming an interface hears nothing",
            **OUTWARD,
        )

    def test_a_route_by_another_interface(self, place: Room) -> None:
        place.run(f"ip route replace 239.255.0.0/16 dev {CABLE}")
        assert joined(place) == CABLE
        place.is_mended(
            "multicast_route",
            f"route of multicast: 239.255.0.0/16 goes out by {CABLE}, not {CARD};"
            " who joins a group without naming an interface hears nothing",
            **OUTWARD,
        )
        assert joined(place) == CARD

    def test_each_group_that_the_settings_name_is_looked_at(self, place: Room) -> None:
        groups = ["239.255.0.0/16", "239.1.1.1/32"]
        here, other = place.checks("multicast_route", **OUTWARD, groups=groups)
        assert (here["state"], other["state"]) == ("well", "mend")
        place.run(bare(other["mend"][0]["command"]))
        assert [one["state"] for one in place.checks("multicast_route", **OUTWARD, groups=groups)] == [
            "well"
        ] * 2

    def test_an_interface_that_does_no_multicast(self, place: Room) -> None:
        place.run(f"ip link set {CARD} multicast off")
        place.is_mended(
            "multicast_interface", f"multicast interface: {CARD} ({ADDRESS}) does no multicast", **OUTWARD
        )

    def test_an_interface_without_a_carrier(self, place: Room) -> None:
        """No command on this machine mends it: that of the remedy shows when it is mended at the other end."""
        text = f"multicast interface: {CARD} ({ADDRESS}) has no carrier"
        place.run(f"ip link set {CABLE} down")
        found = wait_until(
            lambda: (one := place.check("multicast_interface", **OUTWARD))["mend"] and one, "the loss"
        )
        assert found["text"] == text
        (look,) = found["mend"]
        wait_until(lambda: "LOWER_UP" not in place.run(look["command"]), "the loss, as ip has it")
        place.run(f"ip link set {CABLE} up")
        place.wait_for_carrier()
        wait_until(lambda: "LOWER_UP" in place.run(look["command"]), "a carrier, as ip has it")

    @pytest.mark.parametrize("fault", ["ip link set lo down", "ip link set lo down; ip addr flush dev lo"])
    def test_the_loopback_interface_is_down(self, place: Room, fault: str) -> None:
        place.run(fault)
        found = place.check("receive_buffer")
        assert found["text"] == "receive buffer: not to be examined while the loopback interface is down"
        assert "packets" not in place.ask()
        place.is_mended("multicast_interface", "multicast interface: lo (127.0.0.1) is down")
        assert place.ask()["packets"]
        # Who multicasts by another interface needs it too.
        place.run(fault)
        place.run(bare(place.check("receive_buffer", **OUTWARD)["mend"][0]["command"]))
        assert place.check("receive_buffer", **OUTWARD)["text"] != found["text"]

    def test_an_address_that_no_interface_has(self, place: Room) -> None:
        found = place.check("multicast_interface", interface="10.79.0.9", ttl=1)
        text = (
            f"multicast interface: none has the address 10.79.0.9; there are: lo 127.0.0.1, {CARD} {ADDRESS}"
        )
        assert (found["state"], found["text"]) == ("mend", text)
        (remedy,) = found["mend"]
        assert settings_of(remedy) == ["--set", f"global.multicast.interface={ADDRESS}"]
        assert place.check("multicast_interface", **OUTWARD)["state"] == "well"

    def test_where_no_interface_leads_outward_the_loopback_is_proposed(self, place: Room) -> None:
        place.run(f"ip link set {CARD} down")
        try:
            (remedy,) = place.check("multicast_interface", interface="10.79.0.9")["mend"]
        finally:
            place.run(f"ip link set {CARD} up && ip route replace 239.255.0.0/16 dev {CARD}")
            place.wait_for_carrier()
        assert settings_of(remedy) == ["--set", "global.multicast.interface=127.0.0.1"]
        assert place.check("multicast_interface", interface="127.0.0.1")["state"] == "well"

    @pytest.mark.parametrize("which", ["all", CARD])
    def test_a_version_of_igmp_that_cannot_say_goodbye(self, place: Room, which: str) -> None:
        place.run(f"sysctl -w net/ipv4/conf/{which}/force_igmp_version=1")
        text = f"IGMP: version 1 is forced on {CARD}: switches are not told who has left a group"
        place.is_mended("igmp", text, **OUTWARD)

    def test_an_older_version_that_is_forced_is_told(self, place: Room) -> None:
        place.run(f"sysctl -w net/ipv4/conf/{CARD}/force_igmp_version=2")
        assert place.check("igmp", **OUTWARD)["text"].startswith("IGMP: version 2, as is forced;")
        place.run(f"sysctl -w net/ipv4/conf/{CARD}/force_igmp_version=0")


@pytest.mark.parametrize(
    ("ttl", "words"),
    [
        (0, "by which streams are not to leave this machine"),
        (5, "routers that route multicast may pass the streams on"),
    ],
)
@pytest.mark.netns
@needs_room
def test_a_ttl_that_is_wrong_and_the_setting_that_mends_it(place: Room, ttl: int, words: str) -> None:
    found = place.check("multicast_ttl", interface=ADDRESS, ttl=ttl)
    assert found["state"] == "mend"
    assert words in found["text"]
    (remedy,) = found["mend"]
    assert settings_of(remedy) == ["--set", "global.multicast.ttl=1"]
    assert place.check("multicast_ttl", interface=ADDRESS, ttl=1)["state"] == "well"


def test_settings_are_what_a_run_with_them_has(tmp_path: Path) -> None:
    """An address of nobody (RFC 5737): the interface is looked for, nothing is sent."""
    (tmp_path / "global.yaml").write_text("multicast: {interface: 203.0.113.9, ttl: 3}\n")
    done = speeddata("doctor", "--quick", "--config", str(tmp_path))
    assert done.returncode == 1
    assert "multicast interface: none has the address 203.0.113.9" in done.stdout
    assert f"speeddata run --config {tmp_path} --set global.multicast.ttl=1" in done.stdout


def test_a_querier_of_an_older_version_is_told_in_a_tree_of_files(tmp_path: Path) -> None:
    """A querier is another machine's; the kernel tells of one here."""
    outward = next((one for one in interfaces() if one.up and not one.loopback and one.addresses), None)
    if outward is None:
        pytest.skip("no network interface but the loopback here")
    (tmp_path / "proc/net").mkdir(parents=True)
    (tmp_path / "proc/net/igmp").write_text(
        f"Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n4\t{outward.name:10}:     1      V2\n"
        "\t\t\t\t010000E0     1 0:00000000\t\t0\n"
    )
    subject = Subject(tmp_path, outward.addresses[0], ttl=1, root=tmp_path)
    (found,) = [one for one in check_multicast(subject) if one.name == "igmp"]
    assert found.text.startswith(
        f"IGMP: version 2, as a querier of that version was heard on {outward.name};"
    )


def test_interfaces_by_their_addresses() -> None:
    loopback = by_address("127.0.0.1")
    assert loopback is not None
    assert loopback.loopback
    assert by_address("127.9.9.9") == loopback
    assert by_address("203.0.113.9") is None
    assert route_out("127.0.0.1") == loopback.name
