"""`speeddata replay`: archived records as packets again, with their original timing."""

import json
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from speeddata.archive_commands import complain, printing, read_time
from speeddata.channel_names import complete_channels
from speeddata.counted import counted
from speeddata.exit_codes import DAMAGED, DONE, FAILED, epilog
from speeddata.server_options import server_options

if TYPE_CHECKING:
    from speeddata.packet_sender import PacketSender
    from speeddata.plan import Plan
    from speeddata.replay import Item, Track

__all__ = ["replay"]

FRAMINGS = ("plain", "single_object")
SECOND = 10**9


def read_speed(_context: click.Context, _option: click.Parameter, text: str) -> float | None:
    """How many times as fast; None as fast as possible."""
    try:
        speed = 0.0 if text == "max" else float(text)
    except ValueError:
        speed = -1.0
    if not 0 <= speed < float("inf"):
        raise click.BadParameter(f"{text!r}, wanted a number such as 10, or max")
    return speed or None


def read_targets(
    _context: click.Context, _option: click.Parameter, given: tuple[str, ...]
) -> dict[str, tuple[str, int]]:
    """Where channels go to; "" stands for all that are not named."""
    from speeddata.packet_sender import address_of

    targets = {}
    for text in given:
        name, _, address = text.rpartition("=")
        try:
            targets[name] = address_of(address)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None
    return targets


@click.command(
    epilog=epilog("all was sent, or Ctrl-C ended it", damaged="sent, but for what is damaged or too large")
)
@click.argument("paths", metavar="[PATH...]", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--channel",
    "channels",
    metavar="NAME",
    multiple=True,
    shell_complete=complete_channels,
    help="A channel of the archive, instead of files (may be repeated).",
)
@click.option(
    "--start", metavar="TIME", callback=read_time, help="Records from this time on, as 2026-11-22T14:30:00Z."
)
@click.option("--end", metavar="TIME", callback=read_time, help="Records before this time.")
@click.option(
    "--archive",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Archive that --channel is looked for in.  [default: archive of --data]",
)
@click.option(
    "--data",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Data folder.  [default: that of the server at --url if it is on this machine, else data]",
)
@click.option(
    "--speed",
    default="1",
    show_default=True,
    metavar="X",
    callback=read_speed,
    help="So many times as fast; 0 or max: as fast as 20,000 packets/s.",
)
@click.option(
    "--to",
    "targets",
    metavar="[NAME=]HOST:PORT",
    multiple=True,
    callback=read_targets,
    help="Where to, for all or for a channel (may be repeated).  [default: its port, as the server tells]",
)
@click.option(
    "--framing",
    type=click.Choice(FRAMINGS),
    help="How records are framed.  [default: as the server tells, plain with --to]",
)
@click.option(
    "--shift-time",
    type=click.Choice(("keep", "now")),
    default="keep",
    show_default=True,
    help="now: the first record gets the present time, all others as much later.",
)
@click.option("--loop", is_flag=True, help="Begin anew at the end, until Ctrl-C.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@click.option("--json", "as_json", is_flag=True, help="Say as JSON what was sent.")
@server_options
def replay(
    paths: tuple[Path, ...],
    channels: tuple[str, ...],
    start: int | None,
    end: int | None,
    archive: Path | None,
    data: Path | None,
    url: str,
    framing: str | None,
    targets: Mapping[str, tuple[str, int]],
    **options: Any,
) -> None:
    """Send archived records again as packets, one in each, byte for byte, as far apart as their times are.

    PATH is a segment, a channel's folder or an archive. Several channels keep their order in time.
    """  # fmt: skip
    from speeddata.errors import ArchiveError
    from speeddata.replay import tracks_of
    from speeddata.server import Failure

    if bool(paths) == bool(channels):
        raise click.UsageError("give either PATH or --channel")
    if start is not None and end is not None and start >= end:
        raise click.BadParameter("it must be after --start", param_hint="--end")
    try:
        tracks = tracks_of(paths or [folder_of(name, archive, data, url) for name in channels], start, end)
    except ArchiveError as error:
        raise Failure(str(error)) from None
    if not tracks:
        raise Failure("there are no records to be sent there")
    run = Run(tracks, outlets_of(tracks, url, targets, framing), options)
    with printing():
        run.all()
        run.tell()
    sys.exit(run.status)


def folder_of(name: str, archive: Path | None, data: Path | None, url: str) -> Path:
    """The folder of a channel: in the archive that was named, else where the server has it, else below data/."""
    from speeddata.host_names import is_loopback
    from speeddata.server import Failure, Server

    folder, more = archive or (data or Path("data")) / "archive", ""
    if archive is None and data is None:
        server = Server(url)
        try:
            told = Path(str(server.channel(name).get("archive")))
        except Failure as error:
            more = f"; {error.message}"
        else:
            if is_loopback(server.host) and told.is_dir():
                return told
    if not (folder / name).is_dir():
        raise Failure(f"there is no channel {name!r} in {folder} (--archive, --data){more}")
    return folder / name


class Outlet:
    """Where the records of a channel go to, and how they are framed."""

    def __init__(self, sender: "PacketSender", framing: str) -> None:
        self.sender = sender
        self.framing = framing
        self._plan: Plan | None = None
        self._frame = b""

    def frame(self, item: "Item") -> bytes:
        """What stands before a record."""
        from speeddata.packet_sender import frame_of

        if item.plan is not self._plan:
            self._plan, self._frame = item.plan, frame_of(self.framing, item.plan.schema)
        return self._frame


def outlets_of(
    tracks: "Sequence[Track]", url: str, targets: Mapping[str, tuple[str, int]], framing: str | None
) -> dict[str, Outlet]:
    """The outlet of each channel: as --to tells, else as the server does; ends the command where there is none."""
    from speeddata.packet_sender import NotSent, PacketSender
    from speeddata.server import Failure, Server

    made = {}
    for track in tracks:
        address, told = targets.get(track.name) or targets.get(""), "plain"
        if address is None:
            server = Server(url)
            about = server.channel(track.name)
            told = about["framing"]
            if about["port"] is None:
                raise Failure(
                    f"channel {track.name!r} has no UDP port; --to {track.name}=HOST:PORT tells another"
                )
            check_schema(track, about, framing or told)
            address = server.host, about["port"]
        try:
            made[track.name] = Outlet(PacketSender(*address), framing or told)
        except NotSent as error:
            raise Failure(str(error)) from None
    return made


def check_schema(track: "Track", about: Mapping[str, Any], framing: str) -> None:
    """Plain packets do not tell their schema: it must be that of the channel."""
    from speeddata.server import Failure

    assert track.schema is not None, "one with records has a schema"
    fingerprint = track.schema.fingerprint.hex()
    if framing == "plain" and about["schema"] != fingerprint:
        raise Failure(
            f"channel {track.name!r} takes records of schema {about['schema']}, these are of {fingerprint}"
        )


class Run:
    """Sends records when they are due, and counts."""

    def __init__(
        self, tracks: "Sequence[Track]", outlets: Mapping[str, Outlet], options: Mapping[str, Any]
    ) -> None:
        self.tracks, self.outlets = tracks, outlets
        self.speed: float | None = options["speed"]
        self.shift = options["shift_time"] == "now"
        self.loop: bool = options["loop"]
        self.as_json: bool = options["as_json"]
        self.shown = not (options["quiet"] or self.as_json)
        self.sent: Counter[str] = Counter()
        self.too_large = 0
        self.damages: list[str] = []
        self.error = ""
        self.seconds = 0.0

    @property
    def status(self) -> int:
        """The exit status."""
        return FAILED if self.error else DAMAGED if self.damages or self.too_large else DONE

    def all(self) -> None:
        """Send all there are, once or until Ctrl-C."""
        from speeddata.errors import ArchiveError
        from speeddata.packet_sender import NotSent

        begun = time.monotonic()
        try:
            self._round()
            while self.loop:
                self._round()
        except KeyboardInterrupt:
            pass
        except NotSent as error:
            self.error = str(error)
        except (ArchiveError, OSError) as error:
            self.error = error.strerror or str(error)
        finally:
            self.seconds = time.monotonic() - begun
            for outlet in self.outlets.values():
                outlet.sender.close()
            self.damages = [words for track in self.tracks for words in track.damages]

    def _round(self) -> None:
        from speeddata.packet_sender import Pacer
        from speeddata.progress_bar import ProgressBar
        from speeddata.replay import in_turn, shifted

        pacer, begun, first_ns, shift_ns = Pacer(), 0.0, None, 0
        with ProgressBar("replaying", sum(track.count for track in self.tracks), shown=self.shown) as bar:
            for item in in_turn(self.tracks):
                if first_ns is None:
                    # The wall clock first: no record goes before its time, as the first of the next round would be older then.
                    first_ns, shift_ns, begun = item.due_ns, time.time_ns() - item.due_ns, time.monotonic()
                due = begun + (item.due_ns - first_ns) / SECOND / self.speed if self.speed else None
                pacer.wait(due)
                outlet = self.outlets[item.track.name]
                data = shifted(item, shift_ns) if self.shift else item.data
                if outlet.sender.send(outlet.frame(item) + data):
                    self.sent[item.track.name] += 1
                else:
                    self.too_large += 1
                bar.add(1)
            for outlet in self.outlets.values():
                outlet.sender.finish()

    def tell(self) -> None:
        """Say what was sent, and what not."""
        complain(self.damages)
        if self.too_large:
            complain([f"speeddata: {counted(self.too_large, 'record')} left out, larger than a packet"])
        if self.error:
            complain([f"speeddata: {self.error}"])
        total = self.sent.total()
        if self.as_json:
            channels = {
                name: {"records": self.sent[name], "to": outlet.sender.to}
                for name, outlet in self.outlets.items()
            }
            told = {"records": total, "seconds": round(self.seconds, 3), "channels": channels,
                    "too_large": self.too_large, "damages": self.damages, "error": self.error or None}  # fmt: skip
            print(json.dumps(told))
            return
        where = ", ".join(f"{name} to {outlet.sender.to}" for name, outlet in self.outlets.items())
        print(f"sent {counted(total, 'record')} in {self.seconds:.1f} s: {where}")
