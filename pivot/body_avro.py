"""Avro bodies of an ingest: records back to back, or whole container files, whose blocks may be compressed."""

from speeddata.container import Head, parse_head, parse_long
from speeddata.container import unpack as unpack_block
from speeddata.errors import ArchiveError
from speeddata.pivot.ingest_batch import Part, Records
from speeddata.pivot.ingest_options import IN_THE_URL
from speeddata.pivot.problem import Problem

__all__ = ["read_avro"]

MAGIC = b"Obj\x01"


def read_avro(data: bytes, channel: str | None, limit: int) -> list[Part]:
    """The part of a body of at most `limit` bytes when unpacked; a container that names its channel needs no other name."""
    if not data.startswith(MAGIC):
        if channel is None:
            raise Problem(400, "No channel is named", field="channel", wanted=IN_THE_URL)
        return [Part(channel, Records(data))]
    try:
        head = parse_head(data)
        if head is None:
            raise ArchiveError("the head is cut off")
        name = channel or head.channel
        content = _content(data, head, limit)
        return [Part(name, Records(content, head.plan.schema))]
    except ArchiveError as error:
        raise Problem(400, f"The body is not an Avro container file: {error}", field="body") from None


def _content(data: bytes, head: Head, limit: int) -> bytes:
    """The records of all blocks, one after the other."""
    at, size = head.length, 0
    pieces: list[bytes] = []
    while at < len(data):
        try:
            count, at = parse_long(data, at)
            length, at = parse_long(data, at)
        except IndexError:
            raise ArchiveError("the last block is cut off") from None
        if count < 0 or length < 0 or length > len(data) - at - 16:
            raise ArchiveError("a block is cut off, or says an impossible length")
        piece = data[at : at + length]
        if head.codec != "null":
            piece = unpack_block(head.codec, piece)
        at += length
        if data[at : at + 16] != head.sync:
            raise ArchiveError("a block does not end with the sync marker")
        at += 16
        size += len(piece)
        if size > limit:
            raise Problem(413, f"The records are more than {limit} bytes when unpacked", limit=limit)
        pieces.append(piece)
    return b"".join(pieces)
