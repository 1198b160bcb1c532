"""Fetches exports from the history service: at once where they are short, else made there in the background first.

A download that breaks is taken up where it ended, also by a later run: beside the unfinished file lies what it belongs to.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import requests

from speeddata.counted import counted
from speeddata.credentials import authorize
from speeddata.errors import SpeedDataError, TokenError
from speeddata.export_names import named_for
from speeddata.server_options import away, token_hint

__all__ = ["ExportClient", "ExportError", "Fetched", "Progress"]

CONNECT_S, READ_S = 10.0, 90.0
PIECE = 1 << 14  # bytes taken at a time; of the last before a break all may be lost
TRIES = 8  # of a download without a byte in between
TOO_LONG = (408, 413)
ZIP = "application/zip"
POLLS_S = (0.05, 0.1, 0.2, 0.5, 1.0)  # how long is waited between two looks at a job, the last for ever


class ExportError(SpeedDataError):
    """The service did not do what it was asked; `status` is that of HTTP, None where there was no answer."""

    def __init__(
        self, message: str, status: int | None = None, body: Mapping[str, Any] | None = None
    ) -> None:
        self.status = status
        self.body = dict(body or {})
        super().__init__(message)


@dataclass
class Progress:
    """How far it is; `stage` is making or fetching."""

    stage: str
    done: float  # records or bytes
    total: float | None


@dataclass
class Fetched:
    """An export that has arrived."""

    path: Path | None
    bytes: int
    partial: str | None  # what was left out because it is damaged
    zipped: bool = False  # whether it is a zip archive, with a file for each channel
    job: dict[str, Any] = field(default_factory=dict)  # where it was made in the background
    records: int | None = None  # that were read for it, if the service tells


Watch = Callable[[Progress], None]


class ExportClient:
    """Asks one history service."""

    def __init__(self, url: str, watch: Watch = lambda _: None) -> None:
        self.url = url.rstrip("/").removesuffix("/api/v1")
        self.session = authorize(requests.Session())
        self._watch = watch
        self._sleep = time.sleep
        self._at = 0  # bytes of the file that are there

    def fetch(self, asked: Mapping[str, str], path: Path | None, out: BinaryIO | None = None) -> Fetched:
        """Fetch an export to a path (None: named by the service), or write it to `out`.

        A zip archive gets `.zip` at the end of its name, also where the path has none.
        """
        left = None if out else self._left(asked, path)
        if left is not None:
            job = self._call("GET", f"/api/v1/exports/{left}", missing_ok=True)
            if job and job["state"] == "done":
                return self._download(job, asked, path, out)
        if "tag" not in asked:
            with suppress(_TooLong):
                return self._at_once(asked, path, out)
        return self._download(self._make(asked), asked, path, out)

    def _at_once(self, asked: Mapping[str, str], path: Path | None, out: BinaryIO | None) -> Fetched:
        """Ask for a short one, and take it as it comes."""
        with self._request("GET", "/api/v1/pivot/export", params=asked, stream=True) as answer:
            if answer.status_code in TOO_LONG:
                raise _TooLong
            _check(answer)
            zipped = answer.headers.get("content-type") == ZIP
            path = named_for(path, zipped, asked.get("format", "")) if path else Path(_named(answer))
            unfinished, size = _unfinished(path), int(answer.headers["content-length"])
            self._at = 0
            try:
                with out_or(out, unfinished, "wb") as file:
                    self._take(answer, file, size)
            except requests.RequestException as error:
                raise ExportError(f"the download broke off: {error}") from None
            finally:
                if out is None and self._at != size:
                    unfinished.unlink()
            if out is None:
                unfinished.replace(path)
            partial, records = (answer.headers.get(f"x-speeddata-{key}") for key in ("partial", "records"))
            known = int(records) if records and records.isdecimal() else None
            return Fetched(None if out else path, size, partial, zipped, records=known)

    def _make(self, asked: Mapping[str, str]) -> dict[str, Any]:
        """Have an export made, and wait for it."""
        job = self._call("POST", "/api/v1/exports", json=dict(asked))
        waits = self._waits()
        try:
            while job["state"] in ("queued", "running"):
                progress = job["progress"]
                total = job["records"] / progress if progress else None
                self._watch(Progress("making", job["records"], total))
                self._sleep(next(waits))
                job = self._call("GET", job["url"])
        except KeyboardInterrupt:
            with suppress(ExportError):
                self._call("DELETE", job["url"])
            raise
        if job["state"] != "done":
            raise ExportError(job.get("error", f"the export was {job['state']}"), None, job)
        return job

    def _waits(self) -> Iterator[float]:
        yield from POLLS_S
        while True:
            yield POLLS_S[-1]

    def _download(
        self, job: dict[str, Any], asked: Mapping[str, str], path: Path | None, out: BinaryIO | None
    ) -> Fetched:
        """Take the file of a job that is done, in as many attempts as it needs, and have the service forget it."""
        zipped = job.get("media_type") == ZIP
        path = named_for(path, zipped, asked.get("format", "")) if path else Path(job["name"])
        unfinished, size, tries = _unfinished(path), int(job["bytes"]), 0
        if out is None:
            self._note(job, asked, path)
        with out_or(out, unfinished, "ab") as file:
            self._at = 0 if out else file.tell()
            while self._at != size:
                before, reason = self._at, "it ended too soon"
                try:
                    self._part(job, file, size, seekable=out is None)
                except requests.RequestException as error:
                    reason = str(error)
                if self._at != size:
                    tries = 1 if self._at > before else tries + 1
                    if tries > TRIES:
                        raise ExportError(f"the download broke off at byte {self._at} of {size}: {reason}")
                    self._sleep(POLLS_S[min(tries, len(POLLS_S) - 1)])
        if out is None:
            unfinished.replace(path)
            _note_of(path).unlink(missing_ok=True)
        with suppress(ExportError):
            self._call("DELETE", job["url"], missing_ok=True)
        left_out = f"{counted(job['damages'], 'damaged place', '')} left out" if job["damages"] else None
        return Fetched(None if out else path, size, left_out, zipped, job, job["records"])

    def _part(self, job: dict[str, Any], file: BinaryIO, size: int, seekable: bool) -> None:
        """Take what is missing; when it is another file by now, from its start."""
        headers = {}
        if 0 < self._at < size:
            headers = {"range": f"bytes={self._at}-", "if-range": f'"{job["id"]}-{size:x}"'}
        with self._request("GET", job["file"], headers=headers, stream=True) as answer:
            _check(answer)
            if self._at and answer.status_code != 206:
                if not seekable:
                    raise ExportError("the download broke off, and cannot be taken up")
                file.truncate(0)
                self._at = 0
            self._take(answer, file, size)

    def _take(self, answer: requests.Response, file: BinaryIO, size: int) -> None:
        for piece in answer.iter_content(PIECE):
            file.write(piece)
            self._at += len(piece)
            self._watch(Progress("fetching", self._at, size))

    def _note(self, job: dict[str, Any], asked: Mapping[str, str], path: Path) -> None:
        """Write down what the unfinished file belongs to; the one of another export is given up."""
        note, told = _note_of(path), {"url": self.url, "job": job["id"], "asked": dict(asked)}
        if _read(note) != told:
            _unfinished(path).unlink(missing_ok=True)
            note.write_text(json.dumps(told))

    def _left(self, asked: Mapping[str, str], path: Path | None) -> str | None:
        """The job whose download an earlier run has begun."""
        if path is None:
            return None
        for zipped in (False, True):
            named = named_for(path, zipped, asked.get("format", ""))
            told = _read(_note_of(named)) if _unfinished(named).exists() else {}
            if told.get("url") == self.url and told.get("asked") == dict(asked):
                return str(told["job"])
        return None

    def _call(self, method: str, path: str, missing_ok: bool = False, **options: Any) -> dict[str, Any]:
        answer = self._request(method, path, **options)
        if missing_ok and answer.status_code == 404:
            return {}
        _check(answer)
        told: dict[str, Any] = answer.json()
        return told

    def _request(self, method: str, path: str, **options: Any) -> requests.Response:
        try:
            return self.session.request(method, self.url + path, timeout=(CONNECT_S, READ_S), **options)
        except requests.ConnectionError:
            if options.get("stream") and path.endswith("/file"):
                raise
            raise ExportError(away("the history service", self.url)) from None
        except requests.RequestException as error:
            raise ExportError(f"{self.url}: {error}") from None
        except TokenError as error:
            raise ExportError(str(error)) from None


class _TooLong(Exception):
    """The service makes it in the background only."""


class out_or:  # noqa: N801
    """A stream that stays open, or a file that is opened for as long."""

    def __init__(self, out: BinaryIO | None, path: Path, mode: str) -> None:
        self._own = None if out else path.open(mode)
        self._out = out

    def __enter__(self) -> BinaryIO:
        return self._out or self._own  # type: ignore[return-value]

    def __exit__(self, *_: object) -> None:
        if self._own:
            self._own.close()


def _unfinished(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")


def _note_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.part.json")


def _read(note: Path) -> dict[str, Any]:
    try:
        told = json.loads(note.read_text())
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _named(answer: requests.Response) -> str:
    name = answer.headers.get("content-disposition", "").partition('filename="')[2].rstrip('"')
    return Path(name).name or "export"


def _check(answer: requests.Response) -> None:
    """Raise the words of the service."""
    if answer.ok:
        return
    try:
        body = answer.json()
        words = str(body["error"])
    except (ValueError, KeyError, TypeError):
        body, words = {}, answer.reason
    for key in ("wanted", "name", "signal", "tag", "hint"):
        if key in body:
            words += f" ({key}: {body[key]})"
    raise ExportError(words + token_hint(answer.status_code), answer.status_code, body)
