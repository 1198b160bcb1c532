"""Offloads and rings of a network card, read from the kernel as the program ethtool does, without needing it."""

import ctypes
import errno
import struct
from dataclasses import dataclass

from speeddata.relay.interfaces import IFREQ, ask_kernel

__all__ = ["Feature", "Rings", "features", "rings"]

SIOCETHTOOL = 0x8946
GET_RINGS, GET_STRINGS, GET_SET_SIZE, GET_FEATURES = 0x10, 0x1B, 0x37, 0x3A
FEATURE_NAMES = 4  # the set of strings
NAME = 32  # bytes of a name
RINGS = struct.Struct("9I")
BLOCK = struct.Struct("4I")  # of 32 features: available, requested, active, never changed


@dataclass(frozen=True)
class Feature:
    """An offload: whether it can be changed, and whether it is on."""

    changeable: bool
    on: bool


@dataclass(frozen=True)
class Rings:
    """Packets that the card's rings hold, and could."""

    rx: int
    rx_max: int
    tx: int
    tx_max: int


def rings(name: str) -> Rings | None:
    """The rings of an interface; None when it has none, as most that are no cards."""
    request = bytearray(RINGS.pack(GET_RINGS, *(0,) * 8))
    if not _ask(name, request):
        return None
    _, rx_max, _, _, tx_max, rx, _, _, tx = RINGS.unpack(request)
    return Rings(rx, rx_max, tx, tx_max)


def features(name: str) -> dict[str, Feature]:
    """The offloads of an interface, by the kernel's names; empty when it has none."""
    request = bytearray(struct.pack("2IQI", GET_SET_SIZE, 0, 1 << FEATURE_NAMES, 0))
    if not _ask(name, request):
        return {}
    count = struct.unpack_from("I", request, 16)[0]
    strings = bytearray(struct.pack("3I", GET_STRINGS, FEATURE_NAMES, count) + bytes(count * NAME))
    blocks = -(-count // 32)
    states = bytearray(struct.pack("2I", GET_FEATURES, blocks) + bytes(blocks * BLOCK.size))
    if not (_ask(name, strings) and _ask(name, states)):
        return {}
    found = {}
    for place in range(count):
        label = strings[12 + place * NAME : 12 + (place + 1) * NAME].partition(b"\0")[0].decode()
        available, _, active, _ = BLOCK.unpack_from(states, 8 + place // 32 * BLOCK.size)
        bit = 1 << place % 32
        found[label] = Feature(bool(available & bit), bool(active & bit))
    return found


def _ask(name: str, request: bytearray) -> bool:
    """Ask the kernel about an interface; False when it does not tell that of this one."""
    place = ctypes.addressof((ctypes.c_char * len(request)).from_buffer(request))
    try:
        ask_kernel(
            SIOCETHTOOL,
            bytearray(struct.pack(f"16sP{IFREQ - 16 - struct.calcsize('P')}x", name.encode(), place)),
        )
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.ENODEV, errno.EPERM):
            return False
        raise
    return True
