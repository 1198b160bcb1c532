"""What `speeddata doctor` says of network cards: offloads that save work for each packet, and rings as long as they can be."""

import shlex
from collections.abc import Iterator

from speeddata.relay.doctor_check import Check, Remedy, Subject, mend, well
from speeddata.relay.ethtool import Feature, Rings, features, rings
from speeddata.relay.interfaces import by_address, interfaces

__all__ = ["check_cards"]

# The word that ethtool has for it, the kernel's names (one of which is enough), and what it is for.
OFFLOADS = (
    ("gro", ("rx-gro",), "packets are joined on receipt, for channels with `gro`"),
    ("rx", ("rx-checksum",), "the card checks what is received"),
    ("tx", ("tx-checksum-ip-generic", "tx-checksum-ipv4"), "the card makes checksums, which sending in runs needs"),
    ("sg", ("tx-scatter-gather",), "packets are sent without being copied together"),
    ("gso", ("tx-generic-segmentation",), "runs of packets are cut late"),
)  # fmt: skip


def check_cards(subject: Subject) -> Iterator[Check]:
    """Cards by which packets may come, and interfaces that the settings name."""
    found = False
    for name in _cards(subject):
        found = True
        yield _check_offloads(name, features(name))
        yield from _check_rings(name, rings(name))
    if not found:
        yield well("offloads", "network cards: none is in use")


def _cards(subject: Subject) -> list[str]:
    named = [one for address in (subject.interface, subject.listen) if (one := by_address(address))]
    return [
        one.name
        for one in interfaces()
        if not one.loopback
        and one.up
        and (
            one in named
            or (one.addresses and (subject.root / "sys/class/net" / one.name / "device").exists())
        )
    ]


def _check_offloads(name: str, known: dict[str, Feature]) -> Check:
    """What is off although it could be on."""
    off = [
        (word, what)
        for word, names, what in OFFLOADS
        if _is_off([known[one] for one in names if one in known])
    ]
    if not off:
        return well("offloads", f"offloads of {name}: on as far as it has them")
    words = "; ".join(f"{word} ({what})" for word, what in off)
    switches = " ".join(f"{word} on" for word, _ in off)
    remedy = Remedy("mend it with", f"sudo ethtool -K {shlex.quote(name)} {switches}")
    return mend("offloads", f"offloads of {name} that are off: {words}", remedy)


def _is_off(offload: list[Feature]) -> bool:
    return any(one.changeable for one in offload) and not any(one.on for one in offload)


def _check_rings(name: str, of_card: Rings | None) -> Iterator[Check]:
    """Whether the rings hold as many packets as they can."""
    if of_card is None:
        yield well("rings", f"rings of {name}: it has none")
        return
    pairs = (("rx", of_card.rx, of_card.rx_max), ("tx", of_card.tx, of_card.tx_max))
    short = [(word, now, most) for word, now, most in pairs if now < most]
    if not short:
        yield well(
            "rings",
            f"rings of {name}: {of_card.rx} packets to receive, {of_card.tx} to send, as many as they can",
        )
        return
    words = " and ".join(f"{word} holds {now} packets of {most} possible" for word, now, most in short)
    sizes = " ".join(f"{word} {most}" for word, _, most in short)
    remedy = Remedy("mend it with", f"sudo ethtool -G {shlex.quote(name)} {sizes}")
    yield mend("rings", f"rings of {name}: {words}", remedy)
