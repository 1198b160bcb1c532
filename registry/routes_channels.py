"""/api/v1/channels: register, list, look at, remove channels."""

import json
from typing import Any

import flask
import orjson

from speeddata.registry.batches import read_batch, read_names
from speeddata.registry.body import json_body
from speeddata.registry.catalogue import Page
from speeddata.registry.channels import Registry
from speeddata.registry.conditions import STATES
from speeddata.registry.problems import ApiProblem, wrong_value
from speeddata.registry.registration import read_registration

__all__ = ["MAX_BATCH", "channel_routes"]

Answer = flask.Response | tuple[flask.Response, int]

MAX_PAGE = 10_000  # channels in one answer, where a limit is named
IN_STATS = ("name", "state", "reason", "since", "restarts", "stats", "ingested", "sources")
MAX_BATCH = 16 << 20  # bytes of a request that registers many channels


def channel_routes(registry: Registry) -> flask.Blueprint:
    """Give the routes of channels."""
    routes = flask.Blueprint("channels", __name__)

    @routes.get("/channels/<name>")
    def show(name: str) -> Answer:
        return flask.jsonify(registry.catalogue.describe(registry.find(name)))

    @routes.get("/channels/<name>/stats")
    def stats(name: str) -> Answer:
        told = registry.catalogue.describe(registry.find(name))
        return flask.jsonify({key: told.get(key) for key in IN_STATS})

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

    _add_list(routes, registry)
    _add_many(routes, registry)
    return routes


def _add_list(routes: flask.Blueprint, registry: Registry) -> None:
    """Add the routes of all channels: to list them, and to add one."""

    @routes.get("/channels")
    def list_channels() -> Answer:
        query = flask.request.args
        live, state = read_flag("live", query.get("live")), query.get("state")
        if state not in (None, *STATES):
            raise wrong_value("Invalid state", "state", state, f"one of {', '.join(STATES)}")
        limit = read_count("limit", query.get("limit"), MAX_PAGE)
        page = registry.catalogue.list(
            status=query.get("status"), state=state, live=live, limit=limit, after=query.get("after", "")
        )
        return answer_channels(page)

    @routes.post("/channels")
    def register() -> Answer:
        done = registry.register(read_registration(json_body()))
        channel, pid = done.channel, done.pid
        message = f"Channel '{channel.name}' registered" + (" and relay started" if pid else "")
        if not done.is_new:
            message = f"Channel '{channel.name}' is registered already"
        told = {
            "status": "success",
            "name": channel.name,
            "port": channel.port,
            "pid": pid,
            "message": message,
        }
        lease = {} if channel.ttl_s is None else {"ttl": channel.ttl_s}
        return flask.jsonify(told | lease), 201 if done.is_new else 200


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


def answer_channels(page: Page) -> flask.Response:
    """Many channels as JSON, by what is quick: a page asks for hundreds of them each second."""
    told = {"channels": page.channels, "total": page.total, "next": page.after}
    try:
        return flask.Response(orjson.dumps(told) + b"\n", mimetype="application/json")
    except TypeError:  # a lone surrogate, as names of files may have, is not for everybody
        return flask.jsonify(told)


def read_count(field: str, text: str | None, most: int) -> int | None:
    """Read how many of something are wanted; None if that is not said."""
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= most):
        raise wrong_value(f"Invalid {field}", field, text, f"an integer from 1 to {most}")
    return int(text)


def read_flag(field: str, text: str | None) -> bool:
    """Read `true` or `false` of a query; false if absent."""
    if text not in (None, "true", "false"):
        raise wrong_value(f"Invalid {field}", field, text, "true or false")
    return text == "true"


def compare(registered: Any, body: dict[str, Any]) -> dict[str, Any]:
    """Say whether the schema of a request is the registered one."""
    provided = body.get("schema")
    if not provided:
        raise ApiProblem(
            400, "Missing required fields", field="schema", details="wanted schema", required=["schema"]
        )
    if provided == registered:
        return {"valid": True, "message": "Schema matches registered schema"}
    return {
        "valid": False,
        "message": "Schema does not match",
        "registered_schema": registered,
        "provided_schema": provided,
    }
