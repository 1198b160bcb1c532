"""/api/v1/ports: which UDP ports a channel may have."""

import flask

from speeddata.registry.channels import Registry
from speeddata.registry.ports import available, bound_ports, port_status, read_range
from speeddata.registry.registration import read_port

__all__ = ["port_routes"]


def port_routes(registry: Registry) -> flask.Blueprint:
    """Give the routes of ports."""
    routes = flask.Blueprint("ports", __name__)

    @routes.get("/ports/available")
    def list_available() -> flask.Response:
        start, end = read_range(flask.request.args)
        taken = {*registry.ports.all(), *bound_ports(registry.relay["listen"])}
        return flask.jsonify(available(start, end, taken))

    @routes.get("/ports/<int:port>/status")
    def status(port: int) -> flask.Response:
        bound = bound_ports(registry.relay["listen"])
        return flask.jsonify(port_status(read_port(port), registry.ports.all(), bound))

    return routes
