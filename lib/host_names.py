"""By which host names a server may be asked, so that a foreign name made to point here (DNS rebinding) reaches nothing."""

import ipaddress
import socket
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

__all__ = ["Guard", "answered_names", "host_of", "is_loopback", "may_read"]


@dataclass(frozen=True)
class Guard:
    """Admits requests that name this machine: by an address, a loopback name, or one of `names` (in lower case)."""

    names: Collection[str] = field(default_factory=tuple)

    def admits(self, host: str) -> bool:
        """Whether a host name, without its port, is one of ours."""
        host = host.lower().rstrip(".")
        if host == "localhost" or host.endswith(".localhost") or host in self.names:
            return True
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return False
        return True


def host_of(header: str) -> str:
    """The host name or address of a Host header, without the port; empty when it has none, or is more than that."""
    return _host(header) or ""


def _host(place: str) -> str | None:
    """What stands between // and / of an address; None where it is no host with or without a port."""
    try:
        parts = urlsplit(f"//{place}")
        port = parts.port
    except ValueError:  # brackets that are not those of an IPv6 address, a port that is none
        return None
    host = parts.hostname or ""
    # urlsplit lets pass what stands behind a bracket, and before an @.
    bare = f"[{host}]" if ":" in host else host
    ends = (bare, f"{bare}:") if port is None else (f"{bare}:{place.rpartition(':')[2]}",)
    return host if place.lower() in ends else None


def may_read(origin: str, host: str) -> bool:
    """Whether a page of this Origin may read what a server tells that was asked under a host name, as the live data.

    Under a loopback name every page of this machine may, one opened as a file ("null") too; else pages of that host, at any port.
    """
    page = (_host(origin.partition("://")[2]) or "").rstrip(".")
    host = host.rstrip(".")
    if is_loopback(host):
        return origin == "null" or is_loopback(page)
    return bool(page) and page == host


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine alone."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def answered_names(names: Iterable[str], address: str) -> list[str]:
    """Names that a server on this address answers to: those given, and the machine's own if others can reach it."""
    own = socket.gethostname().lower()
    return [*names, *(() if ipaddress.ip_address(address).is_loopback else (own, f"{own}.local"))]
