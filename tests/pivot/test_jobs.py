import errno
import os
import threading

import pytest
import segments as made
from line import wait_until

from speeddata import read_hdf5
from speeddata.pivot import jobs as module
from speeddata.pivot.catalogue import Catalogue
from speeddata.pivot.export_request import Requests
from speeddata.pivot.export_tags import Tags
from speeddata.pivot.jobs import JobLimits, Jobs
from speeddata.pivot.problem import Problem

PARAMS = {"start": "2023-11-14T22:13:20Z", "duration": "PT1H", "channels": "example"}


class Clock:
    """A clock that stands until it is set."""

    def __init__(self):
        self.now = 1_700_000_000.0

    def __call__(self):
        return self.now


class Slow:
    """Lets an export begin, and go on when it is told."""

    def __init__(self, make):
        self.make = make
        self.running = threading.Semaphore(0)
        self.released = threading.Event()

    def __call__(self, request, archives, folder, work, out):
        out.write(b"begun")
        self.running.release()
        while not self.released.wait(0.01):
            work.check(out.fileno())
        out.seek(0)
        out.truncate()
        return self.make(request, archives, folder, work, out)


@pytest.fixture
def slow(monkeypatch):
    slow = Slow(module.make_export)
    monkeypatch.setattr(module, "make_export", slow)
    yield slow
    slow.released.set()


@pytest.fixture
def make(tmp_path):
    made.write_segment(tmp_path / "archive" / "example", [made.records(500, n) for n in range(0, 5000, 500)])
    begun = []

    def make(clock=None, **limits):
        requests = Requests(Catalogue(tmp_path / "archive", None), Tags(None))
        begun.append(Jobs(tmp_path / "exports", requests, JobLimits(**limits), clock or Clock()))
        return begun[-1]

    yield make
    for jobs in begun:
        jobs.close()
        jobs._threads.shutdown()


def ended(jobs, id):
    def look():
        job = jobs.show(id)
        return job if job["state"] not in ("queued", "running") else None

    return wait_until(look, "its end")


def refused(status, call, *arguments):
    with pytest.raises(Problem) as caught:
        call(*arguments)
    assert caught.value.status == status
    return caught.value


def test_an_export_is_made_kept_and_fetched(make, tmp_path):
    jobs = make()
    job = jobs.submit({**PARAMS, "format": "hdf5"})
    assert job["state"] in ("queued", "running", "done")
    assert job["request"] == {
        "channels": "example", "format": "hdf5", "start": "2023-11-14T22:13:20Z", "end": "2023-11-14T23:13:20Z",
    }  # fmt: skip
    done = ended(jobs, job["id"])
    assert (done["state"], done["progress"], done["records"], done["damages"]) == ("done", 1.0, 5000, 0)
    assert done["expires"] == "2023-11-15T22:13:20Z"
    told, file = jobs.open(job["id"])
    with file:
        path = tmp_path / "x.h5"
        path.write_bytes(file.read())
    assert path.stat().st_size == told.bytes == done["bytes"]
    assert read_hdf5(path).example.counter.tolist() == list(range(5000))
    assert [one["id"] for one in jobs.list()] == [job["id"]]
    assert sorted(p.suffix for p in jobs.store.folder.iterdir()) == [".data", ".json"]


def test_progress_is_told_while_it_is_made(make, slow):
    clock = Clock()
    jobs = make(clock)
    id = jobs.submit(PARAMS)["id"]
    slow.running.acquire(timeout=20)
    work = jobs._works[id]
    work.total, clock.now = 5000, clock.now + 2
    work.count(1000)
    job = jobs.show(id)
    assert (job["state"], job["progress"], job["rate"], job["eta_s"]) == ("running", 0.2, 500, 8.0)
    assert "file" not in job


def test_what_is_not_done_has_no_file(make, slow):
    jobs = make()
    first, second = jobs.submit(PARAMS)["id"], jobs.submit(PARAMS)["id"]
    slow.running.acquire(timeout=20)
    for id, state in ((first, "running"), (second, "queued")):
        problem = refused(409, jobs.open, id)
        assert (problem.body["state"], problem.headers) == (state, {"retry-after": "10"})
    refused(404, jobs.open, "nosuch")


@pytest.mark.parametrize("which", [0, 1])
def test_cancelling_ends_it_and_leaves_no_file(make, slow, which):
    jobs = make()
    ids = [jobs.submit(PARAMS)["id"] for _ in range(2)]
    slow.running.acquire(timeout=20)
    jobs.delete(ids[which])
    assert jobs.show(ids[which])["state"] == "cancelled"
    slow.released.set()
    assert ended(jobs, ids[1 - which])["state"] == "done"
    wait_until(lambda: not list(jobs.store.folder.glob("*.part")), "the part gone")
    assert [path.stem for path in jobs.store.folder.glob("*.data")] == [ids[1 - which]]
    jobs.delete(ids[which])
    refused(404, jobs.show, ids[which])


@pytest.mark.usefixtures("slow")
def test_too_many_are_429_and_what_is_wrong_is_told_at_once(make):
    jobs = make(queued=2, channels=1, minutes=100)
    jobs.submit(PARAMS), jobs.submit(PARAMS)
    assert refused(429, jobs.submit, PARAMS).headers == {"retry-after": "10"}
    assert refused(413, jobs.submit, {**PARAMS, "channels": "a,b"}).body["requested_channels"] == 2
    assert refused(413, jobs.submit, {**PARAMS, "duration": "PT2H"}).body["requested_minutes"] == 120
    assert refused(404, jobs.submit, {**PARAMS, "channels": "nosuch"}).body["name"] == "nosuch"
    assert refused(400, jobs.submit, {**PARAMS, "format": "xlsx"}).body["field"] == "format"
    assert refused(400, jobs.submit, {**PARAMS, "colour": "red"}).body["field"] == "colour"


def test_what_goes_wrong_later_is_told_by_the_job(make):
    jobs = make()
    job = ended(jobs, jobs.submit({**PARAMS, "signals": "nosuch"})["id"])
    assert (job["state"], job["error"], job["signal"]) == ("failed", "Signal not found", "nosuch")
    assert not list(jobs.store.folder.glob("*.data"))


def test_exports_expire(make):
    clock = Clock()
    jobs = make(clock, keep_s=100)
    id = jobs.submit(PARAMS)["id"]
    ended(jobs, id)
    clock.now += 99
    assert jobs.show(id)["state"] == "done"
    clock.now += 2
    refused(404, jobs.show, id)
    assert list(jobs.store.folder.iterdir()) == []


def test_one_that_expires_is_fetched_to_its_end(make):
    jobs = make()
    id = jobs.submit(PARAMS)["id"]
    size = ended(jobs, id)["bytes"]
    _, file = jobs.open(id)
    jobs.delete(id)
    with file:
        assert len(file.read()) == size


def test_they_have_a_size_together(make):
    jobs = make(max_bytes=400_000)
    assert ended(jobs, jobs.submit(PARAMS)["id"])["state"] == "done"
    second = ended(jobs, jobs.submit(PARAMS)["id"])
    assert (second["state"], second["error"].partition(",")[0]) == (
        "failed", "No room for the export on the service's disk"
    )  # fmt: skip
    assert len(list(jobs.store.folder.glob("*.data"))) == 1
    small = make(max_bytes=1000)
    assert refused(507, small.submit, PARAMS).body["max_bytes"] == 1000


def test_a_full_disk_fails_it_and_leaves_nothing(make, monkeypatch):
    jobs = make()
    monkeypatch.setattr(
        os, "pwrite", lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left on device"))
    )
    job = ended(jobs, jobs.submit(PARAMS)["id"])
    assert (job["state"], jobs._jobs[job["id"]].status) == ("failed", 507)
    wait_until(lambda: [p.suffix for p in jobs.store.folder.iterdir()] == [".json"], "the part gone")


def test_they_leave_some_of_the_disk_free(make):
    jobs = make(min_free_percent=100.0)
    assert jobs._jobs == {}
    job = ended(jobs, jobs.submit(PARAMS)["id"])
    assert (job["state"], jobs._jobs[job["id"]].status) == ("failed", 507)


def test_finished_ones_are_there_after_a_restart(make):
    jobs = make()
    id = jobs.submit(PARAMS)["id"]
    before = ended(jobs, id)
    jobs.close()
    again = make()
    assert again.show(id) == before
    _, file = again.open(id)
    file.close()


def test_one_cut_short_by_an_orderly_end_is_made_after_the_next_start(make, slow):
    jobs = make()
    ids = [jobs.submit(PARAMS)["id"] for _ in range(2)]
    slow.running.acquire(timeout=20)
    jobs.close()
    jobs._threads.shutdown()
    slow.released.set()
    again = make()
    assert [ended(again, id)["state"] for id in ids] == ["done", "done"]
    refused(503, jobs.submit, PARAMS)


def test_fault_25_and_26_one_that_was_killed_has_failed_and_no_file_is_left(make, slow):
    """What a killed service leaves: its description says running, and there is an unfinished file."""
    jobs = make()
    id = jobs.submit(PARAMS)["id"]
    slow.running.acquire(timeout=20)
    kept = {path.name: path.read_bytes() for path in jobs.store.folder.iterdir()}
    assert set(kept) == {f"{id}.json", f"{id}.part"}
    jobs.close()
    jobs._threads.shutdown()
    for name, data in {**kept, f"{id}.data": b"renamed, but not said to be done", "junk.new": b""}.items():
        (jobs.store.folder / name).write_bytes(data)
    again = make()
    job = again.show(id)
    assert (job["state"], job["error"]) == ("failed", "The service ended while it was made, ask for it again")
    assert [path.name for path in again.store.folder.iterdir()] == [f"{id}.json"]


def test_fault_22_what_retention_deletes_meanwhile_is_exported(make, tmp_path, slow, monkeypatch):
    jobs = make()

    def delete_then_write(request, archives, folder, work, out):
        def delete(_descriptor):
            for path in (tmp_path / "archive" / "example").glob("*"):
                path.unlink()

        monkeypatch.setattr(work, "check", delete, raising=False)
        return slow.make(request, archives, folder, work, out)

    monkeypatch.setattr(module, "make_export", delete_then_write)
    job = ended(jobs, jobs.submit(PARAMS)["id"])
    assert (job["state"], job["records"]) == ("done", 5000)
    assert not list((tmp_path / "archive" / "example").iterdir())
