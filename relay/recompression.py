"""Puts a compressed copy of a sealed segment in its place, the same records byte for byte; many small blocks become few.

The copy has a sync marker of its own and is made under names that begin with a dot, read back from the disk and compared.
Then the segment is renamed, and after it the index. In that order a reader that has the old segment and meets the new
index need only open the segment again; one that meets the new segment with the old index finds the blocks by a scan, as
after a kill between the two, until `finish` has completed what was begun. At any instant a whole segment is in the place.
"""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from speeddata.blocks import crc32c
from speeddata.compression import Compressor
from speeddata.container import MAX_HEAD, pack_block, pack_head
from speeddata.container import parse_head as parse_segment_head
from speeddata.durable import sync_folder, take_after
from speeddata.errors import ArchiveError
from speeddata.folder_lock import alone_in
from speeddata.index import Entry, Seal, each_entry, index_path, pack_entry, parse_head
from speeddata.index import pack_head as pack_index_head
from speeddata.index_state import read_index
from speeddata.open_files import open_for_writing
from speeddata.relay.block_groups import block_groups, merged_entry
from speeddata.rollup_names import rollup_path
from speeddata.segment import Segment
from speeddata.verify import Signature, signature_of

__all__ = ["WORTH", "copy_path", "finish", "leftover_of", "recompress"]

WORTH = 0.95  # of its size: a copy that is not smaller than that is not worth it
SAMPLE = 4 << 20  # bytes after which that is looked at
WRITTEN = 8 << 20  # bytes that may wait to be brought to the disk
SYNC = 16
ENDINGS = (".seal.avro", ".seal.idx")
META = slice(12, 52)  # of an index entry: what a copy has as the groups of blocks tell it
NO_CODEC = "null"  # for a copy that only has larger blocks

Check = Callable[[], None]


def copy_path(segment: Path) -> Path:
    """Where the copy of a segment is made."""
    return segment.with_name(f".{segment.name}.seal.avro")


def leftover_of(name: str) -> str:
    """The name of the segment that a copy, or its index, is of; empty for any other file."""
    ending = next((ending for ending in ENDINGS if name.endswith(ending)), "")
    return name[1 : -len(ending)] if ending and name.startswith(".") else ""


def recompress(path: Path, codec: str, signature: Signature, check: Check) -> int | None:
    """Compress a segment that has been verified, and had this signature then; bytes saved, None when it is not worth it.

    By the codec `null` it only gets larger blocks.

    `check` is called often; what it raises ends it. OSError when it cannot be done; the segment is then as it was.
    """
    copy = copy_path(path)
    _clear(copy)
    try:
        with Segment(path) as segment:
            index = _write(segment, copy, codec, check)
            if index is None:
                _clear(copy)
                return None
            _write_index(copy, index, segment)
            _compare(segment, copy, check)
            segment.forget()
            saved = segment.size - copy.stat().st_size
        with alone_in(path.parent) as alone:
            if not alone:
                raise ArchiveError("a repair works in its folder")
            if open_for_writing(path) or signature_of(path) != signature:
                raise ArchiveError("it has changed meanwhile")
            # The rollup is of the segment as it was; nobody would use it, but it must be made anew.
            rollup_path(path).unlink(missing_ok=True)
            copy.rename(path)
            index_path(copy).rename(index_path(path))
            sync_folder(path.parent)
    except BaseException:
        with suppress(OSError):
            finish(path)
        raise
    return saved


def finish(path: Path) -> None:
    """Complete the exchange of a segment that was interrupted between its two steps; clear away one that came less far."""
    copy = copy_path(path)
    told = parse_head(read_index(copy) or b"")
    if told is not None and not copy.exists():
        # The segment has taken its place, unless another has since.
        if _sync_of(path) == told[0]:
            index_path(copy).rename(index_path(path))
            sync_folder(path.parent)
    elif copy.exists():
        # Power may fail after the second step was on the disk and before the first was.
        placed = parse_head(read_index(path) or b"")
        if placed is not None and _sync_of(copy) == placed[0]:
            copy.rename(path)
            sync_folder(path.parent)
    _clear(copy)


def _clear(copy: Path) -> None:
    # The index first: left alone it would mean that the segment has taken its place.
    index_path(copy).unlink(missing_ok=True)
    copy.unlink(missing_ok=True)


def _sync_of(path: Path) -> bytes | None:
    """The sync marker in the head of a container."""
    try:
        with path.open("rb") as file:
            head = parse_segment_head(file.read(MAX_HEAD))
    except OSError:
        return None
    return head.sync if head else None


def _write(segment: Segment, copy: Path, codec: str, check: Check) -> bytes | None:
    """Write the copy to the disk; the bytes of its index, None when it is not worth it."""
    compress, sync = _compressor(codec), os.urandom(SYNC)
    head = pack_head({**segment.head.metadata, "avro.codec": codec.encode()}, sync)
    found = Seal.VERIFIED if codec == NO_CODEC else Seal.FINAL
    out = bytearray(pack_index_head(sync, len(head), crc32c(head[:-SYNC]), found))
    read, waiting = 0, 0
    groups = block_groups(segment.entries)
    merges = any(len(group) > 1 for group in groups)
    with copy.open("xb") as file:
        take_after(file.fileno(), segment.path.stat())
        file.write(head)
        for group in groups:
            check()
            entry, content = merged_entry(group), _contents(segment, group)
            block = pack_block(entry.count, compress(content), sync)
            out += _moved(entry, file.tell(), block)
            file.write(block)
            read, waiting = read + len(content), waiting + len(block)
            if not merges and read >= SAMPLE and file.tell() > read * WORTH:
                return None
            if waiting >= WRITTEN:
                file.flush()
                os.fdatasync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
                waiting = 0
        if not merges and file.tell() > segment.size * WORTH:
            return None
        file.flush()
        os.utime(file.fileno(), ns=(segment.signature[2], segment.signature[2]))
        os.fsync(file.fileno())
    return bytes(out)


def _write_index(copy: Path, index: bytes, segment: Segment) -> None:
    with index_path(copy).open("xb") as file:
        take_after(file.fileno(), segment.path.stat())
        file.write(index)
        file.flush()
        os.fsync(file.fileno())


def _compare(segment: Segment, copy: Path, check: Check) -> None:
    """Make sure that a copy, as the disk gives it back, is whole and has the same records."""
    with Segment(copy) as made:
        made.forget()
        groups = block_groups(segment.entries)
        news = list(each_entry(made.entries))
        if made.damages or made.end != made.size or len(news) != len(groups):
            raise ArchiveError("its copy reads back otherwise")
        for group, new in zip(groups, news, strict=True):
            check()
            told = pack_entry(merged_entry(group))[META]
            if told != new[META] or _contents(segment, group) != _content(made, new):
                raise ArchiveError("its copy reads back otherwise")
        made.forget()


def _compressor(codec: str) -> Callable[[bytes | memoryview], bytes | memoryview]:
    return (lambda content: content) if codec == NO_CODEC else Compressor(codec).compress


def _contents(segment: Segment, group: Sequence[bytes]) -> bytes | memoryview:
    """The records of blocks that follow each other."""
    contents = [_content(segment, packed) for packed in group]
    return contents[0] if len(contents) == 1 else b"".join(contents)


def _content(segment: Segment, entry: bytes) -> bytes | memoryview:
    """The records of a block that must be whole."""
    pieces = list(segment.read(entry, []))
    if not pieces:
        raise ArchiveError("a block has changed meanwhile")
    return pieces[0].data


def _moved(entry: Entry, offset: int, block: bytes) -> bytes:
    return pack_entry(entry._replace(offset=offset, length=len(block), crc=crc32c(block)))
