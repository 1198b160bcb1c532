"""Exports in Parquet and Arrow as channels, with units, schema and what is missing, and zip archives of them."""

import json
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet

from speeddata.errors import FormatError

if TYPE_CHECKING:
    from speeddata.channel import Channel
    from speeddata.dataset import Set

__all__ = ["channel_of_arrow", "channel_of_parquet", "set_of_zip"]

ABOUT = "about.json"
PREFIX = "speeddata."
FILE = b"ARROW1"  # what the file begins with that is no stream


def channel_of_parquet(path: Path) -> "Channel":
    """Read a Parquet file whose column `time` is the time; FormatError where it is none."""
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            table, about = file.read(), file.metadata.metadata or {}
    except (pa.ArrowException, OSError) as error:
        _absent(path, error)
        raise FormatError(f"{path} is no Parquet file, or a damaged one: {error}") from None
    return _channel(path, table, about)


def channel_of_arrow(path: Path) -> "Channel":
    """Read an Arrow IPC file (Feather V2) or stream whose column `time` is the time; FormatError where it is none."""
    try:
        with path.open("rb") as file:
            opened = pa.ipc.open_file if file.read(len(FILE)) == FILE else pa.ipc.open_stream
            file.seek(0)
            with opened(file) as reader:
                table = reader.read_all()
    except (pa.ArrowException, OSError) as error:
        _absent(path, error)
        raise FormatError(f"{path} is no Arrow file or stream, or a damaged one: {error}") from None
    return _channel(path, table, table.schema.metadata or {})


def set_of_zip(path: Path, opened: Callable[[Path], "Set"]) -> "Set":
    """Read an export of several channels in a format whose files hold one; each file is `opened` in a temporary folder."""
    from speeddata.dataset import Set

    made = Set()
    try:
        with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
            for name in archive.namelist():
                if name != ABOUT:
                    file = Path(archive.extract(name, folder))
                    made.add_channels(opened(file).channel)
                    file.unlink()
    except zipfile.BadZipFile as error:
        raise FormatError(f"{path} is no zip archive, or a damaged one: {error}") from None
    return made


def _absent(path: Path, error: Exception) -> None:
    """Raise what the system says of a file, such as that there is none."""
    if isinstance(error, OSError) and not isinstance(error, pa.ArrowException):
        path.open("rb").close()


def _channel(path: Path, table: Any, metadata: dict[bytes, bytes]) -> "Channel":
    """A table as a channel; what it is about is told by exports and by `Channel.to_arrow`."""
    from speeddata.channel import Channel

    about = {key.decode().removeprefix(PREFIX): value.decode() for key, value in metadata.items()}
    try:
        made = Channel.from_arrow(table, about.get("channel") or path.stem)
    except ValueError as error:
        raise FormatError(
            f"{path}: {error}; files of other makers are read by `speeddata import {path}`, or by "
            "Channel.from_arrow(table, name, time=...)"
        ) from error
    made.schema = about.get("schema") or made.schema
    outcome = json.loads(about.get("outcome") or "{}")
    made.gaps = [(gap["after_ns"], gap["missing"]) for gap in outcome.get("gaps", [])]
    made.damage = outcome.get("damage", [])
    return made
