"""One client of a whole system: its registry, and its history."""

import time
import uuid
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import pyarrow as pa

from speeddata import follow as following
from speeddata import remote_query
from speeddata.dataset import Set
from speeddata.export_names import compression_of, format_of, named_for
from speeddata.remote_bodies import bodies_of
from speeddata.remote_error import RemoteError
from speeddata.remote_http import Service
from speeddata.set_times import duration_of, stamp_of
from speeddata.times import format_time

__all__ = ["Client"]

ARROW = "application/vnd.apache.arrow.stream"
CHUNK = 1 << 20
LOOK_S = 0.2
ZIP = "application/zip"
TOO_LONG = (408, 413)  # what the service makes in the background only


class Client:
    """Asks the services of a system.

    Usage:

        with Client() as client:
            client.ingest([{"time": "2026-01-01T00:00:00Z", "speed": 3000.0}], "engine", create=True)
            data = client.query("engine", start="2026-01-01", every="1m")
            print(data.engine.signal["speed.avg"])

    Times are as `Channel.between` takes them, or "now"; durations are such as "30s", "15m", "PT1H", or timedeltas. Ranges
    have their start and not their end. What a service refuses is raised as `speeddata.remote_error.RemoteError` in its words. Requests that a busy service turns away (429, 503) are sent again
    after what it says, at most `attempts` times in all; so are those whose connection broke, where that does no harm
    (`ingest` has a key by which the service knows a batch again). A service that is not there is a
    requests.ConnectionError, one that does not answer within `timeout_s` a requests.Timeout.
    """

    def __init__(
        self,
        registry: str = "http://localhost:8080",
        history: str = "http://localhost:8000",
        *,
        timeout_s: float = 60.0,
        attempts: int = 6,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.registry = Service(registry, timeout_s, attempts, headers, "registry")
        self.history = Service(history, timeout_s, attempts, headers, "history service")
        self._headers = dict(headers or {})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self.registry.close()
        self.history.close()

    def channels(self, status: str | None = None) -> list[dict[str, Any]]:
        """The registered channels, or those of a status ("registered", "active"): name, port, schema, status, counters."""
        params = {"status": status} if status else None
        found: list[dict[str, Any]] = self.registry.json("GET", "/channels", params=params)["channels"]
        return found

    def register(self, name: str, schema: Any, port: int | None = None, **config: Any) -> dict[str, Any]:
        """Register a channel of an Avro schema (an object, or a path on the server); it records when this returns.

        Without a `port` it takes no UDP packets and is fed by `ingest` alone.
        """
        body: dict[str, Any] = {"name": name, "port": port, "schema": schema}
        if config:
            body["config"] = config
        made: dict[str, Any] = self.registry.json("POST", "/channels", json=body, again=False)
        return made

    def tags(self, channel: str | None = None, name: str | None = None) -> list[dict[str, Any]]:
        """All tags, or those about a channel, or of a name: id, name, start, end, channels, note."""
        params = {key: value for key, value in (("channel", channel), ("name", name)) if value}
        found: list[dict[str, Any]] = self.registry.json("GET", "/tags", params=params)["tags"]
        return found

    def tag(
        self,
        name: str,
        start: Any = None,
        end: Any = None,
        *,
        last: Any = None,
        channels: Iterable[str] | None = None,
        note: str | None = None,
    ) -> dict[str, Any]:
        """Name a range of time, which is kept from then on: from start to end, or the `last` such as "5m"."""
        body: dict[str, Any] = {"name": name}
        for key, value in (
            ("start", _time(start)),
            ("end", _time(end)),
            ("last", _span(last)),
            ("note", note),
        ):
            if value is not None:
                body[key] = value
        if channels is not None:
            body["channels"] = list(channels)
        made: dict[str, Any] = self.registry.json("POST", "/tags", json=body, again=False)
        return made

    def delete_tag(self, id: int) -> None:
        """Delete a tag; what only it kept may be deleted from then on."""
        self.registry.ask("DELETE", f"/tags/{quote(str(id), safe='')}")

    def signals(self, *channels: str) -> list[dict[str, Any]]:
        """The signals there are, or those of some channels: name, type, unit, first and last time, count, latest value."""
        return remote_query.signals(self.history, channels)

    def query(
        self,
        channels: str | Iterable[str],
        start: Any = None,
        end: Any = None,
        *,
        signals: str | Iterable[str] = (),
        duration: Any = None,
        every: str | None = None,
        width: int | None = None,
        aggregates: str | Iterable[str] = (),
        limit: int | None = None,
        **options: Any,
    ) -> Set:
        """The records of some channels in [start, end), all of them, or what they come to in each bucket of time.

        Two of `start`, `end` and `duration` make the range. With `every` ("1m", "1h" ...) or `width` (pixels) the signals
        are aggregates, named such as `speed.avg` (`aggregates`: avg, min, max, count ...) at the time the bucket begins.
        Other `options` are the service's: `fill`, `where`, `zone`. Gives a Set of arrays, with units; large answers are
        fetched in parts. `limit` is how many records of each channel at most.
        """
        asked = {"start": _time(start), "end": _time(end), "duration": _span(duration), "signals": _listed(signals),
                 "every": every, "width": width, "aggregates": _listed(aggregates), **options}  # fmt: skip
        asked = {key: value for key, value in asked.items() if value not in (None, "")}
        made = Set()
        for name in _listed(channels).split(","):
            made.add_channels(remote_query.fetch(self.history, name, asked, limit))
        return made

    def export(
        self,
        path: str | Path,
        channels: str | Iterable[str] = (),
        start: Any = None,
        end: Any = None,
        *,
        background: bool = False,
        timeout_s: float | None = None,
        **options: Any,
    ) -> Path:
        """Write a range of some channels, its end included, to a file; the end of its name or `format` tells the format.

        Where a file holds one channel (all formats but HDF5) several are a zip archive, and `.zip` is put behind the name.
        Other `options` are the service's: `signals`, `duration`, `tag`, `compression`, `layout`, `decimate`, `align`,
        `base`. In the `background` the service makes it as a job, however long that takes, and it is fetched when done
        (TimeoutError after `timeout_s`); what is long is refused else. The file appears when it is whole. Gives its path.
        """
        path = Path(path)
        asked = {"channels": _listed(channels), "start": _time(start), "end": _time(end), **options}
        asked["format"] = format = asked.get("format") or format_of(path)
        asked["duration"] = _span(asked.get("duration"))
        asked.setdefault("compression", compression_of(path, format))
        asked = {key: _listed(value) for key, value in asked.items() if value not in (None, "")}
        if background:
            file = self._job(asked, timeout_s)
            return self._download(path, file, {}, timeout_s, format)
        try:
            return self._download(path, "/pivot/export", asked, timeout_s, format)
        except RemoteError as error:
            if error.status not in TOO_LONG:
                raise
            words = f"{error.details.get('error', error)}: too long for one answer, have it made in the background: "
            raise RemoteError(
                error.status, f"{words}export({str(path)!r}, ..., background=True)", error.details
            ) from None

    def ingest(
        self,
        data: Any,
        channel: str | None = None,
        *,
        create: bool = False,
        durability: str | None = None,
        key: str | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        """Archive records; when this returns they are written (`durability="block"`: on the disk).

        `data` is a list of dicts (a record each), a dict of columns, a pandas or polars data frame, a pyarrow.Table or a
        Channel; it has a `time` (a pandas frame: or an index of times). With `create` a channel that there is not is made
        by what the data look like. Long data go in batches of about 8 MiB (10,000 rows of dicts), each all or nothing and
        each with a `key` by which the service knows it again, so that one sent twice is archived once. Gives
        `{"records": how many, "batches": how many, "repeated": how many the service knew already}`.
        """
        name, bodies = bodies_of(data, channel)
        params = {"channel": name, "durability": durability, "create": "true" if create else None, **options}
        params = {key: value for key, value in params.items() if value is not None}
        key, done, batches, repeated = key or uuid.uuid4().hex, 0, 0, 0
        for place, body in enumerate(bodies):
            headers = {"Content-Type": body.content_type, "Idempotency-Key": f"{key}-{place}"}
            answer = self.history.json("POST", "/ingest", params=params, data=body.data, headers=headers)
            done, batches = done + body.records, batches + 1
            repeated += bool(answer.get("repeated"))
        return {"records": done, "batches": batches, "repeated": repeated}

    def sql(self, statement: str, **options: Any) -> Any:
        """What a statement of SQL that reads gives, as a pyarrow.Table (`.to_pandas()` ...); channels are tables.

        Other `options` are the service's: `limit` (rows), `timeout` (seconds), `time_zone`.
        """
        answer = self.history.ask(
            "POST", "/sql", json={"sql": statement, **options}, headers={"Accept": ARROW},
            timeout_s=max(self.history.timeout_s, float(options.get("timeout", 0)) + 5),
        )  # fmt: skip
        with pa.ipc.open_stream(answer.content) as stream:
            return stream.read_all()

    def follow(
        self,
        channels: str | Iterable[str] = (),
        *,
        signals: str | Iterable[str] = (),
        start: Any = None,
        duration: Any = None,
        resume: str | None = None,
        heartbeat_s: float = 5.0,
        retry: bool = True,
        heartbeats: bool = False,
    ) -> AsyncIterator[following.Batch]:
        """Follow channels: their records from `start` on (or the last `duration`) in the order of time, then what comes.

            async for batch in client.follow("engine", duration="PT1M"):
                print(batch.data.speed[-1], batch.live)

        What comes is given in the order of arrival, about as soon as it is in the archive (a block's age, 1 s unless the
        channel has another), late records and those out of order too, but for what is older than `start`. Without either only
        what comes from now on. Each record is given once, though connections break and the service is started anew:
        `retry=False` raises then. `batch.resume` is what `resume` takes to go on after that batch, tomorrow or in another
        process. A slow consumer is waited for. `heartbeats` gives batches without records too. Ends when it is closed.
        Of a segment whose disk refuses an fsync the last second may be given twice.
        """
        return following.follow(
            self.history.url, _names(channels), signals=_names(signals), start=_time(start), duration=_span(duration),
            resume=resume, heartbeat_s=heartbeat_s, headers=self._headers, retry=retry, heartbeats=heartbeats,
        )  # fmt: skip

    def _job(self, asked: Mapping[str, Any], timeout_s: float | None) -> str:
        """Have an export made in the background; the path of its file."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        job = self.history.json("POST", "/exports", json=dict(asked), again=False)
        while job["state"] in ("queued", "running"):
            if deadline is not None and time.monotonic() > deadline:
                self.history.ask("DELETE", f"/exports/{job['id']}")
                raise TimeoutError(f"the export took longer than {timeout_s:g} s, it is cancelled")
            time.sleep(LOOK_S)
            job = self.history.json("GET", f"/exports/{job['id']}")
        if job["state"] != "done":
            raise RuntimeError(f"the export has {job['state']}: {job.get('error', 'no reason told')}")
        return str(job["file"]).removeprefix("/api/v1")

    def _download(
        self, path: Path, where: str, params: Mapping[str, Any], timeout_s: float | None, format: str
    ) -> Path:
        with self.history.ask("GET", where, params=dict(params), stream=True, timeout_s=timeout_s) as answer:
            path = named_for(path, answer.headers.get("content-type") == ZIP, format)
            part = path.with_name(f".{path.name}.part")
            try:
                with part.open("wb") as file:
                    for chunk in answer.iter_content(CHUNK):
                        file.write(chunk)
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)
        return path


def _names(value: str | Iterable[str]) -> list[str]:
    return [name for name in value.split(",") if name] if isinstance(value, str) else list(value)


def _listed(value: Any) -> str:
    listed = isinstance(value, Iterable) and not isinstance(value, str)
    return ",".join(map(str, value)) if listed else str(value)


def _time(value: Any) -> str | None:
    return value if value is None or value == "now" else format_time(stamp_of(value))


def _span(value: Any) -> str | None:
    """A duration as the services take it; ISO 8601 as it is."""
    if value is None or (isinstance(value, str) and value.strip()[:1] in "Pp"):
        return value
    seconds, rest = divmod(duration_of(value), 10**9)
    return f"PT{seconds}.{rest:09d}S" if rest else f"PT{seconds}S"
