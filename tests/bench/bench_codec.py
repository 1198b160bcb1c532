"""How fast records are walked, decoded and encoded, beside fastavro. Each round handles RECORDS records."""

import io
import json
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import fastavro
import pytest

from speeddata.columns import decode
from speeddata.plan import Plan
from speeddata.rows import encode
from speeddata.schema import Schema

RECORDS = 5000
EXAMPLE: dict[str, Any] = json.loads((files("speeddata.config") / "agents" / "example.avsc").read_text())
WIDE: dict[str, Any] = {
    "type": "record",
    "name": "Wide",
    "fields": [{"name": "time", "type": "long"}, *({"name": f"x{i}", "type": "double"} for i in range(100))],
}
WAVE: dict[str, Any] = {
    "type": "record",
    "name": "Wave",
    "fields": [
        {"name": "time", "type": "long"},
        {"name": "samples", "type": {"type": "array", "items": "float"}},
    ],
}


def value_of(field: dict[str, Any], number: int) -> Any:
    if field["name"] == "time":
        return 1_700_000_000_000_000_000 + number
    plain = {"int": number, "long": number, "double": number / 7, "string": f"message {number % 10}"}
    return plain[field["type"]] if isinstance(field["type"], str) else [number / 7] * 100


class Case:
    """Records of one schema."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self.plan = Plan(Schema.parse(schema))
        self.parsed = fastavro.parse_schema(schema)
        self.records = [{f["name"]: value_of(f, i) for f in schema["fields"]} for i in range(RECORDS)]
        stream = io.BytesIO()
        for record in self.records:
            fastavro.schemaless_writer(stream, self.parsed, record)
        self.block = stream.getvalue()

    def read_by_fastavro(self) -> list[Any]:
        stream = io.BytesIO(self.block)
        return [fastavro.schemaless_reader(stream, self.parsed, None) for _ in range(RECORDS)]

    def write_by_fastavro(self) -> bytes:
        stream = io.BytesIO()
        for record in self.records:
            fastavro.schemaless_writer(stream, self.parsed, record)
        return stream.getvalue()


@pytest.fixture(params=[EXAMPLE, WIDE, WAVE], ids=["example", "wide", "wave"], scope="module")
def case(request: pytest.FixtureRequest) -> Case:
    return Case(request.param)


Benchmark = Callable[..., Any]


def test_walk(benchmark: Benchmark, case: Case) -> None:
    assert benchmark(case.plan.packet, case.block) == RECORDS


def test_decode(benchmark: Benchmark, case: Case) -> None:
    assert len(benchmark(decode, case.plan, case.block, RECORDS)["time"]) == RECORDS


def test_decode_one_signal(benchmark: Benchmark, case: Case) -> None:
    assert list(benchmark(decode, case.plan, case.block, RECORDS, ["time"])) == ["time"]


def test_decode_by_fastavro(benchmark: Benchmark, case: Case) -> None:
    assert len(benchmark(case.read_by_fastavro)) == RECORDS


def test_encode(benchmark: Benchmark, case: Case) -> None:
    assert benchmark(encode, case.plan, decode(case.plan, case.block)) == case.block


def test_encode_by_fastavro(benchmark: Benchmark, case: Case) -> None:
    assert benchmark(case.write_by_fastavro) == case.block
