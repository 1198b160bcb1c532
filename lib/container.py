"""Head and codecs of an Avro container file, within limits.

A container is a head (magic, metadata, sync marker) and blocks. Only the head is parsed here, and block contents
unpacked; `speeddata.blocks` has the framing. Both can be made too, for files that a service writes at leisure. A file
of SpeedData up to 0.6 has blocks and no head: `bare_head` stands in.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import zstandard

from speeddata.blocks import UNITS, crc32c
from speeddata.errors import ArchiveError, SchemaError
from speeddata.plan import Plan
from speeddata.schema import Schema

__all__ = [
    "CODECS",
    "MAGIC",
    "MAX_HEAD",
    "OLD_SYNC",
    "Head",
    "bare_head",
    "pack_block",
    "pack_head",
    "pack_long",
    "parse_head",
    "parse_long",
    "plan_of",
    "unpack",
]

MAGIC = b"Obj\x01"
# The sync marker of every file that SpeedData up to 0.6 wrote.
OLD_SYNC = bytes.fromhex("a48a1e90050424780a68337fc2509563")
CODECS = ("null", "deflate", "zstandard")
MAX_HEAD = 1 << 20  # bytes of a head
MAX_KEYS = 1000  # keys of its metadata
MAX_CONTENT = 1 << 28  # bytes that a compressed block may unpack to


@dataclass(frozen=True)
class Head:
    """What a container says before its blocks."""

    metadata: Mapping[str, bytes]
    sync: bytes
    length: int  # bytes of the head: where the first block begins
    timed: bool = True  # whether its schema must have a time, as a channel's has
    crc: int = 0  # CRC-32C of its bytes but for the sync marker
    flipped: int | None = None  # the bit of the file that was taken for its opposite

    @property
    def codec(self) -> str:
        return self._text("avro.codec") or "null"

    @property
    def schema_text(self) -> str:
        return self._text("avro.schema")

    @property
    def channel(self) -> str:
        """The channel's name; a container that does not tell it is named by its schema's namespace or record."""
        if named := self._text("speeddata.channel"):
            return named
        space, _, record = self.plan.schema.name.rpartition(".")
        return space.rpartition(".")[2] or record

    @property
    def time_unit(self) -> str | None:
        """The unit in force: as the relay wrote it, or as the schema states it; None when neither tells."""
        unit = self._text("speeddata.time_unit")
        if unit and unit not in UNITS:
            raise ArchiveError(f"unknown speeddata.time_unit {unit!r}")
        return unit or self.plan.schema.time_unit

    @property
    def plan(self) -> Plan:
        """The compiled schema; ArchiveError when records cannot be read by it."""
        return plan_of(self.schema_text, self.timed)

    def _text(self, key: str) -> str:
        try:
            return self.metadata.get(key, b"").decode()
        except UnicodeDecodeError as error:
            raise ArchiveError(f"metadata {key} is not UTF-8") from error


@lru_cache(maxsize=256)
def plan_of(schema_text: str, timed: bool = True) -> Plan:
    """Compile a schema, or take it from those compiled lately."""
    try:
        return Plan(Schema.parse(schema_text, timed=timed))
    except SchemaError as error:
        raise ArchiveError(f"unusable schema: {error}") from error


def bare_head(schema_text: str) -> Head:
    """Stand in for the head of a file that has none."""
    return Head({"avro.schema": schema_text.encode()}, OLD_SYNC, 0)


def parse_head(data: bytes) -> Head | None:
    """Parse the head at the start of `data`; None when it goes on behind its end."""
    if data[: len(MAGIC)] != MAGIC[: len(data)]:
        raise ArchiveError("not an Avro container file")
    if len(data) < len(MAGIC):
        return None
    try:
        metadata, at = _parse_map(data, len(MAGIC))
    except IndexError:
        return None
    if len(data) < at + 16:
        return None
    head = Head(metadata, data[at : at + 16], at + 16, crc=crc32c(data[:at]))
    if head.codec not in CODECS:
        raise ArchiveError(f"codec {head.codec!r}, wanted one of {', '.join(CODECS)}")
    return head


def _parse_map(data: bytes, at: int) -> tuple[dict[str, bytes], int]:
    """Parse a map of bytes; IndexError when it is cut off."""
    entries: dict[str, bytes] = {}
    while True:
        count, at = parse_long(data, at)
        if count == 0:
            return entries, at
        if count < 0:  # the block's size in bytes follows
            _, at = parse_long(data, at)
        if abs(count) + len(entries) > MAX_KEYS:
            raise ArchiveError(f"the head has over {MAX_KEYS} keys")
        for _ in range(abs(count)):
            key, at = _parse_bytes(data, at)
            value, at = _parse_bytes(data, at)
            entries[key.decode(errors="replace")] = value


def _parse_bytes(data: bytes, at: int) -> tuple[bytes, int]:
    length, at = parse_long(data, at)
    if not 0 <= length <= MAX_HEAD:
        raise ArchiveError(f"the head holds an impossible length, {length}")
    if at + length > len(data):
        raise IndexError
    return data[at : at + length], at + length


def parse_long(data: bytes, at: int) -> tuple[int, int]:
    """A number and the place after it; IndexError when it is cut off."""
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return (value >> 1) ^ -(value & 1), at
    raise ArchiveError("the head holds a varint of over 10 bytes")


def unpack(codec: str, data: bytes | memoryview) -> bytes:
    """Uncompress a block's content, within `MAX_CONTENT`."""
    try:
        if codec == "deflate":
            inflate = zlib.decompressobj(-15)
            out = inflate.decompress(data, MAX_CONTENT)
            whole = inflate.eof
        else:
            # A frame that tells its size is given that much, whatever the limit: so look first.
            told = zstandard.frame_content_size(data)
            whole = told <= MAX_CONTENT
            out = zstandard.ZstdDecompressor().decompress(data, MAX_CONTENT) if whole else b""
    except (zlib.error, zstandard.ZstdError) as error:
        raise ArchiveError(f"{codec}: {error}") from error
    if not whole:
        raise ArchiveError(f"{codec}: cut off, or over {MAX_CONTENT} bytes")
    return out


def pack_head(metadata: Mapping[str, bytes], sync: bytes) -> bytes:
    """Make the head of a container."""
    out = bytearray(MAGIC)
    if metadata:
        out += pack_long(len(metadata))
    for key, value in metadata.items():
        for part in (key.encode(), value):
            out += pack_long(len(part)) + part
    return bytes(out + b"\0" + sync)


def pack_block(count: int, content: bytes | memoryview, sync: bytes) -> bytes:
    """Make a block of `count` records; `content` is already as the codec has it."""
    return b"".join((pack_long(count), pack_long(len(content)), content, sync))


def pack_long(value: int) -> bytes:
    """A zig-zag varint of a number that is not negative."""
    value <<= 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
