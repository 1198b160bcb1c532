"""/login, /api/v1/login, logout, who: people say once who they are, by a token, and get a cookie that scripts cannot read."""

import flask

from speeddata.access import COOKIE, SESSION_S, Access
from speeddata.registry.body import json_body
from speeddata.registry.problems import ApiProblem

__all__ = ["login_routes"]

MAX_TOKEN = 200  # characters


def login_routes(access: Access) -> flask.Blueprint:
    """Give the routes."""
    routes = flask.Blueprint("login", __name__)

    @routes.post("/login")
    def log_in() -> flask.Response:
        token = json_body().get("token")
        done = access.log_in(token.strip()) if isinstance(token, str) and len(token) <= MAX_TOKEN else None
        if done is None:
            raise ApiProblem(
                401, "Token not known", field="token", details="token: wanted one that is in force"
            )
        grant, value = done
        response = flask.jsonify(name=grant.name, role=grant.role)
        response.set_cookie(
            COOKIE, value, max_age=SESSION_S, httponly=True, samesite="Strict", secure=flask.request.is_secure
        )
        return response

    @routes.post("/logout")
    def log_out() -> flask.Response:
        response = flask.jsonify(status="success")
        response.delete_cookie(COOKIE, httponly=True, samesite="Strict", secure=flask.request.is_secure)
        return response

    @routes.get("/who")
    def who() -> flask.Response:
        headers = flask.request.headers
        grant = access.who(headers.get("Authorization"), headers.get("Cookie"))
        assert grant is not None, "the door has let nobody else in"
        return flask.jsonify(required=access.required, name=grant.name or None, role=grant.role)

    return routes
