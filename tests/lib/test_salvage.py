"""A new file of the good blocks takes the place of a damaged one, and whatever happens one of them is there."""

import errno
import os
import stat

import fastavro
import pytest
import segments as made

from speeddata import salvage as module
from speeddata.errors import ArchiveError
from speeddata.index import HEAD_SIZE, Entry, entries_of, index_path, pack_entry
from speeddata.repair import repair
from speeddata.salvage import finish, leftovers, salvage
from speeddata.segment import Segment, scan
from speeddata.verify import verify

BLOCKS = [made.records(3), made.records(2, 3), [made.record(7), made.record(6)], made.records(3, 8)]
STEPS = ("link", "fsync", "replace", "rename", "unlink", "utime")
CUT_SHORT = 77


def rows(path):
    with Segment(path) as segment:
        data = b"".join(bytes(piece.data) for piece in segment.read(segment.entries, segment.damages))
        return made.decode(made.SCHEMA, data)


def spoil(path, block=1):
    """Damage a block; the bytes of segment and index after that."""
    data, place = bytearray(path.read_bytes()), scan(path)[block]
    data[place.offset + 5] ^= 1
    path.write_bytes(data)
    return bytes(data), index_path(path).read_bytes()


@pytest.fixture
def damaged(tmp_path):
    path = made.write_segment(
        tmp_path / "example", BLOCKS, arrivals=[made.START + n * 1000 for n in range(4)]
    )
    spoil(path)
    return path


def names(path):
    return sorted(
        entry.name.replace(path.name, "NAME").replace(path.stem, "STEM") for entry in path.parent.iterdir()
    )


@pytest.mark.parametrize("codec", ["null", "deflate", "zstandard"])
def test_the_good_blocks_are_in_the_new_file_as_they_were(tmp_path, codec):
    path = made.write_segment(tmp_path / "example", BLOCKS, codec=codec, arrivals=[7, 8, 9, 10])
    before, index = spoil(path)
    kept = salvage(path, verify(path))
    assert rows(path) == BLOCKS[0] + BLOCKS[2] + BLOCKS[3]
    assert verify(path).state == "whole"
    assert (kept.read_bytes(), index_path(kept).read_bytes()) == (before, index)
    assert rows(kept) == rows(path), "what is kept can be read like any segment"
    entries = [list(entries_of(data[HEAD_SIZE:])) for data in (index, index_path(path).read_bytes())]
    same = [
        [(e.count, e.first_ns, e.min_ns, e.max_ns, e.arrival_ns, e.flags) for e in part] for part in entries
    ]
    assert same[1] == [same[0][0], *same[0][2:]]
    with Segment(path) as new, Segment(kept) as old:
        assert new.head.sync != old.head.sync
        assert (new.head.metadata, new.head.codec) == (old.head.metadata, codec)
    if codec == "deflate":
        with path.open("rb") as file:
            assert list(fastavro.reader(file)) == rows(path)


def test_what_is_kept_is_never_overwritten(damaged):
    seen = []
    for _ in range(3):
        seen.append((damaged.read_bytes(), index_path(damaged).read_bytes()))
        kept = salvage(damaged, verify(damaged))
        assert (kept.read_bytes(), index_path(kept).read_bytes()) == seen[-1]
        spoil(damaged, block=0)
    assert names(damaged) == [
        "NAME", "NAME.2.damaged", "NAME.2.idx", "NAME.3.damaged", "NAME.3.idx", "NAME.damaged", "NAME.idx", "STEM.idx",
    ]  # fmt: skip


def test_rights_and_time_stay(damaged):
    damaged.chmod(0o604)
    os.utime(damaged, ns=(10**18, 10**18 + 7))
    salvage(damaged, verify(damaged))
    for path in (damaged, index_path(damaged)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o604
    assert damaged.stat().st_mtime_ns == 10**18 + 7


def test_other_containers_get_no_index(tmp_path):
    path = made.write_segment(tmp_path / "x", BLOCKS, index=False, metadata={})
    data = bytearray(path.read_bytes())
    data[scan(path)[1].offset] ^= 2
    path.write_bytes(data)
    salvage(path, verify(path))
    assert names(path) == ["NAME", "NAME.damaged"]
    assert verify(path).state == "whole"
    assert rows(path) == BLOCKS[0] + BLOCKS[2] + BLOCKS[3]


def test_nothing_is_put_in_place_that_reads_back_otherwise(damaged, monkeypatch):
    before, real = damaged.read_bytes(), os.fsync

    def lose(fd):
        """A disk that forgets."""
        if os.readlink(f"/proc/self/fd/{fd}").endswith(".repair.avro"):
            os.pwrite(fd, b"\0\0\0\0", os.fstat(fd).st_size - 30)
        real(fd)

    monkeypatch.setattr(os, "fsync", lose)
    with pytest.raises(ArchiveError, match="reads back otherwise"):
        salvage(damaged, verify(damaged))
    assert damaged.read_bytes() == before
    assert names(damaged) == ["NAME", "STEM.idx"]


def test_a_full_disk_leaves_all_as_it_was(damaged, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    report = verify(damaged)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        salvage(damaged, report)
    assert names(damaged) == ["NAME", "STEM.idx"]


def test_what_changes_meanwhile_is_let_alone(damaged):
    report = verify(damaged)
    with damaged.open("ab"):
        with pytest.raises(ArchiveError, match="open for writing"):
            salvage(damaged, report)
    with damaged.open("ab") as file:
        file.write(b"more")
    with pytest.raises(ArchiveError, match="has changed meanwhile"):
        salvage(damaged, report)
    report = verify(damaged)
    before = damaged.read_bytes()
    damaged.write_bytes(before.replace(b"voltage", b"voltagd"))
    with pytest.raises(ArchiveError, match="its head has changed meanwhile"):
        salvage(damaged, report)
    damaged.write_bytes(before)
    report = verify(damaged)
    report.entries += pack_entry(Entry(*next(entries_of(report.entries)))._replace(crc=1))
    with pytest.raises(ArchiveError, match="the block at byte .* has changed meanwhile"):
        salvage(damaged, report)
    assert names(damaged) == ["NAME", "STEM.idx"]


def test_where_there_are_no_links_a_copy_is_kept(damaged, monkeypatch):
    def no_links(*_, **__):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    before = damaged.read_bytes(), index_path(damaged).read_bytes()
    monkeypatch.setattr(os, "link", no_links)
    kept = salvage(damaged, verify(damaged))
    assert (kept.read_bytes(), index_path(kept).read_bytes()) == before
    assert names(damaged) == ["NAME", "NAME.damaged", "NAME.idx", "STEM.idx"]


def die_at(step):
    """Let this process end, as by kill -9, just before the given one of the steps that change the disk."""
    left = [step]

    def dying(real):
        def call(*arguments, **options):
            left[0] -= 1
            if not left[0]:
                os._exit(CUT_SHORT)
            return real(*arguments, **options)

        return call

    for name in STEPS:
        setattr(os, name, dying(getattr(os, name)))


@pytest.mark.parametrize("links", [True, False])
def test_killed_at_any_step_the_old_or_the_new_file_is_there_and_the_next_repair_ends_it(tmp_path, links):
    step, done = 0, False
    while not done:
        step += 1
        path = made.write_segment(tmp_path / f"run{step}", BLOCKS)
        before, index = spoil(path)
        pid = os.fork()
        if not pid:
            if not links:
                module.NO_LINKS += (errno.EMLINK,)
                os.link = lambda *_, **__: (_ for _ in ()).throw(OSError(errno.EMLINK, "no links"))
            die_at(step)
            os._exit(repair(path).status)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        done = status != CUT_SHORT
        assert status in (CUT_SHORT, 3)
        good = BLOCKS[0] + BLOCKS[2] + BLOCKS[3]
        assert rows(path) == good, "whether it is the old or the new one"
        holders = [one for one in path.parent.iterdir() if one.is_file() and one.read_bytes() == before]
        assert holders, "the damaged file is still somewhere"
        outcome = repair(path)
        assert outcome.status in (0, 3)
        assert rows(path) == good
        assert verify(path).state == "whole"
        assert [entry.arrival_ns for entry in scan_entries(path)] == [
            made.START,
            made.START + 2,
            made.START + 3,
        ]
        assert [name for name in names(path) if name.startswith(".")] == []
        kept = path.with_name(f"{path.name}.damaged")
        assert (kept.read_bytes(), index_path(kept).read_bytes()) == (before, index)
    assert step > 10


def scan_entries(path):
    with Segment(path) as segment:
        return list(entries_of(segment.entries))


def test_what_an_interrupted_salvage_left_is_found_and_cleared_away(damaged):
    left = [damaged.with_name(f".{damaged.name}.repair.{ending}") for ending in ("avro", "idx")]
    for path in left:
        path.write_bytes(b"half")
    assert leftovers(damaged.parent) == [damaged]
    finish(damaged)
    assert not any(path.exists() for path in left)
    assert leftovers(damaged.parent) == []
    left[1].write_bytes(index_path(damaged).read_bytes().replace(made.SYNC, bytes(16)))
    finish(damaged)
    assert names(damaged) == ["NAME", "STEM.idx"]
