"""The journal: what it says after any number of its bytes have been lost, and for how long it knows keys."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speeddata.relay import ingest_journal
from speeddata.relay.ingest_journal import Journal, OpenSegment, read_state

ABOUT = OpenSegment("/archive/x", "00" * 16, 100, 0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ingest.journal"


def begun(path: Path, clock: float = 1e9) -> Journal:
    journal = Journal(path, lambda: clock)
    journal.begin()
    return journal


def test_what_was_written_is_read(path: Path) -> None:
    journal = begun(path)
    journal.note_begun("x_1", ABOUT)
    journal.note_begun("x_2", ABOUT)
    journal.write()
    journal.note_done("k", "hash", 7, [("x_1", 200, 1)])
    journal.note_done(None, "", 7, [("x_2", 300, 2)])
    journal.note_ended(["x_2"])
    journal.write()
    state, former = read_state(path)
    assert state == journal.state
    assert state.segments == {"x_1": ABOUT._replace(bytes=200, entries=1)}
    assert (state.keys["k"], former) == (("hash", 7, 1e9), {})
    journal.close()


def test_what_was_only_noted_is_not_there(path: Path) -> None:
    journal = begun(path)
    journal.note_done("k", "hash", 7, [])
    assert read_state(path)[0].keys == {}
    assert journal.find("k") is None
    journal.write()
    assert journal.find("k") is not None
    journal.close()


def test_a_file_that_is_cut_or_damaged_holds_what_is_before(path: Path, tmp_path: Path) -> None:
    journal = begun(path)
    ends = [journal.offset]
    for number in range(5):
        journal.note_done(f"k{number}", "hash", number, [])
        journal.write()
        ends.append(journal.offset)
    journal.close()
    data = path.read_bytes()
    other = tmp_path / "other"
    for at in range(ends[0], ends[-1]):
        whole = sum(end <= at for end in ends[1:])
        for cut in (data[:at], data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]):
            other.write_bytes(cut)
            assert len(read_state(other)[0].keys) == whole, at


def test_keys_live_for_two_generations(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_journal, "MAX_KEYS", 10)
    journal = begun(path)
    journal.note_begun("x_1", ABOUT)
    for number in range(25):
        journal.note_done(f"k{number}", "hash", number, [("x_1", number, 1)])
        journal.write()
        journal.keep_up()
    known = [number for number in range(25) if journal.find(f"k{number}")]
    assert known == list(range(10, 25))
    journal.close()
    state, former = read_state(path)
    assert sorted({*state.keys, *former}) == sorted(f"k{number}" for number in known)
    assert state.segments == {"x_1": ABOUT._replace(bytes=24, entries=1)}
    again = begun(path)
    assert [number for number in range(25) if again.find(f"k{number}")] == known
    assert again.state.segments == {}
    again.close()


def test_a_kill_between_the_steps_of_a_new_generation_loses_nothing(path: Path) -> None:
    journal = begun(path)
    journal.note_begun("x_1", ABOUT)
    journal.note_done("k", "hash", 1, [])
    journal.write()
    journal.close()
    path.rename(path.with_name("ingest.journal.1"))
    state, former = read_state(path)
    assert (list(state.segments), list(former)) == (["x_1"], ["k"])
    again = begun(path)
    assert again.find("k") is not None
    assert not path.with_name("ingest.journal.1").exists()
    again.close()


def test_old_keys_go(path: Path) -> None:
    journal = begun(path)
    journal.note_done("k", "hash", 1, [])
    journal.write()
    journal.close()
    later = begun(path, 1e9 + ingest_journal.KEY_AGE_S + 1)
    assert later.find("k") is None
    later.close()


def test_a_large_file_is_written_anew(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_journal, "MAX_BYTES", 1000)
    journal = begun(path)
    journal.note_begun("x_1", ABOUT)
    journal.note_done("k", "hash", 1, [])
    for number in range(200):
        journal.note_done(None, "", 1, [("x_1", number, number)])
        journal.keep_up()
    assert journal.offset < 1500
    assert journal.find("k") is not None
    assert read_state(path)[0] == journal.state
    journal.close()


@given(st.integers(0, 3))
def test_what_is_retracted_is_not_there_after_a_kill(
    tmp_path_factory: pytest.TempPathFactory, before: int
) -> None:
    path = tmp_path_factory.mktemp("journal") / "ingest.journal"
    journal = begun(path)
    journal.note_begun("x_1", ABOUT)
    for number in range(before):
        journal.note_done(f"k{number}", "hash", 1, [])
        journal.write()
    journal.note_done("a", "hash", 1, [("x_1", 500, 5)])
    journal.note_done("b", "hash", 1, [("x_1", 900, 9)])
    journal.write()
    journal.retract(["a", "b"])
    journal.give_back([("x_1", 100, 0)])
    killed = path.with_name("killed")
    shutil.copyfile(path, killed)
    for one in (path, killed):
        if one is path:
            journal.keep_up()
        assert sorted(read_state(one)[0].keys) == [f"k{number}" for number in range(before)]
    assert read_state(path)[0].segments.get("x_1", ABOUT) == ABOUT
    journal.close()


def test_a_piece_that_was_written_in_part_is_struck_out(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = begun(path)
    real = os.pwrite
    for key in "ab":
        journal.note_done(key, "hash", 1, [])
    with monkeypatch.context() as context:
        context.setattr(
            ingest_journal.os,
            "pwrite",
            lambda fd, data, at: real(fd, data[:-1] if len(data) > 8 else data, at),
        )
        with pytest.raises(OSError, match="whole"):
            journal.write()
    assert read_state(path)[0].keys == {}
    journal.close()


@pytest.mark.parametrize("limit", ["MAX_BYTES", "MAX_KEYS"])
@pytest.mark.parametrize("refused", ["sync_folder", "replace"])
def test_what_is_written_when_a_new_file_failed_is_there_after_a_kill(
    path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, refused: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(5, "Input/output error")

    journal = begun(path)
    journal.note_begun("x_1", ABOUT)
    journal.note_done("a", "hash", 1, [("x_1", 200, 1)])
    journal.write()
    with monkeypatch.context() as context:
        context.setattr(ingest_journal, limit, 1)
        context.setattr(*((ingest_journal, refused) if refused == "sync_folder" else (Path, refused)), refuse)
        with pytest.raises(OSError, match="output"):
            journal.keep_up()
    journal.note_done("b", "hash", 1, [("x_1", 300, 2)])
    journal.write()
    state, former = read_state(path)
    assert state.segments == {"x_1": ABOUT._replace(bytes=300, entries=2)}
    assert sorted({**state.keys, **former}) == ["a", "b"]
    journal.close()


def test_no_room_drops_what_is_done_and_keeps_what_became_of_segments(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = begun(path)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    journal.note_begun("x_1", ABOUT)
    journal.note_done("k", "hash", 1, [("x_1", 500, 5)])
    with monkeypatch.context() as context:
        context.setattr(ingest_journal.os, "pwrite", full)
        with pytest.raises(OSError, match="No space"):
            journal.write()
    journal.keep_up()
    assert (list(journal.state.keys), journal.state.segments) == ([], {"x_1": ABOUT})
    assert read_state(path)[0] == journal.state
    journal.close()
