"""/api/v1/channels: register, list, look at, remove channels."""

import json
from typing import Any

import flask
import orjson

from speeddata.registry.batches import read_batch, read_names
from speeddata.registry.body import json_body
from speeddata.registry.channels import Registry
from speeddata.registry.problems import ApiProblem, wrong_value
from speeddata.registry.registration import read_registration

__all__ = ["MAX_BATCH", "channel_routes"]

Answer = flask.Response | tuple[flask.Response, int]

MAX_BATCH = 16 << 20  # bytes of a request that registers many channels


def channel_routes(registry: Registry) -> flask.Blueprint:
    """Give the routes of channels."""
    routes = flask.Blueprint("channels", __name__)

    @routes.get("/channels")
    def list_channels() -> Answer:
        live = read_flag("live", flask.request.args.get("live"))
        channels = registry.describe_all(flask.request.args.get("status"), live=live)
        return answer_channels(channels)

    @routes.post("/channels")
    def register() -> Answer:
        request = read_registration(json_body())
        pid = registry.register(request)
        message = f"Channel '{request.name}' registered" + (" and relay started" if pid else "")
        answer = flask.jsonify(
            status="success", name=request.name, port=request.port, pid=pid, message=message
        )
        return answer, 201

    @routes.get("/channels/<name>")
    def show(name: str) -> Answer:
        return flask.jsonify(registry.describe(name))

    @routes.delete("/channels/<name>")
    def deregister(name: str) -> Answer:
        registry.deregister(name)
        message = f"Channel '{name}' de-registered and relay stopped"
        return flask.jsonify(status="success", name=name, message=message)

    @routes.get("/channels/<name>/spec")
    def spec(name: str) -> Answer:
        return flask.jsonify(registry.spec(name))

    @routes.get("/channels/<name>/schema")
    def schema(name: str) -> Answer:
        return flask.Response(registry.find(name).schema, mimetype="application/json")

    @routes.post("/channels/<name>/validate-schema")
    def validate_schema(name: str) -> Answer:
        registered = json.loads(registry.find(name).schema)
        verdict = compare(registered, json_body())
        return flask.jsonify(verdict), 200 if verdict["valid"] else 409

    _add_many(routes, registry)
    return routes


def _add_many(routes: flask.Blueprint, registry: Registry) -> None:
    """Add the routes for many channels at once."""

    @routes.post("/channels/batch")
    def register_batch() -> Answer:
        flask.request.max_content_length = MAX_BATCH
        return flask.jsonify(registry.register_all(read_batch(json_body())))

    @routes.post("/channels/specs")
    def specs() -> Answer:
        names = read_names(json_body())
        return flask.jsonify(specs=[registry.spec_or_none(name) for name in names])


def answer_channels(channels: list[dict[str, Any]]) -> flask.Response:
    """Many channels as JSON, by what is quick: a page asks for hundreds of them each second."""
    try:
        return flask.Response(orjson.dumps({"channels": channels}) + b"\n", mimetype="application/json")
    except TypeError:  # a lone surrogate, as names of files may have, is not for everybody
        return flask.jsonify(channels=channels)


def read_flag(field: str, text: str | None) -> bool:
    """Read `true` or `false` of a query; false if absent."""
    if text not in (None, "true", "false"):
        raise wrong_value(f"Invalid {field}", field, text, "true or false")
    return text == "true"


def compare(registered: Any, body: dict[str, Any]) -> dict[str, Any]:
    """Say whether the schema of a request is the registered one."""
    provided = body.get("schema")
    if not provided:
        raise ApiProblem(400, "Missing required fields", required=["schema"])
    if provided == registered:
        return {"valid": True, "message": "Schema matches registered schema"}
    return {
        "valid": False,
        "message": "Schema does not match",
        "registered_schema": registered,
        "provided_schema": provided,
    }
