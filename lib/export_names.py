"""Names of exported files: their ends tell the format, and a zip archive of several channels is called one."""

from pathlib import Path

from speeddata.errors import FormatError

__all__ = ["ENDS", "compression_of", "format_of", "named_for"]

SUFFIXES = {
    ".h5": "hdf5", ".hdf5": "hdf5", ".parquet": "parquet", ".arrow": "arrow", ".feather": "arrow", ".csv": "csv",
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".avro": "avro",
}  # fmt: skip
ENDS = {name: end for end, name in reversed(SUFFIXES.items())}
PACKED = {".gz": "gzip", ".zst": "zstd"}  # of text, as a whole
TEXT = ("csv", "jsonl")
ZIP = ".zip"


def format_of(path: Path) -> str:
    """The format that the end of a name tells, behind which `.zip`, `.gz` or `.zst` may be; FormatError for any other."""
    plain = path.with_suffix("") if path.suffix.lower() == ZIP else path
    format = SUFFIXES.get(plain.suffix.lower())
    if plain.suffix.lower() in PACKED:
        inner = SUFFIXES.get(plain.with_suffix("").suffix.lower())
        format = inner if inner in TEXT else None
    if format is None:
        raise FormatError(
            f"cannot tell a format by the name {str(path)!r}: wanted one that ends in {', '.join(SUFFIXES)}, "
            ".csv.gz, .csv.zst, or .zip behind such an end; else give a format"
        )
    return format


def compression_of(path: Path, format: str) -> str | None:
    """How a file of this name is compressed, where its name tells that."""
    plain = path.with_suffix("") if path.suffix.lower() == ZIP else path
    return PACKED.get(plain.suffix.lower()) if format in TEXT else None


def named_for(path: Path, zipped: bool, format: str) -> Path:
    """The path of what has come: with `.zip` at its end exactly where it is a zip archive."""
    if zipped == (path.suffix.lower() == ZIP):
        return path
    if zipped:
        return path.with_name(f"{path.name}{ZIP}")
    plain = path.with_suffix("")
    return plain if plain.suffix else plain.with_suffix(ENDS.get(format, ""))
