"""/api/v1/channels: change one, renew its lease, have its relay restarted, look at a registration before it is made."""

import flask

from speeddata.registry.body import json_body
from speeddata.registry.changes import read_changes
from speeddata.registry.channels import Registry
from speeddata.registry.validation import validate

__all__ = ["control_routes"]

Answer = flask.Response | tuple[flask.Response, int]


def control_routes(registry: Registry) -> flask.Blueprint:
    """Give the routes."""
    routes = flask.Blueprint("control", __name__)

    @routes.post("/channels/validate")
    def validate_registration() -> Answer:
        return flask.jsonify(validate(registry, json_body()))

    @routes.patch("/channels/<name>")
    def change(name: str) -> Answer:
        registry.find(name)
        registry.change(name, read_changes(json_body()))
        return flask.jsonify(registry.catalogue.describe(registry.find(name)))

    @routes.post("/channels/<name>/renew")
    def renew(name: str) -> Answer:
        channel = registry.renew(name)
        return flask.jsonify(status="success", name=name, port=channel.port, ttl=channel.ttl_s)

    @routes.post("/channels/<name>/restart")
    def restart(name: str) -> Answer:
        pid = registry.restart(name)
        message = (
            f"Relay of channel '{name}' replaced" if pid else f"Relay of channel '{name}' is about to start"
        )
        return flask.jsonify(status="success", name=name, pid=pid, message=message)

    return routes
