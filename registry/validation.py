"""What registering would say of a request, as far as it is filled in: nothing is registered, every problem is told at once."""

from collections.abc import Callable, Mapping
from typing import Any

from speeddata.errors import SchemaError
from speeddata.plan import Plan
from speeddata.registry.admission import name_taken, port_taken
from speeddata.registry.channels import Registry
from speeddata.registry.ports import bound_ports
from speeddata.registry.problems import ApiProblem
from speeddata.registry.registration import (
    REQUIRED,
    read_config,
    read_name,
    read_port,
    read_schema_of,
    read_source,
    read_ttl,
    refuse_strange,
    wants_any_port,
)
from speeddata.schema import Schema

__all__ = ["validate"]

Json = dict[str, Any]


class Findings:
    """What is wrong, by the field of the request: the words that registering would refuse it with."""

    def __init__(self) -> None:
        self.problems: dict[str, Json] = {}

    def of(self, field: str, read: Callable[[], Any]) -> Any:
        """What reading a field gives; None where it is refused."""
        try:
            return read()
        except ApiProblem as problem:
            self.problems.setdefault(field, problem.body)
            return None


def validate(registry: Registry, body: Mapping[str, Any]) -> Json:
    """Look at a request to register a channel; `schema` tells what was found in a schema that can be had."""
    found = Findings()
    given = {field: body[field] for field in REQUIRED if body.get(field) not in (None, "")}
    found.of("config", lambda: refuse_strange(body))
    config = found.of("config", lambda: _read_config(registry, body.get("config")))
    if "name" in given:
        found.of("name", lambda: _read_name(registry, given["name"]))
    if body.get("port") is not None and not wants_any_port(body):
        found.of("port", lambda: _read_port(registry, body["port"]))
    found.of("ttl", lambda: read_ttl(body.get("ttl")))
    unit = (config or {}).get("time_unit")
    schema = (
        found.of("schema", lambda: _read_schema(registry, given["schema"], unit))
        if "schema" in given
        else None
    )
    missing = [field for field in REQUIRED if field not in given]
    return {
        "valid": not missing and not found.problems,
        "missing": missing,
        "problems": found.problems,
        "schema": schema and _describe(schema),
    }


def _read_name(registry: Registry, value: Any) -> None:
    name = read_name(value)
    if registry.store.get(name) is not None:
        raise name_taken(name)


def _read_port(registry: Registry, value: Any) -> None:
    port = read_port(value)
    owner = registry.ports.all().get(port)
    if owner is None and port in bound_ports(registry.relay["listen"]):
        owner = "another program"
    if owner is not None:
        raise port_taken(port, owner)


def _read_config(registry: Registry, value: Any) -> Json | None:
    config = read_config(value)
    registry.specs.check_config(config)
    return config


def _read_schema(registry: Registry, value: Any, unit: str | None) -> Schema:
    schema = read_schema_of(registry.folder, read_source(value), unit)
    try:
        Plan(schema)  # as the relay will
    except SchemaError as error:
        raise ApiProblem(400, "Invalid schema", field="schema", details=str(error)) from None
    return schema


def _describe(schema: Schema) -> Json:
    """A schema as far as who registers it wants to see it."""
    roles = {schema.time: "time", schema.sequence: "sequence"}
    return {
        "name": schema.name,
        "fingerprint": schema.fingerprint.hex(),
        "time_unit": schema.time_unit,
        "signals": [
            {
                "name": signal.name,
                "type": signal.type,
                "nullable": signal.nullable,
                "unit": signal.unit,
                "role": roles.get(signal.name),
            }
            for signal in schema.signals
        ],
    }
