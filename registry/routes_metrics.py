"""/metrics, /healthz, /readyz: what programs that watch over others ask for."""

import flask

from speeddata.access import Access
from speeddata.registry.channels import Registry
from speeddata.registry.exposition import media_type, write_families
from speeddata.registry.metrics import families, look
from speeddata.registry.routes_system import System
from speeddata.registry.store import StoreError

__all__ = ["metric_routes"]

OPEN_KINDS = ("orchestrator", "keeper", "registry", "service")  # whose names are the same everywhere


def metric_routes(registry: Registry, system: System, access: Access) -> flask.Blueprint:
    """Give the routes."""
    routes = flask.Blueprint("metrics", __name__)

    @routes.get("/metrics")
    def metrics() -> flask.Response:
        media = media_type(flask.request.headers.get("Accept", ""))
        response = flask.Response(write_families(families(look(registry, system)), media), content_type=media)
        response.headers["Vary"] = "Accept"
        return response

    @routes.get("/healthz")
    def healthz() -> flask.Response:
        return flask.jsonify(status="ok")

    @routes.get("/readyz")
    def readyz() -> tuple[flask.Response, int]:
        try:
            waiting = system.waits_for()
        except StoreError:
            waiting = {"registry": ["registry"]}
        if not waiting:
            return flask.jsonify(status="ready"), 200
        # Who has no token is told how many channels are missing, and not which.
        headers = flask.request.headers
        knows = access.refuse("read", headers.get("Authorization"), headers.get("Cookie")) is None
        told = [
            {"kind": kind, "count": len(names), **({"names": names} if knows or kind in OPEN_KINDS else {})}
            for kind, names in waiting.items()
        ]
        return flask.jsonify(status="not ready", waiting_for=told), 503

    return routes
