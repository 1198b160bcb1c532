"""The command `export`: a range or a tag from the history service into a file."""

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from speeddata.counted import counted
from speeddata.errors import FormatError
from speeddata.exit_codes import DAMAGED, DONE, FAILED, USAGE, epilog
from speeddata.export_names import ENDS, compression_of, format_of
from speeddata.server_options import history_option, token_file_option

if TYPE_CHECKING:
    from speeddata.export_client import Fetched, Progress

__all__ = ["export"]

EPILOG = epilog(damaged="done but damaged places of the archive are left out")


@click.command(epilog=EPILOG)
@click.option("--tag", metavar="NAME", help="Name or id of a tag: all of its range and channels.")
@click.option("--channels", metavar="NAMES", help="Channels, with commas between.")
@click.option("--start", metavar="TIME", help="ISO 8601, such as 2026-11-22T14:30:00Z.")
@click.option("--end", metavar="TIME", help="ISO 8601; now when only --start is given.")
@click.option("--duration", metavar="SPAN", help="Such as 5m or PT5M; alone: up to the newest record.")
@click.option("--signals", metavar="NAMES", help="Signals, or channel.signal, with commas between.")
@click.option("-o", "--output", "path", metavar="FILE", help="File to write; - is standard output.")
@click.option("--format", metavar="NAME", help="hdf5, parquet, arrow, csv, jsonl, avro; else by FILE's end.")
@click.option("--compression", metavar="NAME", help="One that the format has, such as zstd; none.")
@click.option("--layout", metavar="NAME", help="HDF5: signals or table.")
@click.option("--decimate", metavar="HOW", help="Such as every:10, mean:10Hz, minmax:1s.")
@click.option("--align", metavar="HOW", help="One time base for all: previous, linear or nearest.")
@click.option("--base", metavar="BASE", help="Of --align: a channel, or a rate such as 100Hz.")
@click.option("--time", metavar="FORM", help="CSV and JSON lines: iso, ns or s.")
@click.option("--header", metavar="FORM", help="CSV: names or units.")
@history_option
@token_file_option
@click.option("--json", "as_json", is_flag=True, help="Say as JSON what was made.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def export(path: str | None, url: str, as_json: bool, quiet: bool, **asked: str | None) -> None:
    """Write a range of time, or what a tag covers, to a file.

    What is too long to be made while the service is asked is made there in the background; a download that breaks is
    taken up where it ended, also by the same command given again. Where a file holds one channel, several are a zip
    archive, which is named so: `-o run.parquet` becomes run.parquet.zip.
    """
    from speeddata.export_client import ExportClient, ExportError

    given = {name: value for name, value in asked.items() if value}
    out = sys.stdout.buffer if path == "-" else None
    if "tag" not in given and "channels" not in given:
        raise click.UsageError("give --tag, or --channels and a range")
    place = None if path in (None, "-") else Path(path or "")
    if place is not None:
        given = told_by(place, given) | given
    if place is None and out is None and "tag" in given and not as_zip(given):
        place = Path(file_name(given["tag"], given.get("format", "hdf5")))
    with showing(not quiet and not as_json) as watch:
        try:
            fetched = ExportClient(url, watch).fetch(given, place, out)
        except ExportError as error:
            if as_json:
                print(json.dumps({"error": str(error), **error.body}), file=sys.stderr)
            else:
                print(f"speeddata export: {error}", file=sys.stderr)
            sys.exit(USAGE if error.status == 400 else FAILED)
        except OSError as error:
            print(f"speeddata export: {error.filename or place}: {error.strerror}", file=sys.stderr)
            sys.exit(FAILED)
    say(fetched, as_json, out is not None)
    sys.exit(DAMAGED if fetched.partial else DONE)


def told_by(place: Path, given: dict[str, str]) -> dict[str, str]:
    """Format and compression as the name of the file tells them, unless they are given."""
    try:
        format = given.get("format") or format_of(place)
    except FormatError as error:
        raise click.UsageError(f"{error} (--format)") from None
    compression = compression_of(place, format)
    return {"format": format} | ({"compression": compression} if compression else {})


def as_zip(given: dict[str, str]) -> bool:
    """Whether it may come as a zip archive, whose name is left to the service."""
    return given.get("format", "hdf5") != "hdf5" and "align" not in given


def file_name(tag: str, format: str) -> str:
    """What the file of a tag is called."""
    return (re.sub(r"[^\w.-]+", "_", tag).strip("._") or "export")[:100] + ENDS.get(format, "")


def say(fetched: "Fetched", as_json: bool, piped: bool) -> None:
    """Tell what has arrived."""
    told: dict[str, Any] = {"file": str(fetched.path) if fetched.path else None, "bytes": fetched.bytes}
    told |= {"zip": True} if fetched.zipped else {}
    told |= {"partial": fetched.partial} if fetched.partial else {}
    told |= {} if fetched.records is None else {"records": fetched.records}
    where = sys.stderr if piped else sys.stdout
    if as_json:
        print(json.dumps(told), file=where)
    elif fetched.path:
        about = ", a zip archive with a file for each channel" if fetched.zipped else ""
        records = "" if fetched.records is None else f"{counted(fetched.records, 'record')}, "
        print(f"{fetched.path}: {records}{counted(fetched.bytes, 'byte')}{about}", file=where)
    elif fetched.zipped:
        print("speeddata export: several channels, so this is a zip archive", file=where)
    if fetched.partial and not as_json:
        print(f"speeddata export: {fetched.partial}, see the attribute damage", file=sys.stderr)


@contextmanager
def showing(wanted: bool) -> "Iterator[Any]":
    """A bar for each stage, with rate and time left, where somebody looks."""
    from speeddata.progress_bar import BYTES, ProgressBar

    bars: dict[str, ProgressBar] = {}

    def watch(seen: "Progress") -> None:
        if seen.stage not in bars:
            for former in bars.values():
                former.close()
            unit = "records" if seen.stage == "making" else BYTES
            bars[seen.stage] = ProgressBar(seen.stage, unit=unit, shown=wanted)
        bars[seen.stage].reach(seen.done, seen.total)

    try:
        yield watch
    finally:
        for bar in bars.values():
            bar.close()
