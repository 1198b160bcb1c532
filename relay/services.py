"""Which processes run beside the relays, and with which arguments: pure.

The stripchart server and the history service are known by module name only. The demo's sources are plain programs.
"""

import ipaddress
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from speeddata.host_names import answered_names
from speeddata.relay.data_folder import DataFolder
from speeddata.settings import Settings

__all__ = ["SOURCES", "Service", "back_off_s", "demo_sources", "registry_url", "services", "url"]

PYTHON = (sys.executable, "-P")
MAX_DELAY_S = 30.0
# The demo's sources: name, program below speeddata.examples. Each is told where the registration API is.
SOURCES = (("host", "host.py"), ("example", "sender/sender.py"))


@dataclass(frozen=True)
class Service:
    """A process that should run."""

    name: str
    argv: tuple[str, ...]
    pidfile: Path
    log: Path


def services(names: Sequence[str], settings: Settings, data: DataFolder, archive: Path) -> list[Service]:
    """The services of these names (relay is none: relays are the keeper's)."""
    registry = registry_url(settings)
    names_of_api = settings.flat["relay"]["api.names"]
    made: list[Service] = []
    options: dict[str, Any]
    if "stripchart" in names:
        live = settings.flat["stripchart"]
        options = {"--interface": live["multicast.interface"]}
        made.append(
            _service("stripchart", live, data, registry, live["websocket.port"], options, names_of_api)
        )
    if "pivot" in names:
        history = settings.flat["pivot"]
        options = {
            "--archive": archive,
            "--limit-channels": history["api.limits.max_channels"],
            "--limit-minutes": history["api.limits.max_duration_minutes"],
            "--timeout": history["api.limits.timeout_seconds"],
        }
        made.append(_service("pivot", history, data, registry, history["api.port"], options, names_of_api))
    return made


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
        )
        for name, program in SOURCES
    ]


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


def _service(
    name: str,
    own: Mapping[str, Any],
    data: DataFolder,
    registry: str,
    port: int,
    options: Mapping[str, Any],
    names: Sequence[str],
) -> Service:
    pidfile = data.pidfile(name)
    given = {"--registry": registry, "--host": own["host"], "--port": port, "--pidfile": pidfile, **options}
    answered = [("--name", answered) for answered in answered_names(names, own["host"])]
    argv = [str(part) for pair in (*given.items(), *answered) for part in pair]
    return Service(name, (*PYTHON, "-m", f"speeddata.{name}", *argv), pidfile, data.log_file(name))
