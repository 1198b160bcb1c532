import logging
from pathlib import Path

import pytest

from speeddata.index import Seal
from speeddata.relay.inventory import Found, Inventory
from speeddata.relay.sealing import Outcome
from speeddata.relay.sealing_queue import BATCH, BATCH_BYTES, PUT_OFF_S, SealingQueue

ROOM = 10**12


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(tmp_path: Path, clock: Clock) -> SealingQueue:
    return SealingQueue(Inventory(tmp_path), clock)


def found(
    number: int, seal: Seal = Seal.UNSEEN, channel: str = "a", size: int = 100, rolled_up: bool = True
) -> Found:
    return Found(channel, f"{channel}_{number}", 0.0, (1, size, 1), 0, True, number, False, seal, rolled_up)


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def codec(channel: str) -> str | None:
    return {"z": "zstandard", "d": "deflate"}.get(channel)


def test_the_newest_comes_first(queue: SealingQueue) -> None:
    queue.fill([found(2), found(3), found(1)], codec)
    paths, chosen = queue.next(ROOM)
    assert (names(paths), chosen) == (["a_3", "a_2", "a_1"], None)
    assert queue.next(ROOM) == ([], None)


@pytest.mark.parametrize(("channel", "seals"), [("a", [Seal.UNSEEN]), ("z", [Seal.UNSEEN, Seal.VERIFIED])])
def test_what_is_done_is_not_done_again(queue: SealingQueue, channel: str, seals: list[Seal]) -> None:
    queue.fill([found(seal, seal, channel) for seal in Seal], codec)
    assert {one.seal for one in queue.waiting} == set(seals)


@pytest.mark.parametrize("seal", [Seal.VERIFIED, Seal.FINAL])
def test_what_lacks_a_rollup_is_sealed_again(queue: SealingQueue, seal: Seal) -> None:
    queue.fill(
        [found(1, seal, rolled_up=False), found(2, seal), found(3, Seal.DAMAGED, rolled_up=False)], codec
    )
    paths, chosen = queue.next(ROOM)
    assert (names(paths), chosen) == (["a_1"], None)
    (one,) = queue._at_work.values()
    queue.done([Outcome(paths[0], seal)])
    assert one.has_rollup


def test_a_batch_has_one_codec_and_a_size(queue: SealingQueue) -> None:
    queue.fill([found(9, channel="z"), found(8, channel="d"), found(7, channel="z")], codec)
    assert [(names(paths), chosen) for paths, chosen in (queue.next(ROOM), queue.next(ROOM))] == [
        (["z_9", "z_7"], "zstandard"),
        (["d_8"], "deflate"),
    ]
    queue.fill([found(number) for number in range(BATCH + 5)], codec)
    assert [len(queue.next(ROOM)[0]) for _ in range(3)] == [BATCH, 5, 0]
    queue.given_up()
    queue.fill([found(number, size=BATCH_BYTES) for number in range(2)], codec)
    assert [len(queue.next(ROOM)[0]) for _ in range(3)] == [1, 1, 0]


def test_without_room_for_a_copy_it_is_verified_only(queue: SealingQueue) -> None:
    queue.fill([found(1, channel="z"), found(2, Seal.VERIFIED, "z"), found(3, channel="z", size=50)], codec)
    assert queue.next(60)[1] == "zstandard"
    paths, chosen = queue.next(60)
    assert (names(paths), chosen) == (["z_1"], None)


def test_what_came_of_it(
    queue: SealingQueue, tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    segments = [found(1), found(2), found(3), found(4)]
    paths = [tmp_path / "a" / one.name for one in segments]
    paths[2].parent.mkdir()
    paths[2].touch()
    queue.fill(segments, codec)
    queue.next(ROOM)
    with caplog.at_level(logging.INFO):
        queue.done(
            [
                Outcome(paths[0], Seal.FINAL, saved=60),
                Outcome(paths[1], Seal.DAMAGED, "block 7"),
                Outcome(paths[2], words="no room"),
                Outcome(paths[3], words="No such file or directory"),
            ]
        )
    assert caplog.messages == ["a_2 is damaged, and left as it is: block 7", "a_3 is not sealed yet: no room"]
    assert [one.seal for one in segments] == [Seal.FINAL, Seal.DAMAGED, Seal.UNSEEN, Seal.UNSEEN]
    assert queue.to_json() == {"sealed": 2, "compressed": {"segments": 1, "saved_bytes": 60}}
    queue.fill(segments, codec)
    assert queue.waiting == []
    clock.now = PUT_OFF_S + 1
    queue.fill(segments, codec)
    assert names([tmp_path / one.name for one in queue.waiting]) == ["a_3", "a_4"]


def test_what_is_being_sealed_is_not_begun_twice(queue: SealingQueue) -> None:
    segments = [found(1), found(2)]
    queue.fill(segments, codec)
    queue.next(ROOM)
    queue.fill(segments, codec)
    assert queue.waiting == []
    queue.given_up()
    queue.fill(segments, codec)
    assert len(queue.waiting) == 2
