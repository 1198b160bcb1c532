"""The JSON object that a request carries."""

import json
from typing import Any, NoReturn

import flask

from speeddata.registry.problems import ApiProblem
from speeddata.schema import deeper_than, finite

__all__ = ["json_body"]

MAX_DEPTH = 200  # levels of nesting; the deepest schema that a channel can have needs fewer


def json_body() -> dict[str, Any]:
    """Give the object of the present request; 400 or 415 with JSON if it carries none."""
    data = flask.request.get_data()
    if not data.strip():
        raise ApiProblem(400, "Request body required")
    if not flask.request.is_json:
        given = flask.request.mimetype or None
        raise ApiProblem(415, "Content-Type must be application/json", content_type=given)
    try:
        body = json.loads(data, parse_constant=_refuse, parse_float=finite)
        if deeper_than(body, MAX_DEPTH):
            raise ValueError(f"more than {MAX_DEPTH} levels of nesting")
    except (ValueError, RecursionError) as error:
        raise ApiProblem(400, "Request body is not valid JSON", details=str(error)) from None
    if not body:
        raise ApiProblem(400, "Request body required")
    if not isinstance(body, dict):
        raise ApiProblem(400, "Request body must be a JSON object")
    return body


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")
