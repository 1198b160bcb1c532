"""/api/v1/events: what happened, newest first."""

import flask

from speeddata.registry.channels import Registry
from speeddata.registry.events import KINDS
from speeddata.registry.problems import wrong_value
from speeddata.registry.routes_channels import read_count

__all__ = ["event_routes"]

DEFAULT, MOST = 100, 1000  # events of an answer
MAX_ID = 999_999_999


def event_routes(registry: Registry) -> flask.Blueprint:
    """Give the route."""
    routes = flask.Blueprint("events", __name__)

    @routes.get("/events")
    def list_events() -> flask.Response:
        query = flask.request.args
        limit = read_count("limit", query.get("limit"), MOST) or DEFAULT
        before = read_count("before", query.get("before"), MAX_ID)
        kind = query.get("kind")
        if kind not in (None, *KINDS):
            raise wrong_value("Invalid kind", "kind", kind, f"one of {', '.join(KINDS)}")
        events = registry.events.list(limit, before, kind, query.get("name"))
        return flask.jsonify(events=events, next=events[-1]["id"] if len(events) == limit else None)

    return routes
