"""What every request passes before it is looked at: the host that it names, the page that it comes from, and who asks."""

import urllib.parse
from collections.abc import Collection

import flask

from speeddata.access import Access
from speeddata.host_names import Guard
from speeddata.registry.problems import ApiProblem
from speeddata.registry.roles import READING, needed_role
from speeddata.registry.routes_system import requested_host

__all__ = ["watch_door"]


def watch_door(app: flask.Flask, names: Collection[str], access: Access) -> None:
    """Have an application refuse what must not come in. `names` are host names to answer to beside addresses and loopback names."""
    guard = Guard(names)

    @app.before_request
    def check_host() -> None:
        if not guard.admits(requested_host()):
            raise ApiProblem(400, "Host not allowed", field="Host", host=flask.request.host)

    @app.before_request
    def check_origin() -> None:
        """No page of elsewhere may change anything, whatever a browser sends along."""
        origin = flask.request.headers.get("Origin")
        if flask.request.method not in READING and origin not in (None, flask.request.host_url.rstrip("/")):
            raise ApiProblem(403, "Origin not allowed", field="Origin", origin=origin)

    @app.before_request
    def check_access() -> flask.Response | None:
        role = needed_role(flask.request.method, flask.request.path)
        if role is None:
            return None
        headers = flask.request.headers
        refusal = access.refuse(role, headers.get("Authorization"), headers.get("Cookie"))
        if refusal is None:
            return None
        if refusal.status == 401 and _wants_page():
            return flask.redirect(
                f"/login?next={urllib.parse.quote(flask.request.full_path.rstrip('?'))}", 303
            )  # type: ignore[return-value]
        response = flask.jsonify(refusal.body)
        response.status_code = refusal.status
        response.headers.update(refusal.headers)
        return response


def _wants_page() -> bool:
    """Whether a person asks, by a browser."""
    request = flask.request
    return (
        request.method == "GET"
        and "text/html" in request.headers.get("Accept", "")
        and not request.path.startswith("/api/")
    )
