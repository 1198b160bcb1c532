"""The Flask application: routes, guards and the one shape of errors. Served by whoever makes it."""

import ipaddress
import logging
import re
from collections.abc import Collection, Sequence
from pathlib import Path

import flask
import werkzeug.exceptions

from speeddata.access import Access
from speeddata.host_names import Guard
from speeddata.registry.channels import Registry
from speeddata.registry.document import document
from speeddata.registry.door import watch_door
from speeddata.registry.problems import ApiProblem
from speeddata.registry.routes_alarms import alarm_routes
from speeddata.registry.routes_channels import channel_routes
from speeddata.registry.routes_control import control_routes
from speeddata.registry.routes_events import event_routes
from speeddata.registry.routes_login import login_routes
from speeddata.registry.routes_metrics import metric_routes
from speeddata.registry.routes_pages import page_routes
from speeddata.registry.routes_ports import port_routes
from speeddata.registry.routes_schemas import schema_routes
from speeddata.registry.routes_system import System, requested_host, system_routes
from speeddata.registry.routes_tags import tag_routes
from speeddata.registry.routes_user_pages import user_page_list, user_page_routes
from speeddata.registry.store import StoreError
from speeddata.registry.user_pages import UserPages

__all__ = ["MAX_BODY", "create_app"]

log = logging.getLogger(__name__)

MAX_BODY = 1 << 20
PREFIX = "/api/v1"
HOST = re.compile(r"[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]")


def create_app(
    registry: Registry,
    system: System,
    names: Collection[str] = (),
    folders: Sequence[Path] = (),
    access: Access | None = None,
) -> flask.Flask:
    """Make the application.

    `names` are host names to answer to beside addresses and loopback names, `folders` have pages that users wrote. Without
    `access` nobody is asked who they are.
    """
    access = access or Access()
    app = flask.Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    parts = channel_routes, control_routes, schema_routes, port_routes, tag_routes, alarm_routes, event_routes
    for routes in (*(part(registry) for part in parts), system_routes(system)):
        app.register_blueprint(routes, url_prefix=PREFIX)
    app.register_blueprint(login_routes(access), url_prefix=PREFIX)
    pages = UserPages(folders)
    app.register_blueprint(user_page_list(pages), url_prefix=PREFIX)
    guard = Guard(names)
    app.register_blueprint(user_page_routes(pages, lambda: _policy(system, guard)))
    app.register_blueprint(page_routes())
    app.add_url_rule("/openapi.json", "openapi", lambda: flask.jsonify(document()))
    app.register_blueprint(metric_routes(registry, system, access))
    watch_door(app, names, access)

    @app.after_request
    def add_headers(response: flask.Response) -> flask.Response:
        response.headers.setdefault("Content-Security-Policy", _policy(system, guard))
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        return response

    app.register_error_handler(ApiProblem, _answer_problem)
    app.register_error_handler(werkzeug.exceptions.HTTPException, _answer_http)
    app.register_error_handler(StoreError, _answer_database)
    app.register_error_handler(Exception, _answer_unexpected)
    return app


def _policy(system: System, guard: Guard) -> str:
    """What a page of ours may load and where it may connect: to this machine, whatever name a request gives it."""
    host = requested_host()
    admitted = guard.admits(host)
    host = f"[{host}]" if ":" in host else host
    if not admitted or not HOST.fullmatch(host):
        host = "localhost"
    connect = ["'self'"]
    for name, schemes in (("websocket", ("ws", "wss")), ("pivot", ("http", "https"))):
        service = system.services().get(name)
        if service:
            connect += [
                f"{scheme}://{where}:{service['port']}"
                for scheme in schemes
                for where in _hosts(service["host"], host)
            ]
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        f"connect-src {' '.join(connect)}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def _hosts(service: str, requested: str) -> list[str]:
    """Names by which a page may reach a service: as it found us, and the address that it is bound to."""
    address = ipaddress.ip_address(service)
    bound = [] if address.is_unspecified else [f"[{service}]" if address.version == 6 else service]
    return list(dict.fromkeys([requested, *bound]))


def _answer_problem(problem: ApiProblem) -> tuple[flask.Response, int]:
    return flask.jsonify(problem.body), problem.status


def _answer_http(error: werkzeug.exceptions.HTTPException) -> tuple[flask.Response, int, dict[str, str]]:
    """Answer what Flask itself refuses (no such path, method not allowed, body too large) as JSON too."""
    headers = {
        key: value for key, value in error.get_headers() if key in ("Allow", "Retry-After", "Location")
    }
    body = {"error": error.name, "field": None, "details": error.description, "path": flask.request.path}
    return flask.jsonify(body), error.code or 500, headers


def _answer_database(error: StoreError) -> tuple[flask.Response, int]:
    log.error("registry database: %s", error)
    return flask.jsonify(error="Registry database is not available", field=None, details=str(error)), 503


def _answer_unexpected(error: Exception) -> tuple[flask.Response, int]:
    log.exception("%s %s failed", flask.request.method, flask.request.path, exc_info=error)
    return flask.jsonify(
        error="Internal error", field=None, details="the log of the orchestrator tells more"
    ), 500
