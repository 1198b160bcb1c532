"""What `speeddata doctor` says of multicast: the interface it goes out by, its TTL, the route of its groups, IGMP.

A relay names its interface to the kernel and needs no route; programs that join a group without naming one get that of the route.
"""

import ipaddress
import shlex
from collections.abc import Iterator

from speeddata.relay.doctor_check import Check, Remedy, Subject, mend, number, unknown, well
from speeddata.relay.interfaces import Interface, by_address, interfaces, route_out

__all__ = ["check_multicast"]

FORCED = "proc/sys/net/ipv4/conf/{}/force_igmp_version"


def check_multicast(subject: Subject) -> Iterator[Check]:
    """All of it; what presumes an interface that is there and up is looked at only then."""
    interface = by_address(subject.interface)
    yield _check_interface(subject, interface)
    yield _check_ttl(subject)
    if ipaddress.ip_address(subject.interface).is_loopback:
        yield well("multicast_route", "route of multicast: none is needed on the loopback interface")
        yield well("igmp", "IGMP: not spoken on the loopback interface")
    elif interface is None or not interface.up:
        words = "cannot be looked at before the interface is there and up"
        yield unknown("multicast_route", f"route of multicast: {words}")
        yield unknown("igmp", f"IGMP: {words}")
    else:
        yield from (_check_route(group, interface) for group in subject.groups)
        yield _check_igmp(subject, interface)


def _check_interface(subject: Subject, interface: Interface | None) -> Check:
    name = "multicast_interface"
    if interface is None:
        return _absent(subject)
    device, text = shlex.quote(interface.name), f"multicast interface: {interface.name} ({subject.interface})"
    if not interface.up:
        return mend(name, f"{text} is down", Remedy("mend it with", f"sudo ip link set dev {device} up"))
    if interface.loopback:
        return well(name, f"{text}: streams stay on this machine")
    if not interface.multicast:
        remedy = Remedy("mend it with", f"sudo ip link set dev {device} multicast on")
        return mend(name, f"{text} does no multicast", remedy)
    if not interface.running:
        remedy = Remedy(
            "see to its cable and the other end, until this says LOWER_UP", f"ip link show dev {device}"
        )
        return mend(name, f"{text} has no carrier", remedy)
    return well(name, f"{text} is up")


def _absent(subject: Subject) -> Check:
    """No interface has the address: perhaps another was meant, which is proposed; the loopback needs only to be up."""
    name = "multicast_interface"
    found = interfaces()
    if ipaddress.ip_address(subject.interface).is_loopback:
        loopback = next((one.name for one in found if one.loopback), "lo")
        text = f"multicast interface: {loopback} ({subject.interface}) is down"
        return mend(name, text, Remedy("mend it with", f"sudo ip link set dev {shlex.quote(loopback)} up"))
    there = ", ".join(f"{one.name} {' '.join(one.addresses)}" for one in found if one.addresses) or "none"
    text = f"multicast interface: none has the address {subject.interface}; there are: {there}"
    outward = [address for one in found if not one.loopback and one.up for address in one.addresses]
    remedies = [
        Remedy(
            "use this one" if outward else "stay on this machine",
            subject.setting("global.multicast.interface", address),
        )
        for address in outward or ["127.0.0.1"]
    ]
    return mend(name, text, *remedies)


def _check_ttl(subject: Subject) -> Check:
    """Whether streams get as far as they should and no farther."""
    text, remedy = f"multicast TTL: {subject.ttl}", subject.setting("global.multicast.ttl", 1)
    if ipaddress.ip_address(subject.interface).is_loopback:
        return well("multicast_ttl", f"{text}, on the loopback interface without effect")
    if subject.ttl == 0:
        text += ", by which streams are not to leave this machine, while the interface leads out of it"
        return mend("multicast_ttl", text, Remedy("have them reach the network with", remedy))
    if subject.ttl > 1:
        text += ": routers that route multicast may pass the streams on to other networks"
        return mend("multicast_ttl", text, Remedy("keep them on this network with", remedy))
    return well("multicast_ttl", f"{text}: streams reach this network and no other")


def _check_route(group: str, interface: Interface) -> Check:
    """Whether programs that join without naming an interface join where the streams are."""
    name, address = "multicast_route", str(ipaddress.ip_network(group)[1 if not group.endswith("/32") else 0])
    out = route_out(address)
    if out == interface.name:
        return well(name, f"route of multicast: {group} goes out by {out}")
    remedy = Remedy("mend it with", f"sudo ip route replace {group} dev {shlex.quote(interface.name)}")
    found = f"{group} goes out by {out}, not {interface.name}" if out else f"there is none for {group}"
    return mend(
        name,
        f"route of multicast: {found}; who joins a group without naming an interface hears nothing",
        remedy,
    )


def _check_igmp(subject: Subject, interface: Interface) -> Check:
    """How listeners say that they listen, which switches and routers go by. Version 1 has no way to say that they left."""
    forced = [one for one in ("all", interface.name) if number(subject.read(FORCED.format(one))) == 1]
    if forced:
        keys = [f"net/ipv4/conf/{one}/force_igmp_version" for one in forced]
        text = f"IGMP: version 1 is forced on {interface.name}: switches are not told who has left a group"
        return mend("igmp", text, *(Remedy("mend it with", f"sudo sysctl -w {key}=0") for key in keys))
    version = _version(subject.read("proc/net/igmp") or "", interface.name)
    if version is None:
        return unknown("igmp", f"IGMP: /proc/net/igmp does not tell of {interface.name}")
    heard = "" if version == "V3" else f", as a querier of that version was heard on {interface.name}"
    forced_two = number(subject.read(FORCED.format(interface.name))) == 2
    heard = ", as is forced" if forced_two else heard
    text = f"IGMP: version {version.removeprefix('V')}{heard}; whether a switch on the way has a querier cannot be seen from here"
    return well("igmp", text)


def _version(told: str, device: str) -> str | None:
    """The version that an interface speaks, of /proc/net/igmp: `4  eth0  :  1  V3`."""
    for line in told.splitlines()[1:]:
        head, _, rest = line.partition(":")
        words = head.split()
        if not line[:1].isspace() and len(words) == 2 and words[1] == device:
            return rest.split()[-1]
    return None
