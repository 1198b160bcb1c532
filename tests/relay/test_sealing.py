"""Sealing as the process does it: verified, compressed, noted."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import segments as made

from speeddata.index import HEAD_SIZE, Seal, index_path, seal_of
from speeddata.relay.recompression import copy_path
from speeddata.relay.sealing import Outcome, seal
from speeddata.rollup_file import has_rollup
from speeddata.rollup_names import rollup_path
from speeddata.segment import Segment
from speeddata.verify import WHOLE, verify

BLOCKS = [made.records(300, start) for start in range(0, 900, 300)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return made.write_segment(tmp_path / "example", BLOCKS)


def noted(path: Path) -> Seal:
    return seal_of(index_path(path).read_bytes())


def sealed(path: Path, codec: str | None = None) -> Outcome:
    return seal(path, codec, lambda: None)


def flip(path: Path, offset: int) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(data)


def codec_of(path: Path) -> str:
    with Segment(path) as segment:
        return segment.head.codec


def test_a_whole_segment_is_verified_and_only_that_is_noted(path: Path) -> None:
    before = path.read_bytes(), index_path(path).read_bytes()
    assert sealed(path) == Outcome(path, Seal.VERIFIED)
    after = index_path(path).read_bytes()
    assert path.read_bytes() == before[0]
    assert after == before[1][:32] + b"\1\0\0\0" + before[1][36:]


@pytest.mark.parametrize("codec", ["zstandard", "deflate"])
def test_with_a_codec_it_is_compressed_once(path: Path, codec: str) -> None:
    size = path.stat().st_size
    outcome = sealed(path, codec)
    assert outcome == Outcome(path, Seal.FINAL, saved=size - path.stat().st_size)
    assert (noted(path), codec_of(path), verify(path).status) == (Seal.FINAL, codec, WHOLE)
    inode = path.stat().st_ino
    assert sealed(path, "zstandard") == Outcome(path, Seal.FINAL)
    assert (path.stat().st_ino, codec_of(path)) == (inode, codec)


def test_one_that_was_verified_before_there_was_a_codec_is_compressed(path: Path) -> None:
    sealed(path)
    assert sealed(path, "deflate").seal is Seal.FINAL
    assert codec_of(path) == "deflate"


def test_what_is_not_worth_compressing_is_noted_so(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("speeddata.relay.recompression.WORTH", 0.01)
    assert sealed(path, "zstandard") == Outcome(path, Seal.FINAL)
    assert (noted(path), codec_of(path)) == (Seal.FINAL, "null")


@pytest.mark.parametrize("offset", [-700, -5, 700])
def test_a_damaged_segment_is_left_as_it_is_and_said(path: Path, offset: int) -> None:
    flip(path, offset)
    before = path.read_bytes()
    outcome = sealed(path, "zstandard")
    assert outcome.seal is noted(path) is Seal.DAMAGED
    assert outcome.words
    assert path.read_bytes() == before


def test_what_is_damaged_in_its_head_too(path: Path) -> None:
    flip(path, 1)
    outcome = sealed(path)
    assert (outcome.seal, noted(path)) == (Seal.DAMAGED, Seal.DAMAGED)
    assert outcome.words == "bytes 1 to 2: a flipped bit in the head, 0 records lost"


def test_a_torn_tail_is_damage(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 40)
    outcome = sealed(path)
    assert outcome.seal is Seal.DAMAGED
    assert "cut off" in outcome.words


def test_an_index_that_lacks_blocks_or_is_missing_is_made_anew(path: Path) -> None:
    whole = index_path(path).read_bytes()
    os.truncate(index_path(path), len(whole) - 64)
    assert sealed(path) == Outcome(path, Seal.VERIFIED)
    assert len(index_path(path).read_bytes()) == len(whole)
    index_path(path).unlink()
    assert sealed(path) == Outcome(path, Seal.VERIFIED)
    assert len(index_path(path).read_bytes()) == len(whole)
    assert noted(path) is Seal.VERIFIED


def test_what_is_written_to_is_for_another_time(path: Path) -> None:
    with path.open("ab"):
        outcome = sealed(path, "zstandard")
    assert (outcome.seal, outcome.words) == (Seal.UNSEEN, "a process has it open for writing")
    assert noted(path) is Seal.UNSEEN


def test_what_has_no_records_is_for_another_time(tmp_path: Path) -> None:
    path = made.write_segment(tmp_path / "example", [])
    assert (sealed(path).seal, noted(path)) == (Seal.UNSEEN, Seal.UNSEEN)


def test_what_is_gone_is_said(tmp_path: Path) -> None:
    assert sealed(tmp_path / "x_1.avro") == Outcome(tmp_path / "x_1.avro", words="No such file or directory")


def test_leftovers_of_a_killed_one_are_cleared_away(path: Path) -> None:
    copy_path(path).write_bytes(b"a part of a copy")
    index_path(copy_path(path)).write_bytes(b"S")
    assert sealed(path).seal is Seal.VERIFIED
    assert sorted(one.suffix for one in path.parent.iterdir()) == [".avro", ".idx", ".rollup"]


@pytest.mark.parametrize("codec", [None, "zstandard"])
def test_its_rollup_is_made_once_and_is_that_of_the_copy(path: Path, codec: str | None) -> None:
    sealed(path, codec)
    assert has_rollup(path)
    inode = rollup_path(path).stat().st_ino
    sealed(path, codec)
    assert rollup_path(path).stat().st_ino == inode
    if codec is None:
        sealed(path, "deflate")
        assert has_rollup(path)


def test_a_rollup_that_is_missing_damaged_or_stale_is_made_anew(path: Path) -> None:
    sealed(path)
    rollup_path(path).unlink()
    assert sealed(path).seal is Seal.VERIFIED
    assert has_rollup(path)
    rollup_path(path).write_bytes(b"ARROW1")
    sealed(path)
    assert has_rollup(path)


def test_a_damaged_segment_has_none(path: Path) -> None:
    flip(path, 700)
    assert sealed(path).seal is Seal.DAMAGED
    assert not rollup_path(path).exists()


def test_without_room_for_it_the_segment_waits(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("speeddata.rollup_file.make_rollup", full)
    assert sealed(path) == Outcome(path, words="No space left on device")
    assert noted(path) is Seal.UNSEEN


def run(*arguments: Any) -> list[Outcome]:
    command = [sys.executable, "-P", "-m", "speeddata.relay.sealing", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    return [Outcome.from_json(json.loads(line)) for line in done.stdout.splitlines()]


def test_the_process_tells_of_each_segment(tmp_path: Path) -> None:
    good, bad = (made.write_segment(tmp_path / name, BLOCKS) for name in ("good", "bad"))
    flip(bad, HEAD_SIZE + 700)
    nothing = tmp_path / "nothing_1.avro"
    outcomes = run("--codec", "deflate", good, bad, nothing)
    assert [(one.path, one.seal) for one in outcomes] == [
        (good, Seal.FINAL),
        (bad, Seal.DAMAGED),
        (nothing, Seal.UNSEEN),
    ]
    assert outcomes[0].saved is not None
    assert "block 1" in outcomes[1].words


def test_words_are_short(path: Path) -> None:
    assert len(Outcome(path, words="x" * 10_000).to_json()["words"]) == 300


def test_the_process_ends_when_its_parent_does(path: Path) -> None:
    """Started by one that ends at once, it finds itself another's child and does nothing more."""
    code = (
        "import os, sys, time; from pathlib import Path; from speeddata.relay import sealing\n"
        "parents = iter([1])\n"
        "os.getppid = lambda: next(parents, 2)\n"
        "sealing.main(sys.argv[1:])"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, str(path)], capture_output=True, text=True, timeout=30
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "the orchestrator has ended\n")
    assert noted(path) is Seal.UNSEEN
