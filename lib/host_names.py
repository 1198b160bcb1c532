"""By which host names a server may be asked, so that a foreign name made to point here (DNS rebinding) reaches nothing."""

import ipaddress
import socket
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

__all__ = ["Guard", "answered_names", "host_of"]


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
    """The host name or address of a Host header, without the port; empty when it has none."""
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:  # brackets that are not those of an IPv6 address
        return ""


def answered_names(names: Iterable[str], address: str) -> list[str]:
    """Names that a server on this address answers to: those given, and the machine's own if others can reach it."""
    own = socket.gethostname().lower()
    return [*names, *(() if ipaddress.ip_address(address).is_loopback else (own, f"{own}.local"))]
