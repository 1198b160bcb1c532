"""Pieces brought to the archive: in any order of their ends, each once."""

import threading

import pytest

from speeddata.import_plan import Chunk
from speeddata.import_run import Importer
from speeddata.import_sender import Answer, SendError
from speeddata.import_state import ImportState

CHUNKS = [Chunk(f"{n}", 10, 2) for n in range(20)]


class Made:
    """A source whose pieces are their numbers."""

    def jobs(self, _fit, done):
        for number in range(len(CHUNKS)):
            if number not in done:
                yield number, lambda number=number: [(0, 1, b"%d" % number), (1, 1, b"%d" % number)]


class Kept:
    def __init__(self, fails_at=None):
        self.bodies, self.keys, self.fails_at, self.lock = [], set(), fails_at, threading.Lock()
        self.stopped = False

    def append(self, channel, key, body, _durability="block"):
        with self.lock:
            if self.fails_at is not None and len(self.bodies) >= self.fails_at:
                raise SendError("no")
            repeated = key in self.keys
            self.keys.add(key)
            if not repeated:
                self.bodies.append((channel, int(body)))
        return Answer(1, repeated)

    def stop(self):
        self.stopped = True


class Long(Made):
    """A source whose pieces have several bodies for a channel."""

    def jobs(self, _fit, done):
        for number in {0, 1} - done:
            yield (
                number,
                lambda number=number: [
                    (key, 1, b"%d%d" % (number, part)) for key in (0, 1) for part in range(3)
                ],
            )


def test_each_body_of_a_piece_has_its_own_key(tmp_path):
    state, sender = ImportState(tmp_path / "s", {}), Kept()
    state.begin()
    importer = Importer(Long(), sender, state, ["a", "b"], "salt")
    sent = importer.run(CHUNKS[:2], None, lambda *_: None)
    assert sorted(sender.bodies) == sorted(
        (name, 10 * n + part) for n in (0, 1) for name in "ab" for part in range(3)
    )
    assert (sent.rows, sent.repeated, len(sender.keys), state.done) == (12, 0, 12, {0, 1})
    state.done.clear()
    assert (
        Importer(Long(), sender, state, ["a", "b"], "salt").run(CHUNKS[:2], None, lambda *_: None).repeated
        == 12
    )


def test_all_pieces_go_once_and_are_noted(tmp_path):
    state, sender, told = ImportState(tmp_path / "s", {}), Kept(), []
    state.begin()
    sent = Importer(Made(), sender, state, ["a", "b"], "salt").run(
        CHUNKS, None, lambda size, rows: told.append((size, rows))
    )
    assert sorted(sender.bodies) == sorted((name, n) for n in range(20) for name in "ab")
    assert (sent.rows, sent.channels, sent.repeated) == (40, {"a": 20, "b": 20}, 0)
    assert (state.done, state.rows, told) == (set(range(20)), 40, [(10, 2)] * 20)


def test_what_failed_is_gone_on_with(tmp_path):
    state, sender = ImportState(tmp_path / "s", {}), Kept(fails_at=15)
    state.begin()
    with pytest.raises(SendError):
        Importer(Made(), sender, state, ["a", "b"], "salt").run(CHUNKS, None, lambda *_: None)
    assert sender.stopped
    assert 0 < len(state.done) < 20
    sender.fails_at = None
    again = ImportState(tmp_path / "s", {})
    sent = Importer(Made(), sender, again, ["a", "b"], "salt").run(CHUNKS, None, lambda *_: None)
    assert sorted(sender.bodies) == sorted((name, n) for n in range(20) for name in "ab")
    assert (len(again.done), sent.rows) == (20, 40 - 2 * len(state.done))
