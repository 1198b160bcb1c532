"""The options of `speeddata run`: one definition for the command line and for the orchestrator that it starts."""

import dataclasses
import functools
import ipaddress
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from speeddata.cli_options import with_options
from speeddata.errors import ConfigError
from speeddata.logs import FORMATS
from speeddata.settings import Override, Settings
from speeddata.settings_table import SERVICES

__all__ = ["RunOptions", "exposed", "run_options"]

DEFAULT_DATA = Path("data")
PORTS = {
    "api_port": "relay.api.port",
    "websocket_port": "stripchart.websocket.port",
    "pivot_port": "pivot.api.port",
}
PORT = click.IntRange(1, 65535)


@dataclasses.dataclass(frozen=True)
class RunOptions:
    """What `speeddata run` was told."""

    config: Path | None = None
    data: Path | None = None
    api_port: int | None = None
    websocket_port: int | None = None
    pivot_port: int | None = None
    host: str | None = None
    listen: str | None = None
    only: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    log_format: str = "text"

    @property
    def services(self) -> tuple[str, ...]:
        """The services to run: all, or those that --only names."""
        return tuple(service for service in SERVICES if service in self.only) or SERVICES

    @property
    def data_folder(self) -> Path:
        """The data folder, absolute."""
        return (self.data or DEFAULT_DATA).absolute()

    def overrides(self) -> list[Override]:
        """The settings that the options stand for; ConfigError names every --set that is none."""
        overrides, problems = [], []
        for text in self.sets:
            try:
                overrides.append(Override.parse(text))
            except ConfigError as error:
                problems += error.problems
        if problems:
            raise ConfigError(problems)
        for name, path in PORTS.items():
            port = getattr(self, name)
            if port is not None:
                overrides.append(Override(path, str(port), f"--{name.replace('_', '-')}"))
        if self.host is not None:
            # Not of services elsewhere, whose addresses the settings tell.
            overrides += [Override(f"{service}.host", self.host, "--host") for service in self.services]
        if self.listen is not None:
            overrides.append(Override("relay.listen", self.listen, "--listen"))
        return overrides

    def argv(self) -> list[str]:
        """The command line that these options came from, for another process."""
        argv: list[str] = []
        for field in dataclasses.fields(self):
            name, value = (
                f"--{field.name.replace('_', '-')}".replace("--sets", "--set"),
                getattr(self, field.name),
            )
            if isinstance(value, tuple):
                argv += [part for item in value for part in (name, item)]
            elif value is not None and value != field.default:
                argv += [name, str(value)]
        return argv


def run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a click command the options; it is called with one RunOptions."""

    @functools.wraps(command)
    def wrapped(**given: Any) -> Any:
        names = {field.name for field in dataclasses.fields(RunOptions)}
        own = {name: given.pop(name) for name in list(given) if name in names}
        return command(RunOptions(**own), **given)

    return with_options(OPTIONS)(wrapped)


def exposed(settings: Settings, services: Sequence[str]) -> list[str]:
    """Addresses, by setting, where these services would answer others than this machine."""
    wanted = [(f"{service}.host", settings.flat[service]["host"]) for service in services]
    return [f"{key} {value}" for key, value in wanted if not ipaddress.ip_address(value).is_loopback]


OPTIONS = (
    click.option("--config", type=click.Path(path_type=Path), envvar="SPEEDDATA_CONFIG_DIR", show_envvar=True,
                 help="Folder of YAML files and schemas; without it the defaults."),
    click.option("--data", type=click.Path(path_type=Path), help="Data folder: archive, registry. [default: data]"),
    click.option("--api-port", type=PORT, help="Port of the registration API and the pages. [default: 8080]"),
    click.option("--websocket-port", type=PORT, help="Port of the live data. [default: 8081]"),
    click.option("--pivot-port", type=PORT, help="Port of the history API. [default: 8000]"),
    click.option("--host", metavar="ADDR", help="Address for HTTP and WebSocket. [default: 127.0.0.1]"),
    click.option("--listen", metavar="ADDR", help="Address for the channels' UDP ports. [default: 127.0.0.1]"),
    click.option("--only", type=click.Choice(SERVICES), multiple=True, help="Run this service alone (may be repeated)."),
    click.option("--log-format", type=click.Choice(FORMATS), default="text", show_default=True, help="How it is said what happens."),
    click.option("--set", "sets", metavar="FILE.PATH=VALUE", multiple=True,
                 help="A setting, such as relay.decimation.factor=10 (may be repeated)."),
)  # fmt: skip
