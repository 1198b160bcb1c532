"""The formats of an export: how each is named, told apart by Accept, compressed and written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

__all__ = ["DEFAULT", "FORMATS", "ZIP", "Format", "accepted"]


@dataclass(frozen=True)
class Format:
    """A format that files of an export can have."""

    name: str
    suffix: str  # of the file's name
    media: tuple[str, ...]  # the first is what an answer says, all are understood in Accept
    compressions: tuple[str, ...]  # the first is what is taken when none is asked for
    summary: str
    layouts: tuple[str, ...] = ()  # the first is what is taken when none is asked for
    grouped: bool = False  # whether a file can hold several channels

    @property
    def writer(self) -> Callable[..., Any]:
        """The function that writes it; its libraries are imported when they are used first."""
        return import_module(f"speeddata.pivot.format_{self.name}").write  # type: ignore[no-any-return]

    def full_suffix(self, compression: str) -> str:
        """The end of the name of a file that is compressed like this."""
        return self.suffix + (SUFFIXES.get(compression, "") if self.name in TEXT else "")

    def media_of(self, compression: str) -> str:
        """What kind of file that is."""
        return MEDIA.get(compression, self.media[0]) if self.name in TEXT else self.media[0]


TEXT = ("csv", "jsonl")
SUFFIXES = {"gzip": ".gz", "zstd": ".zst"}
MEDIA = {"gzip": "application/gzip", "zstd": "application/zstd"}
ZIP = Format("zip", ".zip", ("application/zip",), ("none",), "one file a channel")
FORMATS: Mapping[str, Format] = {
    made.name: made
    for made in (
        Format(
            "hdf5",
            ".h5",
            ("application/x-hdf5", "application/x-hdf", "application/vnd.hdfgroup.hdf5"),
            ("none", "gzip", "lzf", "zstd", "bitshuffle-lz4"),
            "HDF5: a group per channel, a dataset per signal",
            ("signals", "table"),
            grouped=True,
        ),
        Format(
            "parquet",
            ".parquet",
            ("application/vnd.apache.parquet", "application/x-parquet"),
            ("zstd", "snappy", "gzip", "lz4", "none"),
            "Parquet",
        ),
        Format(
            "arrow",
            ".arrow",
            ("application/vnd.apache.arrow.file",),
            ("none", "lz4", "zstd"),
            "Arrow IPC file (Feather V2), not the stream",
        ),
        Format("csv", ".csv", ("text/csv",), ("none", "gzip", "zstd"), "CSV as RFC 4180 has it, UTF-8"),
        Format(
            "jsonl",
            ".jsonl",
            ("application/x-ndjson", "application/jsonl", "application/jsonlines"),
            ("none", "gzip", "zstd"),
            "JSON lines: an object a record",
        ),
        Format(
            "avro",
            ".avro",
            ("application/avro", "avro/binary", "application/vnd.apache.avro+binary"),
            ("none", "deflate", "zstandard"),
            "Avro container file",
        ),
    )
}
DEFAULT = FORMATS["hdf5"]


def accepted(header: str | None) -> Format:
    """The format that an Accept header likes best; the default where it names none of them."""
    best, liked = DEFAULT, 0.0
    for item in (header or "").split(","):
        media, _, rest = item.partition(";")
        quality = _quality(rest)
        found = next((f for f in FORMATS.values() if media.strip().lower() in f.media), None)
        if media.strip() in ("*/*", "application/*"):
            found = DEFAULT
        if found is not None and quality > liked:
            best, liked = found, quality
    return best


def _quality(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().partition("=")
        if name.strip() == "q":
            try:
                return min(1.0, max(0.0, float(value)))
            except ValueError:
                return 0.0
    return 1.0
