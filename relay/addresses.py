"""Where a run's parts are: addresses, ports, folders; pure, but for what is printed."""

import contextlib
import ipaddress
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import speeddata
from speeddata.host_names import answered_names
from speeddata.relay.data_folder import DataFolder
from speeddata.relay.interfaces import Interface, interfaces
from speeddata.relay.services import registry_url, url
from speeddata.run_options import RunOptions
from speeddata.settings import Settings

__all__ = ["announce", "api_names", "archive_folder", "own_ports", "service_addresses"]


def archive_folder(options: RunOptions, settings: Settings, data: DataFolder) -> Path:
    """Where the archive is: below a data folder that was named, else where the settings say."""
    service = "relay" if "relay" in options.services else "pivot"
    configured = settings.flat[service]["storage.avro_path"]
    if options.data is not None or configured is None:
        return data.archive
    return Path(configured).absolute()


def own_ports(settings: Settings) -> dict[int, str]:
    """Ports that are the services' own, which no channel may have."""
    flat = settings.flat
    return {
        flat["relay"]["api.port"]: "registration API",
        flat["stripchart"]["websocket.port"]: "live data",
        flat["pivot"]["api.port"]: "history API",
    }


def service_addresses(settings: Settings) -> dict[str, dict[str, Any] | None]:
    """Host and port of the live data and of the history, here or on the machine that the settings name."""
    live, history = settings.flat["stripchart"], settings.flat["pivot"]
    return {
        "websocket": {"host": live["host"], "port": live["websocket.port"]},
        "pivot": {"host": history["host"], "port": history["api.port"]},
    }


def api_names(settings: Settings) -> list[str]:
    """Host names that the API answers to: those of the settings, and the machine's own if it is open to others."""
    return answered_names(settings.flat["relay"]["api.names"], settings.flat["relay"]["host"])


def announce(
    services: Sequence[str],
    settings: Settings,
    data: DataFolder,
    archive: Path,
    others: Callable[[], Sequence[Interface]] = interfaces,
) -> None:
    """Print where everything is, for people on this machine and, where it is served there, on others."""
    live, history = service_addresses(settings).values()
    lines = [f"SpeedData {speeddata.__version__}, data in {data.path}"]
    if archive != data.archive:
        lines.append(f"  archive  {archive}")
    pages = registry_url(settings)
    if "relay" in services:
        lines += [f"  page     {pages}/", f"  API      {pages}/api/v1"]
    if "stripchart" in services and live:
        lines.append(f"  live     {url('ws', live['host'], live['port'])}/")
    if "pivot" in services and history:
        api = f"{url('http', history['host'], history['port'])}/docs"
        lines.append(f"  history  {pages}/history, API {api}" if "relay" in services else f"  history  {api}")
    if "relay" in services and ipaddress.ip_address(settings.flat["relay"]["host"]).is_unspecified:
        port = settings.flat["relay"]["api.port"]
        there = [f"{url('http', one, port)}/" for one in _outer(others())]
        lines += [f"  from other machines: {', '.join(there)}"] if there else []
    lines.append("Ctrl-C ends it")
    with contextlib.suppress(BrokenPipeError):
        print("\n".join(lines), flush=True)


def _outer(found: Iterable[Interface]) -> Iterator[str]:
    """The addresses by which other machines may reach this one."""
    for one in found:
        if one.up and not one.loopback:
            yield from one.addresses
