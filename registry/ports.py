"""UDP ports: which are registered, which are in use by anybody on this machine."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from speeddata.registry.problems import ApiProblem, wrong_value

__all__ = ["available", "bound_ports", "port_status", "read_range"]

ANY_ADDRESS = "00000000"


def available(start: int, end: int, taken: Iterable[int]) -> dict[str, Any]:
    """The ports from start to end, both included, that a channel may have."""
    taken = set(taken)
    free = [port for port in range(start, end + 1) if port not in taken]
    return {"range": {"start": start, "end": end}, "available": free, "count": len(free)}


def port_status(port: int, owners: Mapping[int, str], bound: Iterable[int]) -> dict[str, Any]:
    """Whether a port is free, and which channel has it if one has."""
    if port in owners:
        return {"port": port, "available": False, "status": "in_use", "channel": owners[port]}
    if port in bound:
        return {"port": port, "available": False, "status": "in_use", "channel": None}
    return {"port": port, "available": True, "status": "free"}


def read_range(arguments: Mapping[str, str]) -> tuple[int, int]:
    """Read `start` and `end` of a query, 26000 to 27000 if absent."""
    values = {}
    for field, default in (("start", 26000), ("end", 27000)):
        text = arguments.get(field, str(default))
        if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535):
            raise wrong_value("Invalid port range", field, text, "an integer from 1 to 65535")
        values[field] = int(text)
    if values["start"] >= values["end"]:
        details = f"start is {values['start']}, wanted less than end, which is {values['end']}"
        raise ApiProblem(
            400,
            "start must be less than end",
            field="start",
            details=details,
            start=values["start"],
            end=values["end"],
        )
    return values["start"], values["end"]


def bound_ports(listen: str, table: Path = Path("/proc/net/udp")) -> set[int]:
    """UDP ports that a socket on the address `listen` could not be bound to; empty where /proc does not tell."""
    mine = "".join(f"{int(part):02X}" for part in reversed(listen.split(".")))
    try:
        lines = table.read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return set()
    bound = set()
    for line in lines:
        address, _, port = line.split()[1].partition(":")
        if mine == ANY_ADDRESS or address in (mine, ANY_ADDRESS):
            bound.add(int(port, 16))
    return bound
