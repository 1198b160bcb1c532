"""/pages/: pages that users write, as they are; /api/v1/pages: which there are, and whether one has changed."""

from collections.abc import Callable

import flask

from speeddata.registry.problems import ApiProblem
from speeddata.registry.user_pages import UserPages

__all__ = ["user_page_list", "user_page_routes"]


def user_page_routes(pages: UserPages, policy: Callable[[], str]) -> flask.Blueprint:
    """Give the routes of files; `policy` is the Content-Security-Policy of our own pages."""
    routes = flask.Blueprint("user_pages", __name__)

    @routes.get("/pages/<path:path>")
    def page(path: str) -> flask.Response:
        file = pages.find(path)
        if file is None:
            raise ApiProblem(404, "Page not found", path=f"/pages/{path}")
        response = flask.send_file(file, max_age=0)
        # Whoever may write the page may say how it looks; scripts are files, here as everywhere.
        response.headers["Content-Security-Policy"] = policy().replace(
            "style-src 'self'", "style-src 'self' 'unsafe-inline'"
        )
        return response

    return routes


def user_page_list(pages: UserPages) -> flask.Blueprint:
    """Give the route that tells of them."""
    routes = flask.Blueprint("user_page_list", __name__)

    @routes.get("/pages")
    def told() -> flask.Response:
        if flask.request.args.get("revision") == pages.revision():
            return flask.Response(status=204)
        return flask.jsonify(pages=[page.to_json() for page in pages.list()], revision=pages.revision())

    return routes
