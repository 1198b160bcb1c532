"""Hostile packets: schemas by chance, records of them in unusual forms, and what an enemy makes of these."""

import random
import struct
from collections.abc import Sequence
from typing import Any

import twin

from speeddata.errors import RecordError
from speeddata.plan import Plan
from speeddata.schema import Schema

MAX_PACKET = 65507
FRAME = 10  # bytes before a record of single-object framing
CHANGE = 0.02  # chance that packets are of another version from here on
RECORDS = 300  # good ones of each schema
LENGTHS = (-1, 1, 63, 64, 8191, 65536, 2**31 - 1, 2**31, -(2**31), 2**62, 2**63 - 1, -(2**63))
BYTES = (0x00, 0x01, 0x02, 0x7F, 0x80, 0x81, 0xC3, 0xFE, 0xFF)
NUMBERS = ("int", "long", "float", "double")
PRIMITIVES = (*NUMBERS, "null", "boolean", "bytes", "string")
DEEPEST = 28  # levels of nesting; 32 are allowed


def channel_schema(chance: random.Random, number: int) -> dict[str, Any]:
    """A schema that a channel can have; the first is the deepest that there is."""
    kind = chance.choice(NUMBERS)
    time = chance.choice(
        (kind, ["null", kind], [kind, "null"], {"type": "long", "logicalType": "timestamp-nanos"})
    )
    rest = [deep(DEEPEST)] if number == 0 else [some_type(chance, 3) for _ in range(chance.randint(1, 6))]
    fields = [{"name": f"s{k}", "type": type_} for k, type_ in enumerate(rest)]
    fields.insert(chance.randint(0, len(fields)), {"name": "time", "type": time})
    if chance.random() < 0.5:
        fields.insert(
            0, {"name": "n", "type": chance.choice(("int", "long")), "speeddata": {"role": "sequence"}}
        )
    return named({"type": "record", "fields": fields}, iter(range(10**6)))


def deep(levels: int) -> Any:
    """Arrays of maps of unions of records, and so on."""
    if levels == 0:
        return "string"
    below = deep(levels - 1)
    if levels % 4 == 0:
        return {"type": "array", "items": below}
    if levels % 4 == 1:
        return {"type": "map", "values": below}
    if levels % 4 == 2:
        return ["null", "int", below]
    return {"type": "record", "fields": [{"name": "f", "type": below}]}


def some_type(chance: random.Random, depth: int) -> Any:
    kind = chance.choice(
        (*PRIMITIVES, "fixed", "enum", *(("array", "map", "union", "record") if depth else ()))
    )
    if kind == "fixed":
        return {"type": "fixed", "size": chance.randint(1, 40)}
    if kind == "enum":
        return {"type": "enum", "symbols": [f"S{k}" for k in range(chance.randint(1, 100))]}
    if kind == "array":
        return {"type": "array", "items": some_type(chance, depth - 1)}
    if kind == "map":
        return {"type": "map", "values": some_type(chance, depth - 1)}
    if kind == "union":
        return [
            *chance.sample(PRIMITIVES, chance.randint(1, 4)),
            {"type": "array", "items": some_type(chance, depth - 1)},
        ]
    if kind == "record":
        types = [some_type(chance, depth - 1) for _ in range(chance.randint(0, 4))]
        return {
            "type": "record",
            "fields": [{"name": f"f{k}", "type": type_} for k, type_ in enumerate(types)],
        }
    return kind


def named(type_: Any, numbers: Any) -> Any:
    """Give every record, enum and fixed a name of its own."""
    if isinstance(type_, list):
        return [named(branch, numbers) for branch in type_]
    if isinstance(type_, str):
        return type_
    made = dict(type_)
    if made["type"] in ("record", "enum", "fixed"):
        made["name"] = f"N{next(numbers)}"
    for key in ("items", "values"):
        if key in made:
            made[key] = named(made[key], numbers)
    if "fields" in made:
        made["fields"] = [field | {"type": named(field["type"], numbers)} for field in made["fields"]]
    return made


def some_value(type_: Any, chance: random.Random) -> Any:
    """A value as `twin.write` takes it."""
    if isinstance(type_, list):
        branch = chance.randrange(len(type_))
        return branch, some_value(type_[branch], chance)
    kind = type_ if isinstance(type_, str) else type_["type"]
    if kind in ("int", "long"):
        bits = chance.randint(0, 31 if kind == "int" else 63)
        return chance.randint(-(1 << bits), (1 << bits) - 1)
    if kind in ("float", "double"):
        return chance.choice((0.0, -1.5, float("nan"), float("inf"), 1.8e9))
    if kind in ("bytes", "fixed"):
        return chance.randbytes(type_["size"] if kind == "fixed" else chance.choice((0, 1, 7, 130)))
    if kind == "string":
        return chance.choice(("", "a", "grüß dich", "\U0001f680" * 9, "x" * 70))
    if kind == "enum":
        return chance.choice(type_["symbols"])
    if kind == "array":
        return [some_value(type_["items"], chance) for _ in range(chance.choice((0, 1, 1, 3)))]
    if kind == "map":
        return {key: some_value(type_["values"], chance) for key in "ab"[: chance.randint(0, 2)]}
    if kind == "record":
        return {field["name"]: some_value(field["type"], chance) for field in type_["fields"]}
    return chance.random() < 0.5 if kind == "boolean" else None


class Enemy:
    """Makes packets for a channel with these versions of a schema; the same ones for the same seed."""

    def __init__(self, seed: int, schemas: Sequence[dict[str, Any]], *, framed: bool) -> None:
        self.chance = random.Random(seed)
        self.framed = framed
        self.plans = [Plan(Schema.parse(schema)) for schema in schemas]
        self.by_print = {plan.schema.fingerprint: plan for plan in self.plans}
        self.good = [self._records(schema, plan) for schema, plan in zip(schemas, self.plans, strict=True)]
        self.now = self.good[0]  # of the version that packets are of just now
        self.by_size: dict[int, list[bytes]] = {}
        for packet in (packet for packets in self.good for packet in packets):
            self.by_size.setdefault(len(packet), []).append(packet)

    def _records(self, schema: dict[str, Any], plan: Plan) -> list[bytes]:
        """Good packets of one record."""
        frame = b"\xc3\x01" + plan.schema.fingerprint if self.framed else b""
        values = (some_value(schema, self.chance) for _ in range(RECORDS))
        return [(frame + twin.write(schema, value, self.chance))[:MAX_PACKET] for value in values]

    def packet(self) -> bytes:
        """Random bytes, or good records joined, cut, overwritten, lengthened."""
        chance = self.chance
        kind = chance.randrange(16)
        if kind == 0:
            return chance.randbytes(chance.randrange(200))
        if chance.random() < CHANGE:
            self.now = chance.choice(self.good)
        packet = bytearray(chance.choice(self.now))
        if kind < 4:
            packet *= chance.randint(1, 4)
        elif kind == 4:
            packet += chance.choice(chance.choice(self.good))
        elif kind == 5 and packet:
            packet *= min(MAX_PACKET // len(packet), 9 if chance.random() < 0.95 else 9999)
        if kind < 6:
            return bytes(packet[:MAX_PACKET])
        if kind == 6:
            del packet[chance.randrange(len(packet) + 1) :]
        elif kind == 7:
            packet += chance.randbytes(chance.randint(1, 20))
        elif kind < 11:
            at = chance.randrange(len(packet) + 1)
            packet[at : at + chance.randint(0, 10)] = number(chance)
        elif packet:
            for _ in range(chance.randint(1, 4)):
                packet[int(chance.random() * len(packet))] = chance.choice(BYTES)
        return bytes(packet[:MAX_PACKET])

    def packet_of(self, size: int) -> bytes:
        """A packet of this size, a good one where there is."""
        good = self.by_size.get(size)
        if good and self.chance.random() < 0.5:
            return self.chance.choice(good)
        return self.packet()[:size].ljust(size, b"\x00")

    def verdict(self, packet: bytes) -> int | str:
        """Records in a packet, or why it is refused."""
        if not packet:
            return "empty"
        if self.framed and len(packet) < FRAME:
            return "short"
        plan = self.by_print.get(packet[2:10], self.plans[0]) if self.framed else self.plans[-1]
        try:
            return plan.packet(packet, "single_object" if self.framed else "plain")
        except RecordError as error:
            return error.reason


def number(chance: random.Random) -> bytes:
    """What stands where a length, a count or an index is expected."""
    kind = chance.randrange(4)
    if kind == 0:
        return b"\xff" * chance.randint(1, 12) + bytes([chance.choice(BYTES)])
    if kind == 1:
        return twin.varint(chance.choice(LENGTHS), chance.choice((0, 1, 9)))
    if kind == 2:
        return twin.varint(-chance.randint(1, 9)) + twin.varint(chance.choice(LENGTHS))
    return struct.pack("<q", chance.choice(LENGTHS))
