"""Avro's encoding in plain Python: the oracle of the compiled walk, and a writer of its unusual forms.

`walk` says of any bytes what `Plan.walk` has to say. `write` encodes a value in every legal way, not only the shortest:
over-long varints, arrays in many blocks, blocks that state their size.
"""

import random
import struct
from typing import Any

MAX_ITEMS = 65536
Type = Any  # a schema as JSON, named types written out


class Refused(Exception):
    """Bytes that are not a record; the argument is the reason."""


# ---- bytes -> is it a record?


class _Reader:
    def __init__(self, data: bytes, at: int) -> None:
        self.data, self.at, self.empty = data, at, 0

    def take(self, size: int) -> bytes:
        if size > len(self.data) - self.at:
            raise Refused("short")
        self.at += size
        return self.data[self.at - size : self.at]

    def long(self) -> int:
        value = 0
        for i in range(10):
            byte = self.take(1)[0]
            value |= (byte & 127) << 7 * i
            if value >> 64 or i == 9 and byte > 127:
                raise Refused("varint")
            if byte < 128:
                return value >> 1 ^ -(value & 1)
        raise AssertionError("the tenth byte decides")

    def int(self) -> int:
        value = self.long()
        if not -(2**31) <= value < 2**31:
            raise Refused("varint")
        return value

    def sized(self) -> bytes:
        length = self.long()
        if not 0 <= length < 2**31:
            raise Refused("length")
        return self.take(length)

    def string(self) -> str:
        data = self.sized()
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise Refused("utf8") from None

    def index(self, count: int, reason: str) -> int:
        index = self.long()
        if not 0 <= index < count:
            raise Refused(reason)
        return index

    def blocks(self, kind: str, items: Type) -> Any:
        least = minimum(items) + (kind == "map")
        found: list[Any] = []
        while True:
            count, size = self.long(), None
            if count < 0:
                if count == -(2**63):
                    raise Refused("length")
                count, size = -count, self.long()
                if size < 0:
                    raise Refused("length")
                if size > len(self.data) - self.at:
                    raise Refused("short")
            start = self.at
            if least == 0:
                self.empty += count
                if self.empty > MAX_ITEMS:
                    raise Refused("length")
            elif count > (len(self.data) - self.at) // least:
                raise Refused("short")
            for _ in range(count):
                key = self.string() if kind == "map" else None
                value = self.value(items)
                found.append((key, value) if kind == "map" else value)
            if size is not None and self.at - start != size:
                raise Refused("length")
            if count == 0:
                return dict(found) if kind == "map" else found

    def value(self, type_: Type) -> Any:
        if isinstance(type_, list):
            return self.value(type_[self.index(len(type_), "union")])
        kind = type_ if isinstance(type_, str) else type_["type"]
        if kind == "null":
            return None
        if kind == "boolean":
            byte = self.take(1)[0]
            if byte > 1:
                raise Refused("boolean")
            return byte == 1
        if kind == "int":
            return self.int()
        if kind == "long":
            return self.long()
        if kind == "float":
            return struct.unpack("<f", self.take(4))[0]
        if kind == "double":
            return struct.unpack("<d", self.take(8))[0]
        if kind == "bytes":
            return self.sized()
        if kind == "string":
            return self.string()
        if kind == "fixed":
            return self.take(type_["size"])
        if kind == "enum":
            return type_["symbols"][self.index(len(type_["symbols"]), "enum")]
        if kind == "record":
            return {field["name"]: self.value(field["type"]) for field in type_["fields"]}
        return self.blocks(kind, type_["items"] if kind == "array" else type_["values"])


def walk(schema: Type, data: bytes, at: int = 0) -> tuple[int, Any]:
    """Give the length and the value of the record at `at`, or raise Refused."""
    reader = _Reader(data, at)
    value = reader.value(schema)
    return reader.at - at, value


def minimum(type_: Type) -> int:
    """Bytes of the smallest value."""
    if isinstance(type_, list):
        return 1 + min(minimum(branch) for branch in type_)
    kind = type_ if isinstance(type_, str) else type_["type"]
    if kind == "record":
        return sum(minimum(field["type"]) for field in type_["fields"])
    return {"null": 0, "float": 4, "double": 8, "fixed": type_["size"] if kind == "fixed" else 0}.get(kind, 1)


# ---- value -> bytes


def varint(value: int, longer: int = 0) -> bytes:
    """A zigzag varint, with up to `longer` bytes more than it needs."""
    rest = (value << 1) ^ (value >> 63)
    out = bytearray()
    while rest > 127:
        out.append(rest & 127 | 128)
        rest >>= 7
    out.append(rest)
    for _ in range(min(longer, 10 - len(out))):
        out[-1] |= 128
        out.append(0)
    return bytes(out)


def write(type_: Type, value: Any, chance: random.Random | None = None) -> bytes:
    """Encode a value; where `chance` is given, in unusual forms. A union's value is (branch number, value)."""
    longer = chance.choice((0, 0, 0, 1, 2, 9)) if chance else 0
    if isinstance(type_, list):
        return varint(value[0], longer) + write(type_[value[0]], value[1], chance)
    kind = type_ if isinstance(type_, str) else type_["type"]
    if kind == "null":
        return b""
    if kind == "boolean":
        return bytes([value])
    if kind in ("int", "long"):
        return varint(value, longer)
    if kind in ("float", "double"):
        return struct.pack("<f" if kind == "float" else "<d", value)
    if kind in ("bytes", "string"):
        data = value.encode() if kind == "string" else value
        return varint(len(data), longer) + data
    if kind == "fixed":
        return bytes(value)
    if kind == "enum":
        return varint(type_["symbols"].index(value), longer)
    if kind == "record":
        return b"".join(write(field["type"], value[field["name"]], chance) for field in type_["fields"])
    return _write_blocks(type_, value, chance, longer)


def _write_blocks(type_: Type, value: Any, chance: random.Random | None, longer: int) -> bytes:
    if type_["type"] == "map":
        items = [
            write("string", key, chance) + write(type_["values"], item, chance) for key, item in value.items()
        ]
    else:
        items = [write(type_["items"], item, chance) for item in value]
    out = b""
    while items:
        count = chance.randint(1, len(items)) if chance else len(items)
        block = b"".join(items[:count])
        sized = chance is not None and chance.random() < 0.5
        out += (
            varint(-count, longer) + varint(len(block), longer) + block
            if sized
            else varint(count, longer) + block
        )
        items = items[count:]
    return out + varint(0, longer)


# ---- records -> columns


def leaves(schema: Type, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Type]]:
    """Path and type of every signal."""
    found = []
    for field in schema["fields"]:
        below, type_ = (*path, field["name"]), field["type"]
        if isinstance(type_, dict) and type_["type"] == "record":
            found += leaves(type_, below)
        else:
            found.append((below, type_))
    return found


def columns(schema: Type, values: list[Any]) -> dict[str, list[Any]]:
    """What a decode of records gives, as lists: None where null."""
    found = {}
    for path, _ in leaves(schema):
        column = values
        for name in path:
            column = [value[name] for value in column]
        found[".".join(path)] = column
    return found
