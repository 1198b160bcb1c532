"""Where a run's parts are: addresses, ports, folders; pure, but for what is printed."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import speeddata
from speeddata.host_names import answered_names
from speeddata.relay.data_folder import DataFolder
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


def announce(services: Sequence[str], settings: Settings, data: DataFolder, archive: Path) -> None:
    """Print where everything is."""
    addresses = service_addresses(settings)
    lines = [f"SpeedData {speeddata.__version__}, data in {data.path}"]
    if archive != data.archive:
        lines.append(f"  archive  {archive}")
    if "relay" in services:
        lines += [f"  page     {registry_url(settings)}/", f"  API      {registry_url(settings)}/api/v1"]
    for service, name, scheme, label, path in (
        ("stripchart", "websocket", "ws", "live", "/"),
        ("pivot", "pivot", "http", "history", "/docs"),
    ):
        address = addresses[name]
        if service in services and address:
            lines.append(f"  {label:8} {url(scheme, address['host'], address['port'])}{path}")
    lines.append("Ctrl-C ends it")
    with contextlib.suppress(BrokenPipeError):
        print("\n".join(lines), flush=True)
