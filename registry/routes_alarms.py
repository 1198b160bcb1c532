"""/api/v1/alarms: signals beyond their limits, and acknowledging that they were."""

from collections.abc import Mapping
from typing import Any

import flask

from speeddata.errors import RelayError
from speeddata.host_names import may_read
from speeddata.registry.alarm import side_of
from speeddata.registry.alarms import Wanted
from speeddata.registry.body import json_body, read_text
from speeddata.registry.channels import Registry
from speeddata.registry.problems import ApiProblem, wrong_value
from speeddata.registry.routes_channels import read_flag
from speeddata.registry.routes_system import requested_host

__all__ = ["alarm_routes", "read_wanted"]

STATES = ("active", "returned", "normal")
FIELDS = ("signals", "by", "note")
MAX_BY, MAX_NOTE = 200, 10_000  # characters
NAMED = 'a signal named with its channel, such as "engine.speed", or {"signal": ..., "occurrence": ...} as it is listed'


def alarm_routes(registry: Registry) -> flask.Blueprint:
    """Give the routes of alarms."""
    routes = flask.Blueprint("alarms", __name__)

    @routes.get("/alarms")
    def list_alarms() -> flask.Response:
        query = flask.request.args
        state, every = query.get("state"), read_flag("all", query.get("all"))
        if state not in (None, *STATES):
            raise wrong_value("Invalid state", "state", state, f"one of {', '.join(STATES)}")
        try:
            alarms, unchecked = registry.alarms.look()
        except RelayError as error:
            raise _no_answer(error) from None
        shown = [alarm.to_json() for alarm in alarms]
        shown += registry.alarms.quiet(alarms) if every or state == "normal" else []
        wanted = (state,) if state else STATES if every else STATES[:2]
        channel = query.get("channel")
        response = flask.jsonify(
            alarms=[one for one in shown if one["state"] in wanted and channel in (None, one["channel"])],
            unchecked=[
                one for one in unchecked if channel in (None, one["channel"]) or one["channel"] is None
            ],
        )
        return _for_charts(response)

    @routes.post("/alarms/acknowledge")
    def acknowledge() -> flask.Response:
        body = json_body(empty=True)
        wanted = read_wanted(body)
        by, note = read_text(body, "by", MAX_BY), read_text(body, "note", MAX_NOTE)
        try:
            done, others = registry.alarms.acknowledge(wanted, by, note)
        except LookupError as error:
            details = f"signals: there are no limits of {', '.join(map(str, error.args[0]))}"
            raise ApiProblem(
                404, "Signal has no limits", field="signals", details=details, signals=error.args[0]
            ) from None
        except RelayError as error:
            raise _no_answer(error) from None
        return flask.jsonify(
            acknowledged=[alarm.to_json() for alarm in done], instead=[alarm.to_json() for alarm in others]
        )

    return routes


def read_wanted(body: Mapping[str, Any]) -> Wanted | None:
    """The signals, and which occurrences of them, that a request is about; None: all."""
    for field in body:
        if field not in FIELDS:
            raise wrong_value("Unknown field", field, body[field], f"one of {', '.join(FIELDS)}")
    signals = body.get("signals")
    if signals is None:
        return None
    if not isinstance(signals, list):
        raise wrong_value("Invalid signals", "signals", signals, "a list of signals, or null for all")
    return [_read_signal(one) for one in signals]


def _read_signal(value: Any) -> tuple[str, str | None]:
    if isinstance(value, str):
        return value, None
    if not isinstance(value, dict) or not isinstance(value.get("signal"), str):
        raise wrong_value("Invalid signal", "signals", value, NAMED)
    # An alarm may be given as it was listed: the rest of it says nothing more.
    occurrence = value.get("occurrence")
    if occurrence is not None and (not isinstance(occurrence, str) or side_of(occurrence) is None):
        raise wrong_value(
            "Invalid occurrence", "signals.occurrence", occurrence, "the occurrence as it is listed"
        )
    return value["signal"], occurrence


def _no_answer(error: RelayError) -> ApiProblem:
    """Without the keeper nobody knows: no list is better than one that is empty for that reason."""
    return ApiProblem(503, "Alarms are not known", details=str(error))


def _for_charts(response: flask.Response) -> flask.Response:
    """Have those pages of elsewhere read an answer which may read the live data."""
    origin = flask.request.headers.get("Origin")
    response.headers.add("Vary", "Origin")
    if origin is not None and may_read(origin, requested_host()):
        response.headers["Access-Control-Allow-Origin"] = origin
    return response
