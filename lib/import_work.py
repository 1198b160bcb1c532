"""The steps of `speeddata import` for one file: open, examine, find or make channels, bring the rows there."""

import datetime
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from speeddata.errors import FormatError
from speeddata.import_channels import Channels
from speeddata.import_files import file_format, open_source
from speeddata.import_names import channel_name
from speeddata.import_options import ImportOptions
from speeddata.import_plan import Fit, Found, Source, fit_schema, make_schema
from speeddata.import_run import Importer, Sender, Sent
from speeddata.import_state import ImportState
from speeddata.progress_bar import BYTES, ProgressBar
from speeddata.schema import Schema

__all__ = ["FileImport", "channel_names", "parts_of"]

Known = Mapping[str, tuple[Schema, str | None] | None]


@dataclass
class FileImport:
    """One file on its way into the archive."""

    path: Path
    options: ImportOptions
    max_bad: int
    shown: bool = False  # progress

    def __post_init__(self) -> None:
        self.source: Source
        self.source, name = open_source(self.path, self.options, self.max_bad)
        self.channel = self.options.channel or channel_name(name)
        self.found: Found
        # The channels by their keys.
        self.names: dict[str, str] = {}

    def close(self) -> None:
        self.source.close()

    def examine(self) -> Found:
        """Look at all of the file."""
        with ProgressBar(f"examining {self.path.name}", unit=BYTES, shown=self.shown) as bar:
            self.found = self.source.examine(bar.reach)
        self.names = channel_names(self.channel, list(self.found.keys))
        return self.found

    def channels(self) -> dict[str, int]:
        """Rows by channel."""
        return {self.names[key]: rows for key, rows in self.found.keys.items()}

    def fit(self, known: Known) -> Fit:
        """How the rows go into the channels that there are, or into new ones; FormatError when they do not."""
        found = self.found
        fits = {}
        for name, channel in known.items():
            if channel is not None:
                fits[name] = fit_schema(name, channel[0], channel[1], found)
        if len({fit.schema.fingerprint for fit in fits.values()}) > 1:
            raise FormatError(
                f"channels {', '.join(fits)} have different schemas: import into others by --channel"
            )
        if fits:
            return next(iter(fits.values()))
        made = found.schema or make_schema(self.channel, found.fields, found.time_unit)
        schema = Schema.parse(made, time_unit=None if found.schema is not None else found.time_unit)
        return fit_schema(self.channel, schema, found.time_unit, found)

    def state(self, folder: Path, service: str, instance: str) -> ImportState:
        """What is known of this very import: the file's content, the options, the channel, the service and its data folder."""
        about: dict[str, Any] = {
            "content": self.found.identity,
            "options": self.options.mark(),
            "channel": self.channel,
            "service": service,
            "rows": self.found.rows,
        }
        if instance:
            about["instance"] = instance
        mark = hashlib.sha256(repr(about).encode()).hexdigest()
        return ImportState(folder / f"{mark[:24]}.jsonl", about)

    def run(self, channels: Channels, sender: Sender, state: ImportState, fit: Fit, known: Known) -> Sent:
        """Bring the rows to the archive."""
        # Notes of a channel that is gone end before it is there again: it must not be taken for the one they are about.
        state.begin()
        missing = [name for name, channel in known.items() if channel is None]
        if missing:
            channels.make(missing, fit.schema.json, fit.unit)
        salt = f"{fit.schema.fingerprint.hex()} {fit.unit} {state.again}"
        names = [self.names[key] for key in self.found.keys]
        importer = Importer(self.source, sender, state, names, salt)
        left = [chunk for number, chunk in enumerate(self.found.chunks) if number not in state.done]
        size = sum(chunk.size for chunk in left)
        with ProgressBar(f"importing {self.path.name}", size, unit="rows", shown=self.shown) as bar:
            sent = importer.run(self.found.chunks, fit, bar.add)
        state.finish(datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"))
        return sent


def parts_of(path: Path, options: ImportOptions) -> list[ImportOptions]:
    """What counts for each part of a file that is imported by itself, as groups of different datasets are; FormatError."""
    if options.group is not None or file_format(path) != "hdf5":
        return [options]
    from speeddata.import_hdf5 import unlike_groups

    groups = unlike_groups(path, options)
    names = channel_names(options.channel or channel_name(path.stem), groups) if groups else {}
    return [replace(options, group=group, channel=name) for group, name in names.items()] or [options]


def channel_names(base: str, keys: list[str]) -> dict[str, str]:
    """A channel's name for each key; FormatError when two have the same."""
    if keys == [""]:
        return {"": base}
    names: dict[str, str] = {}
    for key in keys:
        name = channel_name(key or "empty", base)
        if name in names.values():
            other = next(k for k, taken in names.items() if taken == name)
            raise FormatError(f"the values {other!r} and {key!r} would both be channel {name!r}")
        names[key] = name
    return names
