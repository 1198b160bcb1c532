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
FIELDS = (*REQUIRED, "force")

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
        body = json_body()
        source = read_version(body)
        added, pid = registry.add_schema(name, source, force=body.get("force", False))
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
        if field not in FIELDS:
            raise wrong_value("Unknown field", field, body[field], f"one of {', '.join(FIELDS)}")
    if not body.get("schema"):
        raise ApiProblem(
            400, "Missing required fields", field="schema", details="wanted schema", required=REQUIRED
        )
    if not isinstance(body.get("force", False), bool):
        raise wrong_value("Invalid force", "force", body["force"], "true or false")
    return read_source(body["schema"])
