"""An archive, its registry and a housekeeper that looks often; the relays are a keeper's, or only told of."""

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import segments as made

from speeddata.errors import RelayError
from speeddata.registry.channels import Registry
from speeddata.registry.registration import Registration
from speeddata.registry.store import Store
from speeddata.relay.data_folder import DataFolder
from speeddata.relay.housekeeper import Housekeeper
from speeddata.relay.trusted_clock import Reading, read_clocks
from speeddata.settings import Override, load_settings

HOUR = 3600 * 10**9
SERVICES = {8080: "registration API"}


class ToldRelays:
    """Stands for the keeper: tells of relays what it was told."""

    def __init__(self) -> None:
        self.in_use: dict[str, list[str] | None] = {}
        self.away = False

    def start(self, _spec: dict[str, Any]) -> int:
        return 1

    def stop(self, name: str) -> None:
        del self.in_use[name]

    def list(self, _name: str | None = None, *, stats: bool = False) -> list[dict[str, Any]]:
        if self.away:
            raise RelayError("no keeper")
        return [
            {"name": name, "pid": 1, "stats": {} if used is None else {"segments_in_use": used}}
            for name, used in self.in_use.items()
            if stats
        ]


class House:
    """Everything that a housekeeper needs, below a folder."""

    def __init__(self, folder: Path, launcher: Any = None, **settings: Any) -> None:
        self.data = DataFolder(folder / "data")
        self.data.make()
        self.archive = self.data.archive
        self.relays = launcher or ToldRelays()
        self.store = Store(self.data.registry)
        given = {key.replace("__", "."): value for key, value in settings.items()}
        overrides = [
            Override(f"relay.{key}", value if isinstance(value, str) else json.dumps(value))
            for key, value in given.items()
        ]
        relay = load_settings(None, overrides).flat["relay"]
        self.registry = Registry(self.store, self.relays, relay, self.archive, folder, SERVICES)
        self.keepers: list[Housekeeper] = []

    def channel(self, name: str, *in_use: str, port: int = 26000, **config: Any) -> None:
        """Register a channel, whose relay works on these segments."""
        self.registry.register(
            Registration(name, port + len(self.store.places()), made.SCHEMA, config or None)
        )
        if isinstance(self.relays, ToldRelays):
            self.relays.in_use[name] = list(in_use)

    def segment(self, channel: str, number: int, count: int = 10, **more: Any) -> Path:
        """A sealed segment that came in the hour of this number, its records of that time."""
        start = made.START + number * HOUR
        rows = [made.record(n, start + n) for n in range(count)]
        options: dict[str, Any] = {"start": start, "arrivals": [start] if rows else []} | more
        return made.write_segment(self.archive / channel, [rows] if rows else [], **options)

    def keeper(self, **options: Any) -> Housekeeper:
        """A housekeeper that is not begun."""
        made_one = Housekeeper(self.registry, self.data, **{"rest_s": 0.05, "settled_s": 0.0} | options)
        self.keepers.append(made_one)
        return made_one

    def close(self) -> None:
        for keeper in self.keepers:
            if keeper._thread.is_alive():
                keeper.stop()
        self.store.close()


def at(hour: float, boot: str = "boot") -> Callable[[], Reading]:
    """Clocks that stand so many hours after the first segment."""
    return lambda: Reading(made.START + int(hour * HOUR), read_clocks().boot_ns, boot)


def left(house: House, channel: str = "a") -> list[Path]:
    return sorted((house.archive / channel).glob(f"{channel}_*.avro"))


def passed(house: House, hour: float = 10.0, **options: Any) -> Housekeeper:
    """A housekeeper after one pass, at an hour."""
    keeper = house.keeper(clocks=at(hour), **options)
    keeper._pass()
    return keeper


Make = Callable[..., House]


@contextlib.contextmanager
def houses(folder: Path) -> Iterator[Make]:
    """What makes houses in a folder, and closes them; they need no free space, unless that is said."""
    made_ones: list[House] = []

    def make(**settings: Any) -> House:
        made_ones.append(House(folder, **{"retention__min_free_percent": 0} | settings))
        return made_ones[-1]

    yield make
    for house in made_ones:
        house.close()
