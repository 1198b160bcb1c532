"""Reading a request to register a channel: pure, except for the schema file it names."""

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from speeddata.errors import SchemaError
from speeddata.registry.problems import ApiProblem, wrong_value
from speeddata.registry.store import Channel
from speeddata.schema import Schema
from speeddata.schema_files import read_schema
from speeddata.settings_values import CHANNEL_NAME, NAME_WANTED, OVERRIDES, check_channel

__all__ = [
    "REQUIRED",
    "Registration",
    "read_channel",
    "read_config",
    "read_name",
    "read_port",
    "read_registration",
    "read_schema_of",
    "read_source",
    "read_ttl",
    "refuse_strange",
    "wants_any_port",
]

REQUIRED = ["name", "schema"]
FIELDS = frozenset([*REQUIRED, "port", "config", "ttl"])
V06_REQUIRED = ["name", "port", "schema"]  # what SpeedData 0.6 named
MAX_TTL_S = 10**7
TTL_WANTED = f"seconds from 1 to {MAX_TTL_S}, or null for no lease"


@dataclass(frozen=True)
class Registration:
    """What a client asks for; the schema is not read yet."""

    name: str
    port: int | None  # None: what comes by HTTP is all it is to have
    schema: str | dict[str, Any]
    config: dict[str, Any] | None
    ttl_s: float | None = None  # how long its lease is
    any_port: bool = False  # one that is free is to be found


def read_registration(body: Mapping[str, Any]) -> Registration:
    """Check everything but the schema, in the order in which SpeedData always did."""
    missing = [field for field in REQUIRED if not body.get(field)]
    if missing:
        details = f"wanted {' and '.join(missing)}"
        raise ApiProblem(
            400,
            "Missing required fields",
            field=missing[0],
            details=details,
            required=V06_REQUIRED,
            missing=missing,
        )
    refuse_strange(body)
    any_port = wants_any_port(body)
    port = None if any_port or body["port"] is None else read_port(body["port"])
    name = read_name(body["name"])
    source, config = read_source(body["schema"]), read_config(body.get("config"))
    return Registration(name, port, source, config, read_ttl(body.get("ttl")), any_port)


def wants_any_port(body: Mapping[str, Any]) -> bool:
    """Whether a request leaves it to us which port a channel has: it names none, or 0."""
    port = body.get("port", 0)
    return port in ("", "0") or (type(port) in (int, float) and port == 0)


def read_ttl(value: Any) -> float | None:
    """How long a lease is, in seconds; None: there is none."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= MAX_TTL_S:
        raise wrong_value("Invalid ttl", "ttl", value, TTL_WANTED)
    return value


def refuse_strange(body: Mapping[str, Any]) -> None:
    """400 for a field that was meant to be another."""
    for field in sorted(body.keys() - FIELDS):
        if wanted := _meant(field):
            raise wrong_value("Unknown field", field, body[field], wanted)


def read_name(value: Any) -> str:
    """A channel's name."""
    if not isinstance(value, str) or not CHANNEL_NAME.fullmatch(value):
        raise wrong_value("Invalid channel name", "name", value, NAME_WANTED)
    return value


def _meant(field: str) -> str:
    """What an unknown field was to be; empty for one that has nothing to do with us, which SpeedData always ignored."""
    if any(setting.split(".")[0] == field for setting in OVERRIDES):
        return f'in config: {{"config": {{"{field}": ...}}}}'
    return "".join(difflib.get_close_matches(field, ["config"], n=1, cutoff=0.8))


def read_source(value: Any) -> str | dict[str, Any]:
    """Where a schema is to be had from."""
    if not isinstance(value, str | dict):
        raise wrong_value("Invalid schema", "schema", value, "a path on the server or a JSON object")
    return value


def read_port(value: Any) -> int:
    """A port given as a number, or as text that is one."""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit() and len(value) < 20:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise wrong_value("Port must be an integer", "port", value, "an integer from 1 to 65535")
    if not 1 <= value <= 65535:
        raise wrong_value("Port out of range", "port", value, "an integer from 1 to 65535")
    return value


def read_channel(request: Registration, folder: Path) -> Channel:
    """Give the row that a request stands for; `folder` is where schema files are looked for."""
    unit = (request.config or {}).get("time_unit")
    schema = read_schema_of(folder, request.schema, unit)
    return Channel(
        name=request.name,
        port=request.port,
        schema_path=request.schema if isinstance(request.schema, str) else None,
        schema=schema.text,
        fingerprint=schema.fingerprint.hex(),
        time_unit=schema.time_unit,
        config=request.config,
        ttl_s=request.ttl_s,
    )


def read_config(config: Any) -> dict[str, Any] | None:
    """A channel's own settings; None where it has none."""
    if not config:
        return None
    if not isinstance(config, dict):
        raise wrong_value("Invalid config", "config", config, "an object of settings")
    problems = check_channel(config, overrides_only=True).problems
    if problems:
        first = problems[0]
        problem = wrong_value("Invalid config", f"config.{first.key}", first.value, first.wanted)
        problem.body["details"] = "; ".join(map(str, problems))
        raise problem
    return config


def read_schema_of(folder: Path, source: str | dict[str, Any], unit: str | None) -> Schema:
    """The schema that a request brings or names; `unit` is that of its time where it does not state one."""
    path = {"path": source} if isinstance(source, str) else {}
    try:
        return read_schema(folder, source, unit)
    except OSError:
        details = f"schema: there is no file {source!r} below the config folder"
        raise ApiProblem(400, "Schema file not found", field="schema", details=details, path=source) from None
    except json.JSONDecodeError as error:
        raise ApiProblem(
            400, "Invalid schema file (not valid JSON)", field="schema", path=source, details=str(error)
        ) from None
    except SchemaError as error:
        field = f"schema: {error.field}" if error.field else "schema"
        raise ApiProblem(400, "Invalid schema", field=field, details=str(error), **path) from None
