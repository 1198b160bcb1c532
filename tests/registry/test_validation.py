"""Every problem of a registration at once, in the words that registering would refuse it with."""

import socket
from typing import Any

import pytest
from ports import free_port

from speeddata.registry.channels import Registry
from speeddata.registry.registration import Registration
from speeddata.registry.validation import validate

PORT = free_port(socket.SOCK_DGRAM)
GOOD = {"name": "x", "port": PORT, "schema": "agents/example.avsc"}


def test_a_good_one_tells_the_signals(registry: Registry) -> None:
    found = validate(registry, GOOD)
    assert (found["valid"], found["missing"], found["problems"]) == (True, [], {})
    assert found["schema"]["time_unit"] == "ns"
    assert found["schema"]["signals"] == [
        {"name": "time", "type": "long", "nullable": False, "unit": None, "role": "time"},
        {"name": "value", "type": "double", "nullable": False, "unit": None, "role": None},
    ]


def test_what_is_not_there_yet_is_missing_and_no_problem(registry: Registry) -> None:
    found = validate(registry, {"name": "", "port": None})
    assert found == {"valid": False, "missing": ["name", "schema"], "problems": {}, "schema": None}


def test_all_problems_are_told_at_once(registry: Registry) -> None:
    body = {
        "name": "a b",
        "port": 99999,
        "schema": "agents/timeless.avsc",
        "config": {"decimation": {"rate": 1}},
    }
    problems = validate(registry, body)["problems"]
    assert {field: problem["error"] for field, problem in problems.items()} == {
        "name": "Invalid channel name",
        "port": "Port out of range",
        "schema": "Invalid schema",
        "config": "Invalid config",
    }
    assert "the record has no time" in problems["schema"]["details"]
    assert problems["config"]["field"] == "config.decimation.rate"


def test_clashes_are_told(registry: Registry) -> None:
    registry.register(Registration("x", PORT, "agents/example.avsc", None))
    problems = validate(registry, GOOD)["problems"]
    assert problems["name"]["error"] == "Channel name already registered"
    assert problems["port"]["used_by"] == "x"


def test_a_port_of_another_program_is_told(registry: Registry) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        found = validate(registry, GOOD | {"port": port})
    problem = found["problems"]["port"]
    assert (problem["error"], problem["port"], problem["used_by"]) == (
        "Port already in use",
        port,
        "another program",
    )


@pytest.mark.parametrize(
    ("schema", "details"),
    [
        ("agents/nosuch.avsc", None),
        ("agents/broken.avsc", "Expecting property name"),
        (
            {"type": "record", "name": "r", "fields": [{"name": "time", "type": "lnog"}]},
            "unknown type 'lnog'",
        ),
        (7, "a path on the server or a JSON object"),
    ],
)
def test_a_schema_that_is_none(registry: Registry, schema: Any, details: str | None) -> None:
    found = validate(registry, GOOD | {"schema": schema})
    assert (found["valid"], found["schema"], list(found["problems"])) == (False, None, ["schema"])
    assert details is None or details in found["problems"]["schema"]["details"]


def test_a_field_that_was_meant_for_the_config(registry: Registry) -> None:
    found = validate(registry, GOOD | {"decimation": 5})
    assert found["problems"]["config"]["field"] == "decimation"


def test_a_port_may_be_left_to_us(registry: Registry) -> None:
    assert validate(registry, {"name": "x", "schema": "agents/example.avsc", "port": 0})["valid"]
    assert validate(registry, {"name": "x", "schema": "agents/example.avsc"})["valid"]
    assert validate(registry, GOOD | {"ttl": 0})["problems"]["ttl"]["field"] == "ttl"
