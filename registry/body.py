"""The JSON object that a request carries."""

import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn

import flask

from speeddata.registry.problems import ApiProblem, wrong_value
from speeddata.schema import deeper_than, finite

__all__ = ["json_body", "read_text"]

MAX_DEPTH = 200  # levels of nesting; the deepest schema that a channel can have needs fewer
SURROGATE = re.compile("[\ud800-\udfff]")


def json_body(*, empty: bool = False) -> dict[str, Any]:
    """Give the object of the present request; 400 or 415 with JSON if it carries none, or an empty one that may not be."""
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
    if not body and not (empty and isinstance(body, dict)):
        raise ApiProblem(400, "Request body required")
    if not isinstance(body, dict):
        raise ApiProblem(400, "Request body must be a JSON object")
    return body


def read_text(body: Mapping[str, Any], field: str, limit: int) -> str:
    """Read a text of so many characters at most; empty if absent."""
    value = body.get(field)
    if value is None:
        return ""
    # A surrogate by itself is what no database takes.
    if not isinstance(value, str) or len(value) > limit or SURROGATE.search(value):
        raise wrong_value(f"Invalid {field}", field, value, f"a text of {limit} characters at most")
    return value


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")
