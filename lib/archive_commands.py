"""The commands that look into the archive and mend it: verify, repair, inspect, cat. What they need is imported when they run."""

import codecs
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from speeddata.counted import counted
from speeddata.exit_codes import DAMAGED, DONE, FAILED, epilog

if TYPE_CHECKING:
    from speeddata.progress_bar import ProgressBar
    from speeddata.repair import Outcome
    from speeddata.verify import Report

__all__ = ["ARCHIVE_COMMANDS"]

EPILOG = epilog("whole", "unreadable", damaged="damaged but readable")
REPAIR_EPILOG = epilog("whole without loss", "could not be repaired", damaged="records were lost")
WHOLE, UNREADABLE = DONE, FAILED
HINT = "; is it of SpeedData up to 0.6? then --schema FILE tells its schema"


def paths_argument(metavar: str, *, folders: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    kind = click.Path(exists=True, dir_okay=folders, path_type=Path)
    return click.argument("paths", metavar=metavar, nargs=-1, required=True, type=kind)


def read_schema(_context: click.Context, _option: click.Parameter, path: Path | None) -> str | None:
    """The text of a schema file, which must be one that records can be read by."""
    if path is None:
        return None
    from speeddata.errors import SchemaError
    from speeddata.schema import Schema

    try:
        return Schema.parse(path.read_bytes(), timed=False).text
    except (OSError, SchemaError) as error:
        raise click.BadParameter(f"{path}: {error}") from None


def read_time(_context: click.Context, _option: click.Parameter, text: str | None) -> int | None:
    """An ISO 8601 time in nanoseconds."""
    if text is None:
        return None
    from speeddata.errors import TimeError
    from speeddata.times import parse_time

    try:
        return parse_time(text)
    except TimeError as error:
        raise click.BadParameter(str(error)) from None


json_option = click.option("--json", "as_json", is_flag=True, help="Say it as JSON.")
quiet_option = click.option("-q", "--quiet", is_flag=True, help="No progress.")
schema_option = click.option(
    "--schema", "schema_text", metavar="FILE", callback=read_schema,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Schema of files that have no head, as those of SpeedData up to 0.6.",
)  # fmt: skip


@click.command(epilog=EPILOG)
@paths_argument("PATH...", folders=True)
@json_option
@quiet_option
@schema_option
def verify(paths: tuple[Path, ...], as_json: bool, quiet: bool, schema_text: str | None) -> None:
    """Say what is damaged of an archive, and what that cost.

    Each block is read of segments, of channels' folders or of a whole archive, and compared with its index.
    """
    from speeddata.verify import summary

    files = []
    with printing():
        with bar_of("verifying", not (as_json or quiet)) as bar:
            for report in reports_of(paths, schema_text, bar):
                files.append(report.as_json())
                if not as_json and (lines := report.lines()):
                    with bar.aside():
                        say(lines)
        told = summary(files)
        if as_json:
            say_json({"files": files, "summary": told})
        else:
            say([figures(told)])
    sys.exit({"whole": WHOLE, "unreadable": UNREADABLE, "damaged": DAMAGED}[told["state"]])


@click.command(epilog=REPAIR_EPILOG)
@paths_argument("PATH...", folders=True)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@json_option
@quiet_option
def repair(paths: tuple[Path, ...], dry_run: bool, as_json: bool, quiet: bool) -> None:
    """Make damaged segments whole, and keep the damaged ones.

    An index is made anew, a torn tail is cut, the good blocks around damage go to a new file. What is being written is
    let alone.
    """
    outcomes = []
    with printing():
        with bar_of("repairing", not (as_json or quiet)) as bar:
            for outcome in outcomes_of(paths, dry_run, bar):
                outcomes.append(outcome)
                if not as_json and (lines := outcome.lines()):
                    with bar.aside():
                        say(lines)
        if as_json:
            say_json({"dry_run": dry_run, "files": [one.as_json() for one in outcomes]})
        else:
            done = sum(bool(outcome.done) for outcome in outcomes)
            failed = sum(bool(outcome.error) for outcome in outcomes)
            what = "to be repaired" if dry_run else "repaired"
            say([f"{counted(len(outcomes), 'file')}, {done} {what}, {failed} that cannot be"])
    sys.exit(worst(outcome.status for outcome in outcomes))


@click.command(epilog=EPILOG)
@click.argument("path", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
@schema_option
def inspect(path: Path, as_json: bool, schema_text: str | None) -> None:
    """Tell all about a segment.

    Its schema, signals, times, blocks, index and damage.
    """
    from speeddata.describe import describe, description_lines

    status = UNREADABLE
    with printing():
        with bar_of("reading", not as_json) as bar:
            reports = list(reports_of([path], schema_text, bar))
        for report in reports:
            status = report.status
            if as_json:
                say_json(describe(report))
            else:
                say(description_lines(report))
    sys.exit(status)


@click.command(epilog=EPILOG)
@paths_argument("FILE...", folders=False)
@click.option(
    "--start", metavar="TIME", callback=read_time, help="Records from this time on, as 2026-11-22T14:30:00Z."
)
@click.option("--end", metavar="TIME", callback=read_time, help="Records before this time.")
@click.option(
    "--json", "form", flag_value="json", default=True, help="JSON, a line for each record.  [default]"
)
@click.option("--csv", "form", flag_value="csv", help="CSV with a line of names.")
@quiet_option
@schema_option
def cat(
    paths: tuple[Path, ...],
    start: int | None,
    end: int | None,
    form: str,
    quiet: bool,
    schema_text: str | None,
) -> None:
    """Print records as JSON lines or CSV.

    Of segments or of other Avro container files, in the order they are stored in. Damage is said on standard error, and
    how far it is where the records themselves go elsewhere.
    """
    from speeddata.cat import Cat
    from speeddata.record_text import CsvLines, Form, JsonLines

    if start is not None and end is not None and start >= end:
        raise click.BadParameter("it must be after --start", param_hint="--end")
    lines: Form = CsvLines() if form == "csv" else JsonLines()
    statuses = []
    with printing(), bar_of("reading", not (quiet or sys.stdout.isatty())) as bar:
        bar.reach(0, sum(path.stat().st_size for path in paths))
        for path in paths:
            path = path.resolve() if path.is_symlink() else path  # one that is named is followed
            source = Cat(path, start_ns=start, end_ns=end, schema_text=schema_text, watch=bar.add)
            for text in source.text(lines):
                sys.stdout.buffer.writelines(for_reader([text.encode()]))
            with bar.aside():
                if source.error:
                    complain([f"{path}: unreadable: {source.error}{hint(path, schema_text)}"])
                complain(source.damages)
            statuses.append(UNREADABLE if source.error else DAMAGED if source.damages else WHOLE)
    sys.exit(worst(statuses))


ARCHIVE_COMMANDS = (verify, repair, inspect, cat)


def bar_of(what: str, shown: bool) -> "ProgressBar":
    """A bar of the bytes that are read."""
    from speeddata.progress_bar import BYTES, ProgressBar

    return ProgressBar(what, unit=BYTES, shown=shown)


def found_files(paths: Iterable[Path], bar: "ProgressBar") -> list[tuple[Path, OSError | None]]:
    """The files that paths stand for; the bar is told how many bytes they are."""
    from speeddata.segment_files import segment_files

    found = list(segment_files(paths))
    total = 0
    for path, error in found:
        with suppress(OSError):
            total += 0 if error else path.stat().st_size
    bar.reach(0, total)
    return found


def reports_of(paths: Iterable[Path], schema_text: str | None, bar: "ProgressBar") -> "Iterator[Report]":
    """What is found out about each file, but for those that are deleted before it is their turn."""
    from speeddata.verify import Report, verify

    for path, error in found_files(paths, bar):
        if error:
            report = Report(path)
            report.refuse(error)
            yield report
            continue
        try:
            report = verify(path, schema_text=schema_text, watch=bar.add)
        except FileNotFoundError:
            continue
        if report.error:
            report.error += hint(path, schema_text)
        yield report


def outcomes_of(paths: Iterable[Path], dry_run: bool, bar: "ProgressBar") -> "Iterator[Outcome]":
    """What becomes of each file."""
    from speeddata.repair import Outcome, repair, tidy

    paths = list(paths)
    tidied: set[Path] = set()
    for path, error in found_files(paths, bar):
        if error:
            yield Outcome(path, error=error.strerror or str(error))
            continue
        try:
            if not dry_run and path not in paths and path.parent not in tidied:
                tidied.add(path.parent)
                tidy(path.parent)
            yield repair(path, dry_run=dry_run, watch=bar.add)
        except FileNotFoundError:
            continue


def worst(statuses: Iterable[int]) -> int:
    """The exit status of many: unreadable before damaged before whole."""
    seen = set(statuses)
    return next((status for status in (UNREADABLE, DAMAGED) if status in seen), WHOLE)


def hint(path: Path, schema_text: str | None) -> str:
    """What may help with a file that has no head."""
    if schema_text is not None or not path.is_file():
        return ""
    try:
        with path.open("rb") as file:
            return HINT if file.read(1) == b"\x02" else ""
    except OSError:
        return ""


def figures(told: dict[str, Any]) -> str:
    """The last line that verify says."""
    if told["files"] == 0:
        return "no .avro files there: nothing to verify"
    sizes = [counted(told[f"{noun}s"], noun, "") for noun in ("file", "block", "record", "byte")]
    line = f"{', '.join(sizes)}: "
    if told["state"] == "whole":
        return f"{line}whole"
    lost = "an unknown number of records" if told["lost"] is None else counted(told["lost"], "record", "")
    return f"{line}{told['damaged']} damaged, {told['unreadable']} unreadable, {lost} lost"


@contextmanager
def printing() -> Iterator[None]:
    """End quietly when nobody reads what is printed any more."""
    if sys.stdout is None:  # closed by who called us
        sys.exit(WHOLE)
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        forget_output()
        sys.exit(WHOLE)
    except OSError as error:
        forget_output()
        complain([f"speeddata: {error.strerror or error}"])
        sys.exit(UNREADABLE)


def forget_output() -> None:
    """Let what is not printed yet go nowhere, or Python would try to print it at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.buffer.write(f"{shown(line)}\n".encode())


def say_json(told: Any) -> None:
    sys.stdout.buffer.write(f"{json.dumps(told, indent=2)}\n".encode())


def complain(lines: Iterable[str]) -> None:
    for line in lines:
        print(shown(line), file=sys.stderr)


def for_reader(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Lines for standard output, byte for byte, but for what would act on a terminal if that is one."""
    if not sys.stdout.isatty():
        yield from pieces
        return
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for piece in (*pieces, None):
        text = decoder.decode(piece or b"", final=piece is None)
        yield "\n".join(map(shown, text.replace("\r\n", "\n").split("\n"))).encode()


def shown(text: str) -> str:
    """Text as a terminal may have it: a file name can hold anything."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)
