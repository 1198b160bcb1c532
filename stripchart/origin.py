"""Which pages may connect: WebSockets know no CORS, so the server itself looks at the Origin header."""

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_allowed(origin: str | None, host: str | None, on_loopback: bool) -> bool:
    """Judge a handshake by its Origin and Host headers; `on_loopback` tells where the server listens.

    Programs send no Origin. On loopback every page of this machine may read, one opened as a file ("null") too; names that merely
    resolve to loopback may not. Elsewhere the page must come from the host name that it connects to, at any port.
    """
    if origin is None:
        return True
    if origin == "null":
        return on_loopback
    name = _name(origin)
    if on_loopback:
        return is_loopback(name)
    return bool(name) and name == _name(f"//{host or ''}")


def _name(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
