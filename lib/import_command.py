"""`speeddata import`: files into channels. What it needs is imported when it runs."""

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from speeddata.archive_commands import complain, printing, say, say_json
from speeddata.counted import counted
from speeddata.exit_codes import DONE, FAILED, epilog
from speeddata.import_settings import detection_options, options_of
from speeddata.server_options import token_file_option

if TYPE_CHECKING:
    from speeddata.import_channels import Channels
    from speeddata.import_options import ImportOptions
    from speeddata.import_plan import Found
    from speeddata.import_sender import HttpSender
    from speeddata.import_state import ImportState
    from speeddata.import_work import FileImport, Known

__all__ = ["import_files"]

EPILOG = f"{epilog(failed='failed or stopped')} Run the same command again to go on with what was stopped."
SEALED = 1 << 20  # bytes that are worth a segment of their own
API = "http://127.0.0.1:8080/api/v1"


@dataclass(frozen=True)
class Terms:
    """What counts for all files of a run."""

    api: str
    history: str | None
    dry_run: bool
    as_json: bool
    max_bad: int
    rejects: Path | None
    state: Path | None
    again: bool
    quiet: bool


@click.command("import", epilog=EPILOG)
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@detection_options
@click.option("--dry-run", is_flag=True, help="Examine, say what would be done, and send nothing.")
@click.option("--json", "as_json", is_flag=True, help="Say it as JSON.")
@click.option(
    "--max-bad",
    type=click.IntRange(0),
    default=100,
    show_default=True,
    metavar="N",
    help="Import nothing of a file with more lines than these that cannot be taken.",
)
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write those lines here, as CSV.",
)
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Where it is noted what is imported.  [default: ~/.local/state/speeddata/imports]",
)
@click.option("--again", is_flag=True, help="Import once more what is imported already.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.option("--api", default=API, show_default=True, metavar="URL", help="Registration API.")
@click.option("--history", metavar="URL", help="History service.  [default: as the API tells]")
@token_file_option  # fmt: skip
def import_files(
    files: tuple[Path, ...], dry_run: bool, as_json: bool, max_bad: int, rejects: Path | None, state: Path | None,
    again: bool, quiet: bool, api: str, history: str | None, **given: Any,
) -> None:  # fmt: skip
    """Import CSV, Parquet, HDF5 and Avro files into channels.

    How a file is written is found out and shown, and can be told instead. All of it is examined before anything is sent.
    Channels that there are not are made. What is imported is archived, and not sent live.
    """
    options = options_of(given)
    terms = Terms(api, history, dry_run, as_json, max_bad, rejects, state, again, quiet)
    with printing():
        status = Run(terms, options).all(files)
    sys.exit(status)


class Run:
    """Imports files one after the other."""

    def __init__(self, terms: Terms, options: "ImportOptions") -> None:
        self.terms = terms
        self.options = options
        self.told: list[dict[str, Any]] = []  # as JSON has it
        self.refused: list[tuple[Path, Found]] = []
        self.channels: Channels | None = None
        self.sender: HttpSender | None = None
        self.instance = ""  # of the data folder that the sender brings records to
        self.stopped = False
        self.loaded: Counter[str] = Counter()  # bytes that channels were sent

    def all(self, files: Sequence[Path]) -> int:
        """Import files; the exit status."""
        from speeddata.import_report import write_rejects

        failed = 0
        try:
            for path in files:
                failed += not self._import(path)
                if self.stopped:
                    break
            self._seal()
        finally:
            for open_one in (self.sender, self.channels):
                if open_one is not None:
                    open_one.close()
        if self.terms.rejects is not None:
            write_rejects(self.terms.rejects, self.refused)
        if self.terms.as_json:
            say_json({"dry_run": self.terms.dry_run, "files": self.told})
        return FAILED if failed else DONE

    def _import(self, path: Path) -> bool:
        """Import a file, part by part where it has parts, or say why not."""
        from speeddata.errors import SpeedDataError
        from speeddata.import_work import parts_of

        try:
            parts = parts_of(path, self.options)
        except SpeedDataError as error:
            self.told.append({"file": str(path)})
            return self._fail(path, self.told[-1], str(error).removeprefix(f"{path} "))
        whole = True
        for options in parts:
            whole = not self.stopped and self._part(path, options, len(parts) > 1) and whole
        return whole

    def _part(self, path: Path, options: "ImportOptions", of_several: bool) -> bool:
        from speeddata.errors import SpeedDataError
        from speeddata.import_work import FileImport

        entry: dict[str, Any] = {"file": str(path), "state": "failed"}
        if of_several:
            entry["group"] = options.group
        self.told.append(entry)
        work: FileImport | None = None
        try:
            work = FileImport(
                path, options, self.terms.max_bad, shown=not (self.terms.quiet or self.terms.as_json)
            )
            return self._one(work, entry)
        except KeyboardInterrupt:
            self.stopped = True
            self._fail(path, entry, "stopped; the same command goes on where it was")
        except SpeedDataError as error:
            text = str(error)
            self._fail(path, entry, text.removeprefix(f"{path}: ").removeprefix(f"{path} "))
        finally:
            if work is not None:
                work.close()
        return False

    def _one(self, work: "FileImport", entry: dict[str, Any]) -> bool:
        from speeddata.import_report import bad_lines, found_json, found_lines

        found = work.examine()
        self.refused.append((work.path, found))
        known = self._known(work)
        if self.terms.dry_run:
            self._note_former(work, known, entry)
        there = [name for name, channel in known.items() if channel is not None]
        entry.update(found_json(work.path, found, work.channels(), there))
        if self.terms.dry_run:
            entry["state"] = "examined"
            self._say(found_lines(work.path, found, work.channels(), there))
            work.fit(known)
            if found.bad_count <= self.terms.max_bad:
                return True
        if found.bad_count > self.terms.max_bad:
            if not self.terms.dry_run:
                self._say(bad_lines(found))
            return self._fail(
                work.path, entry, f"{found.bad_count:,} of {counted(found.bad_count + found.rows, 'line')} cannot be taken, more than "
                f"--max-bad {self.terms.max_bad}; nothing was imported",
            )  # fmt: skip
        if not found.rows:
            return self._fail(work.path, entry, "it has no rows")
        return self._send(work, known, entry)

    def _known(self, work: "FileImport") -> "Known":
        """The channels that there are; a dry run does without the registry where there is none."""
        from speeddata.import_channels import Channels
        from speeddata.import_sender import SendError

        names = list(work.names.values())
        if self.channels is None:
            self.channels = Channels(self.terms.api)
        try:
            return self.channels.find(names)
        except SendError as error:
            if not self.terms.dry_run:
                raise
            work.found.notes.append(f"whether the channels are there is not known: {error}")
            return dict.fromkeys(names)

    def _state(self, work: "FileImport", known: "Known") -> "ImportState":
        """What is noted of this import; not believed where none of its channels is there any more."""
        from speeddata.import_sender import HttpSender
        from speeddata.import_state import state_folder

        assert self.channels is not None, "asked for channels before"
        if self.sender is None:
            self.sender = HttpSender(self.terms.history or self.channels.history())
            self.instance = self.channels.instance()
        state = work.state(self.terms.state or state_folder(), self.sender.address, self.instance)
        if not any(known.values()):
            state.forget()
        return state

    def _note_former(self, work: "FileImport", known: "Known", entry: dict[str, Any]) -> None:
        """Have a dry run tell what of the file is imported already, as far as the system can be asked."""
        from speeddata.import_sender import SendError

        if self.terms.again or not any(known.values()):
            return
        try:
            state = self._state(work, known)
        except SendError as error:
            work.found.notes.append(f"whether it was imported before is not known: {error}")
            return
        if state.finished:
            entry["finished"] = state.finished
            work.found.notes.append(former_words(state))
        elif state.rows:
            work.found.notes.append(
                f"{state.rows:,} of {counted(work.found.rows, 'row')} are imported already"
            )

    def _send(self, work: "FileImport", known: "Known", entry: dict[str, Any]) -> bool:
        from speeddata.import_report import sent_json

        fit = work.fit(known)
        state = self._state(work, known)
        assert self.channels is not None, "asked for channels before"
        assert self.sender is not None, "made with the state"
        if state.finished and not self.terms.again:
            entry.update(state="imported before", finished=state.finished)
            self._say([f"{work.path}: {former_words(state)}"])
            return True
        if state.finished:
            state.renew()
        before = state.rows
        try:
            sent = work.run(self.channels, self.sender, state, fit, known)
        except BaseException:
            entry.update(imported=state.rows, imported_before=before)
            complain(
                [f"{work.path}: {state.rows:,} of {counted(work.found.rows, 'row')} are imported and durable"]
            )
            raise
        self.loaded += sent.sizes
        entry.update(state="imported", **sent_json(sent, before))
        self._say([_done(work, sent.rows, before)])
        return True

    def _seal(self) -> None:
        """Have the segments ended that much came into, so that they are compressed and rolled up now, not some time later."""
        for channel, size in self.loaded.items():
            if self.sender is not None and size >= SEALED:
                self.sender.seal(channel)

    def _say(self, lines: Any) -> None:
        if not self.terms.as_json:
            say(lines)

    def _fail(self, path: Path, entry: dict[str, Any], reason: str) -> bool:
        entry.update(state="failed", error=reason)
        group = f", group {entry['group']!r}" if "group" in entry else ""
        complain([f"{path}{group}: {reason}"])
        return False


def former_words(state: "ImportState") -> str:
    return f"imported before, {counted(state.rows, 'row')} at {state.finished}; --again imports it once more"


def _done(work: "FileImport", rows: int, before: int) -> str:
    names = list(work.channels())
    where = names[0] if len(names) == 1 else f"{counted(len(names), 'channel')}"
    more = f", {before:,} before" if before else ""
    refused = f", {counted(work.found.bad_count, 'line')} could not be taken" if work.found.bad_count else ""
    return f"{work.path}: {counted(rows, 'row')} imported into {where}{more}{refused}"
