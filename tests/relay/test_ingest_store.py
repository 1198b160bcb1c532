"""The store: every batch whole or not at all, once, whatever happens between any two steps."""

import contextlib
import errno
import resource
import select
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastavro
import pytest
from ingest_harness import Harness
from line import make_spec
from store_client import NUMBERED, numbers, rows, store_spec
from twin import varint

from speeddata.index import entries_of, index_path
from speeddata.relay import ingest_flush, ingest_segments
from speeddata.verify import WHOLE, verify


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Harness]:
    one = Harness(tmp_path)
    one.open("x", "y")
    yield one
    one.close()


def test_batches_of_several_channels_are_appended(house: Harness) -> None:
    assert house.append(("x", 0, 10), ("y", 100, 5)) == {"ok": True, "records": 15, "repeated": False}
    assert house.append(("x", 10, 10), ("x", 20, 10))["records"] == 20
    assert (house.numbers("x"), house.numbers("y")) == ([*range(30)], [*range(100, 105)])
    assert [len(house.files(name)) for name in "xy"] == [1, 1]
    total = house.store.stats()["total"]
    assert (total["records"], total["archived"], total["batches"]) == (35, 35, 2)


def test_what_is_not_known_is_to_be_opened_first(house: Harness) -> None:
    answer = house.append(("x", 0, 1), ("z", 0, 1), ("z", 1, 1))
    assert (answer["status"], answer["unknown"]) == (404, ["z"])
    head, body = house.head(("x", 0, 1))
    head["parts"][0]["schema"] = "00" * 8
    assert house.ask(head, body)["unknown"] == ["x"]
    assert house.files("x") == []


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_the_first_bad_record_refuses_the_whole_batch(house: Harness, bad: int) -> None:
    house.append(("x", 0, 3))
    head, body = house.head(("x", 3, 2), ("y", 0, 2), ("x", 5, 2))
    at = sum(part["bytes"] for part in head["parts"][: bad + 1]) - 17
    body = body[:at] + b"\xff" * 12 + body[at + 12 :]
    answer = house.ask(head, body)
    assert (answer["status"], answer["channel"], answer["row"]) == (400, "xyx"[bad], 1)
    assert answer["reason"] == "varint"
    assert (house.numbers("x"), house.files("y")) == ([0, 1, 2], [])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"key": 7}, "key"),
        ({"key": ""}, "key"),
        ({"durability": "none"}, "durability"),
        ({"live": "yes"}, "live"),
        ({"parts": []}, "parts"),
        ({"parts": [{"channel": "x"}]}, "parts[0]"),
        ({"parts": [{"channel": "x", "schema": "s", "bytes": -1, "records": 1}]}, "parts[0]"),
    ],
)
def test_options_are_checked(house: Harness, change: dict[str, Any], field: str) -> None:
    head, body = house.head(("x", 0, 1))
    answer = house.ask(head | change, body)
    assert (answer["status"], answer["field"]) == (400, field)


def test_sizes_and_counts_must_agree(house: Harness) -> None:
    head, body = house.head(("x", 0, 2))
    assert house.ask(head, body[:-1])["error"] == "parts and body differ in size"
    head["parts"][0]["records"] = 3
    assert house.ask(head, body)["records"] == 2
    assert house.ask({"op": "dance"})["status"] == 400
    assert house.ask({"op": "seal"})["field"] == "channel"
    assert house.ask({"op": "open", "spec": {"name": "z"}})["status"] == 400
    assert house.ask({"op": "open", "specs": 7})["field"] == "specs"
    assert (
        house.ask({"op": "open", "spec": store_spec(house.archive, "z", schema={"type": "int"})})["status"]
        == 400
    )


@pytest.mark.parametrize("durability", [None, "interval", "block"])
def test_a_batch_is_appended_once_by_its_key(house: Harness, durability: str | None) -> None:
    for attempt in range(3):
        answer = house.append(("x", 0, 10), key="k", durability=durability)
        assert answer == {"ok": True, "records": 10, "repeated": attempt > 0}
    assert house.append(("x", 10, 10), key="k")["status"] == 409
    house.kill()
    house.open("x")
    assert house.append(("x", 0, 10), key="k")["repeated"]
    assert house.append(("x", 10, 10), key="k2") == {"ok": True, "records": 10, "repeated": False}
    assert house.numbers("x") == [*range(20)]


def test_a_key_that_comes_twice_at_once_is_one_batch(house: Harness) -> None:
    answers: list[Any] = []
    for _ in range(2):
        head, body = house.head(("x", 0, 10), key="k")
        house.store.handle(head, memoryview(body), answers.append)
    house.store.commit()
    assert [answer["repeated"] for answer in answers] == [False, True]
    assert house.numbers("x") == [*range(10)]


def test_what_was_not_committed_is_not_there_after_a_kill(house: Harness) -> None:
    house.append(("x", 0, 10), key="a")
    for batch in ((("x", 10, 10), ("y", 0, 9)), (("x", 20, 10),)):
        head, body = house.head(*batch)
        house.store.handle(head, memoryview(body), print)
    assert len(house.files("y")) == 1
    house.kill()
    assert (house.numbers("x"), house.files("y"), house.files("y", "idx")) == ([*range(10)], [], [])
    house.open("x")
    house.append(("x", 50, 1))
    assert house.numbers("x") == [*range(10), 50]
    assert all(verify(path).status == WHOLE for path in house.files("x"))


class Failing:
    """Stands for a journal's write or fsync, which fails at the n-th call."""

    def __init__(self, call: Any, number: int, error: int) -> None:
        self.call, self.left, self.error = call, number, error

    def __call__(self, *given: Any) -> Any:
        self.left -= 1
        if self.left == 0:
            raise OSError(self.error, "as the test wants it")
        return self.call(*given)


@pytest.mark.parametrize("name", ["write", "sync"])
@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_a_journal_that_fails_undoes_the_batch(
    house: Harness, monkeypatch: pytest.MonkeyPatch, name: str, number: int, error: int
) -> None:
    house.append(("x", 0, 10), key="a", durability="block")
    failing = Failing(getattr(house.store.journal, name), number, error)
    monkeypatch.setattr(house.store.journal, name, failing)
    acknowledged = [*range(10)]
    for first in range(10, 40, 10):
        while not (
            answer := house.append(("x", first, 10), ("y", first, 10), key=f"{first}", durability="block")
        )["ok"]:
            assert answer["status"] == (507 if error == errno.ENOSPC else 503)
            assert house.numbers("x") == acknowledged
        assert not answer["repeated"]
        acknowledged += range(first, first + 10)
    house.kill()
    assert (house.numbers("x"), house.numbers("y")) == (acknowledged, acknowledged[10:])


@pytest.mark.parametrize("failures", [1, 2])
def test_a_failed_fsync_undoes_the_turn_and_saves_what_was_acknowledged(
    house: Harness, monkeypatch: pytest.MonkeyPatch, failures: int
) -> None:
    house.append(("x", 0, 10), durability="interval")
    house.append(("y", 0, 10), durability="block")
    real = ingest_segments.bring_to_disk
    left = [failures]

    def fail(jobs: Any, folders: Any) -> Any:
        left[0] -= 1
        return list(jobs) if left[0] >= 0 else real(jobs, folders)

    monkeypatch.setattr(ingest_segments, "bring_to_disk", fail)
    for _ in range(failures):
        answer = house.append(("x", 10, 10), ("y", 10, 10), key="k", durability="block")
        assert (answer["status"], answer["ok"]) == (503, False)
    assert house.append(("x", 10, 10), ("y", 10, 10), key="k", durability="block")["repeated"] is False
    stats = house.store.stats()
    assert (stats["failed_fsyncs"], stats["total"]["rescued"], stats["total"]["lost"]) == (failures, 10, 0)
    house.kill()
    assert (house.numbers("x"), house.numbers("y")) == ([*range(20)], [*range(20)])


def test_a_flush_that_failed_saves_nothing_of_a_batch_that_is_not_done(
    house: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.append(("x", 0, 10))
    with monkeypatch.context() as context:
        context.setattr(ingest_flush, "_synced", lambda _: False)
        house.clock.now += 1
        house.store.tick()
        select.select([house.store.segments.flusher.fd], [], [])
    answers: list[Any] = []
    head, body = house.head(("x", 10, 10), ("y", 10, 10), key="k", durability="block")
    house.store.handle(head, memoryview(body), answers.append)
    with monkeypatch.context() as context, contextlib.suppress(InterruptedError):
        context.setattr(house.store.journal, "note_done", Failing(None, 1, errno.EINTR))  # killed there
        house.store.commit()
    house.kill()
    house.open("x", "y")
    assert house.append(("x", 10, 10), ("y", 10, 10), key="k", durability="block")["ok"]
    assert (house.numbers("x"), house.numbers("y")) == ([*range(20)], [*range(10, 20)])
    assert [answer["status"] for answer in answers] == [503]


def test_what_could_not_be_cut_off_is_cut_when_its_segment_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = Harness(tmp_path, most_open=16)
    names = [f"c{number}" for number in range(20)]
    house.open(*names)
    assert house.append(*((name, 0, 10) for name in names))["ok"]
    answers: list[Any] = []
    head, body = house.head(*((name, 10, 10) for name in names))
    house.store.handle(head, memoryview(body), answers.append)
    moved = (house.archive / "c0").rename(tmp_path / "moved")
    with monkeypatch.context() as context:
        context.setattr(house.store.journal, "write", Failing(None, 1, errno.EIO))
        house.store.commit()
    assert answers[0]["status"] == 503
    moved.rename(house.archive / "c0")
    house.close()
    assert all(house.numbers(name) == [*range(10)] for name in names)


def test_a_batch_of_which_a_part_finds_no_room_leaves_nothing(house: Harness) -> None:
    """The first channel's part is written; the second's is larger than a file may be."""
    house.append(("x", 0, 10), ("y", 0, 10))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 20, hard))
    try:
        refused = house.append(("x", 10, 10), ("y", 10, 300_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert refused["status"] in (503, 507), refused
    assert (house.numbers("x"), house.numbers("y")) == ([*range(10)], [*range(10)])
    assert house.append(("x", 20, 10), ("y", 20, 10))["ok"]
    house.kill()
    assert (house.numbers("x"), house.numbers("y")) == ([*range(10), *range(20, 30)],) * 2


def test_a_channel_whose_folder_is_moved_away_goes_on_in_another(house: Harness) -> None:
    house.append(("x", 0, 10))
    (house.archive / "x").rename(house.folder / "x")
    assert house.append(("x", 10, 10), durability="block")["ok"]
    assert (house.numbers("x"), numbers(house.folder / "x")) == ([*range(10, 20)], [*range(10)])


def test_another_spec_is_for_what_comes_after_it(house: Harness) -> None:
    second = {**NUMBERED, "name": "second"}
    told = {"multicast": make_spec(house.folder)["multicast"], "framing": "single_object"}
    house.open("x", **told)
    answers: list[Any] = []
    head, body = house.head(("x", 0, 10), live=True)
    house.store.handle(head, memoryview(body), answers.append)
    house.open("x", schema=second, **told)
    assert answers == [{"ok": True, "records": 10, "repeated": False}]
    assert house.append(("x", 10, 1))["unknown"] == ["x"]


def test_a_channel_whose_files_are_deleted_goes_on_in_others(house: Harness) -> None:
    house.append(("x", 0, 10))
    for path in house.files("x"):
        path.unlink()
    assert house.append(("x", 10, 10))["ok"]
    assert house.numbers("x") == [*range(10, 20)]


def test_segments_rotate_by_size_and_age(house: Harness) -> None:
    house.open("x", rotation={"bytes": 1000, "seconds": 60})
    for first in range(0, 100, 10):
        house.append(("x", first, 10))
    assert len(house.files("x")) == 4
    house.clock.now += 61
    house.settle()
    assert house.ask({"op": "segments"})["segments"] == []
    house.append(("x", 100, 1))
    assert len(house.files("x")) == 5
    assert house.numbers("x") == [*range(101)]


def test_a_large_segment_ends_when_nothing_comes_any_more(house: Harness) -> None:
    house.open("x", "y", rotation={"bytes": 0, "seconds": 0})
    house.append(("x", 0, 60_000), ("y", 0, 1))
    house.clock.now += 601
    house.settle()
    assert house.ask({"op": "segments"})["segments"][0].startswith("y_")


def test_sealing_ends_a_segment(house: Harness) -> None:
    house.append(("x", 0, 10))
    sealed = house.ask({"op": "seal", "channel": "x"})
    assert sealed == {"ok": True, "segments": [path.name for path in house.files("x")]}
    assert house.ask({"op": "segments"})["segments"] == []
    assert house.ask({"op": "seal", "channel": "x"})["segments"] == []
    assert house.ask({"op": "seal", "channel": "z"})["unknown"] == ["z"]
    house.append(("x", 10, 10))
    assert len(house.files("x")) == 2
    assert house.ask({"op": "forget", "channel": "x"}) == {"ok": True}
    assert house.append(("x", 20, 1))["unknown"] == ["x"]


def test_a_few_open_files_serve_many_channels(tmp_path: Path) -> None:
    house = Harness(tmp_path, most_open=16)
    names = [f"c{number}" for number in range(100)]
    house.open(*names)
    for first in range(0, 30, 10):
        assert house.append(*((name, first, 10) for name in names), durability="block")["ok"]
        assert house.store.stats()["open_segments"] <= 16
    assert house.store.stats()["segments"] == 100
    house.kill()
    assert all(house.numbers(name) == [*range(30)] for name in names)
    house.close()


def test_versions_of_the_schema_have_segments_of_their_own(house: Harness) -> None:
    second = {**NUMBERED, "fields": [*NUMBERED["fields"], {"name": "more", "type": "int", "default": 0}]}
    house.append(("x", 0, 3))
    house.open("x", schema=second, versions=[NUMBERED])
    fingerprint = [
        one
        for one in house.store.channels["x"].plans
        if one != house.head(("x", 0, 1))[0]["parts"][0]["schema"]
    ]
    data = b"".join(rows(n, 1) + b"\x02" for n in range(3, 6))
    part = {"channel": "x", "schema": fingerprint[0], "bytes": len(data), "records": 3}
    head = {"op": "append", "parts": [part, *house.head(("x", 6, 1))[0]["parts"]]}
    assert house.ask(head, data + rows(6, 1))["records"] == 4
    assert len(house.files("x")) == 3
    schemas = []
    for path in house.files("x"):
        with path.open("rb") as file:
            reader = fastavro.reader(file)
            schemas.append((len(reader.writer_schema["fields"]), len(list(reader))))
    assert schemas == [(3, 3), (4, 3), (3, 1)]


def test_times_are_indexed_as_a_relay_indexes_them(house: Harness) -> None:
    schema = {"type": "record", "name": "r", "fields": [{"name": "time", "type": "long"}]}
    house.open("z", schema=schema)
    (fingerprint,) = house.store.channels["z"].plans
    for times in ([0, 1_700_000_000], [1_700_000_005, 1_700_000_003], [2**62]):
        data = b"".join(map(varint, times))
        part = {"channel": "z", "schema": fingerprint, "bytes": len(data), "records": len(times)}
        assert house.ask({"op": "append", "parts": [part]}, data)["ok"]
    (path,) = house.files("z")
    found = [
        (e.min_ns // 10**9, e.max_ns // 10**9, e.flags)
        for e in entries_of(index_path(path).read_bytes()[64:])
    ]
    assert found[:2] == [(0, 1_700_000_000, 0), (1_700_000_003, 1_700_000_005, 1)]
    assert found[2][2] == 2
    assert house.store.stats()["total"]["bad_time"] == 1
    house.kill()
    house.open("z")
    house.open("z", schema=schema)
    assert house.store.channels["z"].unit(fingerprint) == 1
