"""Which processes run beside the relays, and with which arguments: pure.

The stripchart server and the history service are known by module name only. The demo's sources are plain programs.
"""

import ipaddress
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from speeddata.host_names import answered_names
from speeddata.relay.data_folder import DataFolder
from speeddata.settings import Settings

__all__ = [
    "INGEST",
    "SOURCES",
    "Service",
    "back_off_s",
    "demo_pages",
    "demo_sources",
    "jittered",
    "registry_url",
    "services",
    "url",
]

PYTHON = (sys.executable, "-P")
MAX_DELAY_S = 30.0
SPARE_PERCENT = 1  # of the disk, that exports leave above what retention keeps free
INGEST = "ingest"  # the shared relay
DISK_S = 120.0  # that a disk may hold it up
# The demo's sources: name, program below speeddata.examples. Each is told where the registration API is.
SOURCES = (("host", "host.py"), ("example", "sender/sender.py"), ("machine", "machine.py"))


@dataclass(frozen=True)
class Service:
    """A process that should run."""

    name: str
    argv: tuple[str, ...]
    pidfile: Path
    log: Path
    last: bool = False  # is to end after the others, which use it
    beats: bool = True  # gives signs of life, from when on it serves
    silent_s: float = 30.0  # without a sign of life, after which one that gave some is taken for hanging


def services(
    names: Sequence[str], settings: Settings, data: DataFolder, archive: Path, access: Sequence[str] = ()
) -> list[Service]:
    """The services of these names. Relays are none, but the keeper's; only the one that channels share is.

    `access` are the options that tell whom to let in.
    """
    registry = registry_url(settings)
    answered = settings.flat["relay"]["api.names"]
    made: list[Service] = []
    options: dict[str, Any]
    if "relay" in names:
        made.append(_shared_relay(data))
    if "stripchart" in names:
        live = settings.flat["stripchart"]
        options = {
            "--interface": live["multicast.interface"],
            "--clients": live["websocket.clients"],
            "--workers": live["websocket.workers"],
        }
        made.append(
            _service("stripchart", live, data, registry, live["websocket.port"], options, answered, access)
        )
    if "pivot" in names:
        history = settings.flat["pivot"]
        options = {
            "--archive": archive,
            "--ingest-socket": data.ingest_socket,
            "--limit-channels": history["api.limits.max_channels"],
            "--limit-minutes": history["api.limits.max_duration_minutes"],
            "--timeout": history["api.limits.timeout_seconds"],
            "--limit-running": history["api.limits.running_exports"],
            "--limit-followers": history["api.limits.followers"],
            "--queries-running": history["api.limits.running_queries"],
            "--limit-points": history["api.limits.max_points"],
            "--result-cache": history["cache.result_bytes"],
            "--rollup-cache": history["cache.rollup_bytes"],
            "--ingest-bytes": history["api.ingest.max_bytes"],
            "--ingest-text": history["api.ingest.max_text_bytes"],
            "--ingest-requests": history["api.ingest.running"],
            "--ingest-held": history["api.ingest.held_bytes"],
            "--sql-timeout": history["sql.timeout_seconds"],
            "--sql-memory": history["sql.memory_mb"],
            "--sql-running": history["sql.running"],
            **_background(settings, data),
        }
        made.append(
            _service("pivot", history, data, registry, history["api.port"], options, answered, access)
        )
    return made


def _background(settings: Settings, data: DataFolder) -> dict[str, Any]:
    """Options of the history service about the exports that it makes in the background, and about the disk."""
    history, free = settings.flat["pivot"], settings.flat["relay"]["retention.min_free_percent"]
    options = {
        "--exports": data.path / "exports",
        "--exports-channels": history["api.exports.max_channels"],
        "--exports-minutes": history["api.exports.max_duration_minutes"],
        "--exports-running": history["api.exports.running"],
        "--exports-queued": history["api.exports.queued"],
        "--exports-keep": history["api.exports.keep_seconds"],
        "--exports-bytes": history["api.exports.max_bytes"],
        # Below the floor of retention the oldest segments go, which no export shall bring about.
        "--min-free": min(100, free + SPARE_PERCENT) if free else 0,
    }
    return {name: value for name, value in options.items() if value is not None}


def demo_sources(settings: Settings, data: DataFolder) -> list[Service]:
    """The demo's sources of data."""
    examples = Path(str(resources.files("speeddata.examples")))
    api = f"{registry_url(settings)}/api/v1"
    return [
        Service(
            name=f"source-{name}",
            argv=(*PYTHON, str(examples / program), "--api", api),
            pidfile=data.pidfile(f"source-{name}"),
            log=data.log_file(f"source-{name}"),
            beats=False,
        )
        for name, program in SOURCES
    ]


def demo_pages() -> list[Path]:
    """The folders of the demo's pages."""
    return [Path(str(resources.files("speeddata.examples"))) / "pages"]


def registry_url(settings: Settings) -> str:
    """Where the registration API is, for a process on this machine."""
    return url("http", settings.flat["relay"]["host"], settings.flat["relay"]["api.port"])


def url(scheme: str, host: str, port: int) -> str:
    """An address to connect to; one that stands for all of the machine's becomes loopback."""
    address = ipaddress.ip_address(host)
    if address.is_unspecified:
        host = "127.0.0.1" if address.version == 4 else "::1"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def back_off_s(deaths: int) -> float:
    """Seconds to wait before the next start after so many quick deaths: 1, 2, 4 ... 30."""
    return min(MAX_DELAY_S, 2.0 ** (min(max(deaths, 1), 10) - 1))


def jittered(delay_s: float) -> float:
    """A delay, and up to a fifth more: what one cause has ended is not to start all at the same instant."""
    return delay_s * random.uniform(1, 1.2)


def _shared_relay(data: DataFolder) -> Service:
    pidfile = data.pidfile(INGEST)
    options = ("--data", str(data.path), "--pidfile", str(pidfile))
    argv = (*PYTHON, "-m", f"speeddata.relay.{INGEST}", *options)
    return Service(INGEST, argv, pidfile, data.log_file(INGEST), last=True, silent_s=DISK_S)


def _service(
    name: str,
    own: Mapping[str, Any],
    data: DataFolder,
    registry: str,
    port: int,
    options: Mapping[str, Any],
    names: Sequence[str],
    access: Sequence[str],
) -> Service:
    pidfile = data.pidfile(name)
    given = {"--registry": registry, "--host": own["host"], "--port": port, "--pidfile": pidfile, **options}
    answered = [("--name", answered) for answered in answered_names(names, own["host"])]
    argv = [str(part) for pair in (*given.items(), *answered) for part in pair]
    return Service(name, (*PYTHON, "-m", f"speeddata.{name}", *argv, *access), pidfile, data.log_file(name))
