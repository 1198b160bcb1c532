"""Offloads that are off, for real, and rings that are short, by an answer of the kernel that is made up: found, and mended."""

import ctypes
import errno
import shlex
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from room import ADDRESS, ENDS, Room, needs_room, room

from speeddata.relay import doctor_cards, ethtool
from speeddata.relay.doctor_cards import check_cards
from speeddata.relay.doctor_check import Check, Subject
from speeddata.relay.ethtool import Feature, features, rings
from speeddata.relay.interfaces import Interface

CARD, _ = ENDS


@pytest.fixture(scope="module")
def place() -> Iterator[Room]:
    with room() as made:
        yield made


@pytest.mark.netns
@needs_room
@pytest.mark.parametrize("key", ["interface", "listen"])
def test_offloads_that_are_off(place: Room, key: str) -> None:
    """The card is one that the settings name, as it is no hardware."""
    assert [one["text"] for one in place.checks("offloads")] == ["network cards: none is in use"]
    place.run(f"ethtool -K {CARD} gro off rx off sg off gso off tx off")
    found = place.is_mended(
        "offloads",
        f"offloads of {CARD} that are off: gro (packets are joined on receipt, for channels with `gro`);"
        " rx (the card checks what is received);"
        " tx (the card makes checksums, which sending in runs needs); sg (packets are sent without being copied together);"
        " gso (runs of packets are cut late)",
        **{key: ADDRESS},
    )
    assert found["mend"][0]["command"] == f"sudo ethtool -K {CARD} gro on rx on tx on sg on gso on"


@pytest.fixture
def hardware(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[Subject, dict[str, int]]:
    """A card that the kernel tells these rings of, and offloads that it cannot switch."""
    (tmp_path / "sys/class/net/eth7/device").mkdir(parents=True)
    told = {"rx_max": 4096, "tx_max": 512, "rx": 256, "tx": 512}

    def answer(request: int, about: bytearray) -> None:
        """What the kernel does: it writes over the question."""
        assert (request, about[:5]) == (0x8946, b"eth7\0")
        place = struct.unpack_from("P", about, 16)[0]
        if ctypes.c_uint.from_address(place).value != ethtool.GET_RINGS:
            raise OSError(errno.EOPNOTSUPP, "not told")
        rings_told = struct.pack("9I", 0, told["rx_max"], 0, 0, told["tx_max"], told["rx"], 0, 0, told["tx"])
        ctypes.memmove(place, rings_told, len(rings_told))

    monkeypatch.setattr(ethtool, "ask_kernel", answer)
    monkeypatch.setattr(doctor_cards, "interfaces", lambda: [Interface("eth7", ("192.0.2.7",), 0x1043)])
    return Subject(tmp_path, root=tmp_path), told


def ring_check(subject: Subject) -> Check:
    (found,) = [one for one in check_cards(subject) if one.name == "rings"]
    return found


def test_rings_that_could_be_longer_by_a_made_up_answer_of_the_kernel(
    hardware: tuple[Subject, dict[str, int]],
) -> None:
    subject, told = hardware
    found = ring_check(subject)
    assert (found.state, found.text) == ("mend", "rings of eth7: rx holds 256 packets of 4096 possible")
    (remedy,) = found.mend
    *words, name, ring, length = shlex.split(remedy.command)
    assert (words, name, ring) == (["sudo", "ethtool", "-G"], "eth7", "rx")
    told[ring] = int(length)
    found = ring_check(subject)
    assert (found.state, found.text) == (
        "well",
        "rings of eth7: 4096 packets to receive, 512 to send, as many as they can",
    )


def test_a_card_that_has_no_offloads_is_well_by_a_made_up_answer_of_the_kernel(
    hardware: tuple[Subject, dict[str, int]],
) -> None:
    (offloads,) = [one for one in check_cards(hardware[0]) if one.name == "offloads"]
    assert (offloads.state, offloads.text) == ("well", "offloads of eth7: on as far as it has them")


@pytest.mark.parametrize(("changeable", "state"), [(False, "well"), (True, "mend")])
def test_what_a_card_cannot_switch_on_is_not_to_be_mended(
    hardware: tuple[Subject, dict[str, int]], monkeypatch: pytest.MonkeyPatch, changeable: bool, state: str
) -> None:
    monkeypatch.setattr(doctor_cards, "features", lambda _: {"rx-gro": Feature(changeable, on=False)})
    (offloads,) = [one for one in check_cards(hardware[0]) if one.name == "offloads"]
    assert offloads.state == state


def test_the_loopback_has_offloads_and_no_rings() -> None:
    assert rings("lo") is None
    assert features("lo")["rx-gro"].on
    assert features("none-such") == {}


def test_another_error_of_the_kernel_is_not_taken_for_no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise OSError(errno.EIO, "the card does not answer")

    monkeypatch.setattr(ethtool, "ask_kernel", fails)
    with pytest.raises(OSError, match="does not answer"):
        rings("lo")
