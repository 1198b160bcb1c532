"""Bringing segments to the disk: what fails is told, by segment."""

from pathlib import Path

import pytest
from store_client import records

from speeddata.plan import TIME_UNITS
from speeddata.relay import ingest_flush
from speeddata.relay.ingest_flush import Flusher, Job, bring_to_disk
from speeddata.relay.ingest_segment import IngestSegment


@pytest.fixture
def jobs(tmp_path: Path) -> list[Job]:
    return made(tmp_path, 3)


def made(folder: Path, count: int) -> list[Job]:
    found = []
    for number in range(count):
        (folder / "archive" / f"c{number}").mkdir(parents=True)
        segment = IngestSegment(
            f"c{number}", str(folder / "archive" / f"c{number}"), b"Obj\x01", TIME_UNITS["ns"]
        )
        segment.begin(1)
        segment.append(records(0, 1))
        found.append(Job.of(segment))
    return found


def test_all_is_brought_to_the_disk(jobs: list[Job]) -> None:
    assert bring_to_disk(jobs, {job.path.parent for job in jobs}) == []


def test_one_that_fails_is_told(jobs: list[Job], monkeypatch: pytest.MonkeyPatch) -> None:
    bad = ingest_flush.index_path(jobs[1].path)
    monkeypatch.setattr(ingest_flush, "_synced", lambda path: path != bad)
    assert bring_to_disk(jobs, set()) == [jobs[1]]


def test_a_folder_that_fails_fails_what_is_in_it(jobs: list[Job], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_flush, "_folder_synced", lambda folder: folder != jobs[2].path.parent)
    assert bring_to_disk(jobs, {job.path.parent for job in jobs}) == [jobs[2]]


def test_what_was_deleted_needs_nothing(jobs: list[Job]) -> None:
    jobs[0].segment.remove()
    jobs[0].path.parent.rmdir()
    assert bring_to_disk(jobs, {jobs[0].path.parent}) == []


def test_where_the_whole_fails_each_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many = made(tmp_path, ingest_flush.MANY + 1)

    def refuse(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(ingest_flush, "sync_file_system", refuse)
    assert bring_to_disk(many, set()) == []
    monkeypatch.setattr(ingest_flush.os, "fdatasync", refuse)
    assert bring_to_disk(many, set()) == many


def test_the_thread_tells_what_came_of_it(
    jobs: list[Job], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flusher = Flusher()
    assert flusher.finish(wait=True) is None
    with (tmp_path / "journal").open("wb") as journal:
        for _ in range(3):
            flusher.start(jobs, set(), journal.fileno())
            assert flusher.finish(wait=True) == (jobs, [], True)
        monkeypatch.setattr(ingest_flush, "_fd_synced", lambda _: False)
        flusher.start(jobs, set(), journal.fileno())
        assert flusher.finish(wait=True) == (jobs, jobs, False)
    flusher.close()
