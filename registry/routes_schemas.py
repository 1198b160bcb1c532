"""/api/v1/channels/<name>/schemas: the versions of a channel's schema, and registering a further one."""

from collections.abc import Mapping
from typing import Any

import flask

from speeddata.registry.body import json_body
from speeddata.registry.channels import Registry
from speeddata.registry.problems import ApiProblem, wrong_value
from speeddata.registry.registration import read_source

__all__ = ["read_version", "schema_routes"]

REQUIRED = ["schema"]

Answer = flask.Response | tuple[flask.Response, int]


def schema_routes(registry: Registry) -> flask.Blueprint:
    """Give the routes of versions."""
    routes = flask.Blueprint("schemas", __name__)

    @routes.get("/channels/<name>/schemas")
    def list_schemas(name: str) -> Answer:
        registry.find(name)
        return flask.jsonify(schemas=[one.to_json() for one in registry.schemas.of(name)])

    @routes.post("/channels/<name>/schemas")
    def add_schema(name: str) -> Answer:
        registry.find(name)
        added, pid = registry.add_schema(name, read_version(json_body()))
        message = f"Version {added.version} of the schema of channel '{name}' registered"
        answer = flask.jsonify(
            status="success",
            name=name,
            version=added.version,
            fingerprint=added.fingerprint,
            created_at=added.created_at,
            pid=pid,
            message=message,
        )
        return answer, 201

    return routes


def read_version(body: Mapping[str, Any]) -> str | dict[str, Any]:
    """The schema that a request brings."""
    for field in body:
        if field not in REQUIRED:
            raise wrong_value("Unknown field", field, body[field], "schema")
    if not body.get("schema"):
        raise ApiProblem(400, "Missing required fields", required=REQUIRED)
    return read_source(body["schema"])
