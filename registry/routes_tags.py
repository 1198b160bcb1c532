"""/api/v1/tags: name ranges of time, which are then kept."""

import time
from collections.abc import Mapping
from typing import Any

import flask

from speeddata.errors import TimeError
from speeddata.registry.body import json_body, read_text
from speeddata.registry.channels import Registry
from speeddata.registry.problems import ApiProblem, wrong_value
from speeddata.registry.tags import Tag
from speeddata.settings_values import CHANNEL_NAME, NAME_WANTED
from speeddata.times import parse_duration, parse_time

__all__ = ["read_tag", "tag_routes"]

KEPT = ("name", "start", "end", "channels", "note")  # of a tag that is changed, unless they are given
FIELDS = (*KEPT, "last")
MAX_NAME, MAX_NOTE = 200, 10_000  # characters
MAX_ID = 2**63
REQUIRED = ["name", "start", "end"]
OR_LAST = "last, such as 5m or PT5M, may stand for start and end"

Answer = flask.Response | tuple[flask.Response, int]


def tag_routes(registry: Registry) -> flask.Blueprint:
    """Give the routes of tags."""
    routes = flask.Blueprint("tags", __name__)
    tags = registry.tags

    @routes.get("/tags")
    def list_tags() -> Answer:
        found = tags.list(flask.request.args.get("channel"), flask.request.args.get("name"))
        return flask.jsonify(tags=[tag.to_json() for tag in found])

    @routes.post("/tags")
    def add() -> Answer:
        tag = read_tag(json_body(), time.time_ns())
        for name in tag.channels or ():
            if not registry.knows(name):
                raise _no_channel(name)
        return flask.jsonify(tags.add(tag).to_json()), 201

    @routes.get("/tags/<id>")
    def show(id: str) -> Answer:
        tag = tags.get(read_id(id))
        if tag is None:
            raise _no_tag(id)
        return flask.jsonify(tag.to_json())

    @routes.patch("/tags/<id>")
    def change(id: str) -> Answer:
        body = json_body()
        former = tags.get(read_id(id))
        if former is None:
            raise _no_tag(id)
        whole = former.to_json()
        tag = read_tag({field: whole[field] for field in KEPT} | body, time.time_ns())
        for name in set(tag.channels or ()) - set(former.channels or ()):
            if not registry.knows(name):
                raise _no_channel(name)
        changed = tags.change(former.id, tag)
        if changed is None:
            raise _no_tag(id)
        return flask.jsonify(changed.to_json())

    @routes.delete("/tags/<id>")
    def delete(id: str) -> Answer:
        if not tags.delete(read_id(id)):
            raise _no_tag(id)
        return flask.jsonify(status="success", id=int(id), message=f"Tag {int(id)} deleted")

    return routes


def read_id(text: str) -> int:
    """The id that a path names; 404 for what can be none."""
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) < MAX_ID):
        raise _no_tag(text[:100])
    return int(text)


def read_tag(body: Mapping[str, Any], now_ns: int) -> Tag:
    """The tag that a request asks for."""
    for field in body:
        if field not in FIELDS:
            raise wrong_value("Unknown field", field, body[field], f"one of {', '.join(FIELDS)}")
    if not body.get("name"):
        raise ApiProblem(400, "Missing required fields", field="name", required=REQUIRED, details=OR_LAST)
    name = read_text(body, "name", MAX_NAME)
    start_ns, end_ns = _range(body, now_ns)
    return Tag(name, start_ns, end_ns, _channels(body.get("channels")), read_text(body, "note", MAX_NOTE))


def _range(body: Mapping[str, Any], now_ns: int) -> tuple[int, int]:
    given = [field for field in ("start", "end") if body.get(field) is not None]
    if body.get("last") is not None:
        if given:
            raise wrong_value("Invalid range", "last", body["last"], f"either last or {given[0]}, not both")
        return _last(body["last"], now_ns)
    if len(given) < 2:
        raise ApiProblem(400, "Missing required fields", field="start", required=REQUIRED, details=OR_LAST)
    start_ns, end_ns = _time(body, "start"), _time(body, "end")
    if end_ns < start_ns:
        raise wrong_value("Invalid range", "end", body["end"], "a time that is not before start")
    return start_ns, end_ns


def _last(value: Any, now_ns: int) -> tuple[int, int]:
    """The range from a duration ago until now."""
    wanted = "a duration such as 5m or PT5M"
    try:
        length_ns = parse_duration(value) if isinstance(value, str) else 0
    except TimeError:
        length_ns = 0
    if length_ns <= 0:
        raise wrong_value("Invalid duration", "last", value, wanted)
    return max(now_ns - length_ns, -(2**63)), now_ns


def _time(body: Mapping[str, Any], field: str) -> int:
    value = body[field]
    try:
        if isinstance(value, str):
            return parse_time(value)
    except TimeError:
        pass
    raise wrong_value("Invalid time", field, value, "an ISO 8601 time such as 2025-01-23T14:00:00Z")


def _channels(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not value:
        raise wrong_value("Invalid channels", "channels", value, "a list of names, or null for all channels")
    for name in value:
        if not isinstance(name, str) or not CHANNEL_NAME.fullmatch(name):
            raise wrong_value("Invalid channel name", "channels", name, NAME_WANTED)
    return tuple(dict.fromkeys(value))


def _no_tag(id: str) -> ApiProblem:
    return ApiProblem(404, "Tag not found", field="id", details=f"id: there is no tag {id!r}", id=id)


def _no_channel(name: str) -> ApiProblem:
    details = f"channels: {name!r} is not registered and has no archive"
    return ApiProblem(404, "Channel not found", field="channels", details=details, name=name)
