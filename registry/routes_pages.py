"""The pages at /, /history, /system and /login, their files at /static/pages/, and the chart modules at /static/stripchart/."""

import mimetypes
from importlib import resources
from pathlib import Path

import flask

__all__ = ["page_routes"]

# Not left to what the machine's mime.types happens to say: browsers refuse modules of another type.
mimetypes.add_type("text/javascript", ".js")
mimetypes.add_type("text/javascript", ".mjs")
mimetypes.add_type("image/svg+xml", ".svg")


def page_routes() -> flask.Blueprint:
    """Give the routes of files."""
    routes = flask.Blueprint("pages", __name__)
    pages = _folder("speeddata.registry", "pages")
    charts = _folder("speeddata.stripchart", "static")

    @routes.get("/")
    def index() -> flask.Response:
        return flask.send_from_directory(pages, "index.html", max_age=0)

    @routes.get("/history")
    def history() -> flask.Response:
        return flask.send_from_directory(pages, "history.html", max_age=0)

    @routes.get("/login")
    def login() -> flask.Response:
        return flask.send_from_directory(pages, "login.html", max_age=0)

    @routes.get("/favicon.ico")
    def icon() -> flask.Response:
        return flask.send_from_directory(pages, "icon.svg", max_age=3600)

    @routes.get("/system")
    def system() -> flask.Response:
        return flask.send_from_directory(pages, "system.html", max_age=0)

    @routes.get("/static/pages/<path:path>")
    def page(path: str) -> flask.Response:
        return flask.send_from_directory(pages, path, max_age=0)

    @routes.get("/static/stripchart/<path:path>")
    def chart(path: str) -> flask.Response:
        response = flask.send_from_directory(charts, path, max_age=0)
        # A page of one's own, from anywhere, may use the charts.
        response.headers["Access-Control-Allow-Origin"] = "*"
        return response

    return routes


def _folder(package: str, name: str) -> Path:
    return Path(str(resources.files(package))) / name
