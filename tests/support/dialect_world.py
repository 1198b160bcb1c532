"""A history service that takes records in, and what it needs: a registry, and a shared relay that writes segments."""

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastavro
import history
import ingest_world
import requests
import segments as made


class Writer(ingest_world.Store):
    """A shared relay that writes each batch as segments, and has answered only then."""

    def __init__(self, path: Path, archive: Path) -> None:
        self.archive = archive
        self.written = 0
        super().__init__(path)

    def _append(self, head: dict[str, Any], data: bytes) -> dict[str, Any]:
        answer = super()._append(head, data)
        if answer["ok"] and not answer["repeated"]:
            for channel, piece, _ in self.batches[-1]:
                self.write(channel, piece)
            self.batches[-1] = [(channel, b"", count) for channel, _, count in self.batches[-1]]
        return answer

    def write(self, channel: str, piece: bytes) -> None:
        (plan,) = self.plans[channel].values()
        schema = plan.schema.json
        rows = decode(schema, piece)
        self.written += 1
        made.write_segment(self.archive / channel, [rows], schema, start=made.START + self.written * 1000)


def decode(schema: dict[str, Any], data: bytes) -> list[dict[str, Any]]:
    """Records, their times as numbers."""
    plain = {**schema, "fields": [{**schema["fields"][0], "type": "long"}, *schema["fields"][1:]]}
    parsed = fastavro.parse_schema(plain, {})
    source, rows = io.BytesIO(data), []
    while source.tell() < len(data):
        rows.append(fastavro.schemaless_reader(source, parsed))
    return rows


class World:
    """The service, with calls that check and decode."""

    def __init__(self, service: history.Service, archive: Path, store: Writer) -> None:
        self.service, self.archive, self.store = service, archive, store

    def get(self, path: str, **query: Any) -> requests.Response:
        return requests.get(self.service.address + path, params=query, timeout=60)

    def post(self, path: str, body: Any = None, **headers: str) -> requests.Response:
        return requests.post(self.service.address + path, json=body, headers=headers, timeout=60)

    def told(self, path: str, **query: Any) -> Any:
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()


@contextlib.contextmanager
def world(folder: Path) -> Iterator[World]:
    """All of it, running."""
    archive, run = folder / "archive", folder / "run"
    archive.mkdir()
    run.mkdir()
    with ingest_world.registry() as registry:
        store = Writer(run / "ingest.sock", archive)
        try:
            with history.running(archive, registry=registry.url) as service:
                yield World(service, archive, store)
        finally:
            store.close()
