"""What the OpenAPI document says of the ingest route, whose handler FastAPI does not know."""

from typing import Any

from speeddata.pivot.ingest_options import CONTENT_TYPES, PARAMETERS

__all__ = ["OPERATION", "RESPONSES", "SEAL_OPERATION", "SEAL_RESPONSES"]

OBJECT = {"type": "object"}
ROWS = {"type": "array", "items": OBJECT}
COLUMNS = {"type": "object", "additionalProperties": {"type": "array"}}
CHANNEL = {
    "anyOf": [
        ROWS,
        {"type": "object", "required": ["rows"], "properties": {"rows": ROWS}},
        {"type": "object", "required": ["columns"], "properties": {"columns": COLUMNS}},
    ]
}
JSON_BODY = {
    "anyOf": [
        {
            "type": "object",
            "required": ["channel", "rows"],
            "properties": {"channel": {"type": "string"}, "rows": ROWS},
        },
        {
            "type": "object",
            "required": ["channel", "columns"],
            "properties": {"channel": {"type": "string"}, "columns": COLUMNS},
        },
        {
            "type": "object",
            "required": ["channels"],
            "properties": {"channels": {"type": "object", "additionalProperties": CHANNEL}},
        },
        ROWS,
    ]
}
BINARY = {"schema": {"type": "string", "format": "binary"}}
EXAMPLE = {
    "channel": "engine",
    "rows": [{"time": "2026-01-01T12:00:00Z", "speed": 1.0}, {"time": "2026-01-01T12:00:01Z", "speed": 1.5}],
}


def _parameter(name: str, choices: tuple[str, ...], text: str) -> dict[str, Any]:
    schema = {"type": "string", **({"enum": list(choices)} if choices else {})}
    return {"name": name, "in": "query", "required": False, "description": text, "schema": schema}


KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A batch that comes again under its key is archived once",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[ -~]+$"},
}
OPERATION: dict[str, Any] = {
    "parameters": [*(_parameter(name, *row) for name, row in PARAMETERS.items()), KEY],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": JSON_BODY, "example": EXAMPLE},
            "text/csv": {"schema": {"type": "string"}},
            **{name: BINARY for name, kind in CONTENT_TYPES.items() if kind in ("avro", "arrow")},
        },
    },
}
ERROR = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}
FAULT = {
    "type": "object",
    "properties": {
        "row": {"type": ["integer", "null"]},
        "channel": {"type": ["string", "null"]},
        "field": {"type": ["string", "null"]},
        "value": {},
        "expected": {"type": "string"},
    },
}
FAULTS = {
    **ERROR,
    "properties": {
        "error": {"type": "string"},
        "errors": {"type": "array", "items": FAULT, "maxItems": 100},
        "rows": {"type": "integer"},
    },
}
INGESTED = {
    "type": "object",
    "required": ["ingested", "channels", "repeated"],
    "properties": {
        "ingested": {"type": "integer"},
        "channels": {"type": "object", "additionalProperties": {"type": "integer"}},
        "repeated": {"type": "boolean"},
        "created": {"type": "array", "items": {"type": "string"}},
    },
}


def _answer(description: str, schema: dict[str, Any] = ERROR) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


RESPONSES: dict[int | str, dict[str, Any]] = {
    200: _answer("All records are archived, at the chosen durability", INGESTED),
    400: _answer(
        "Nothing was ingested: the request, or some rows, cannot be read; `errors` has the first", FAULTS
    ),
    404: _answer("There is no such channel"),
    408: _answer("The body came too slowly"),
    409: _answer("The key was used for another batch"),
    413: _answer("The body is too large"),
    415: _answer("The content type or encoding is none of those that are taken"),
    429: _answer("Too much at once; Retry-After says when to try again"),
    503: _answer("The shared relay or the registry is away; Retry-After says when to try again"),
    507: _answer("There is no room in the archive"),
}


SEALED = {
    "type": "object",
    "required": ["channel", "segments"],
    "properties": {"channel": {"type": "string"}, "segments": {"type": "array", "items": {"type": "string"}}},
}
SEAL_OPERATION: dict[str, Any] = {
    "parameters": [
        {
            "name": "channel",
            "in": "query",
            "required": True,
            "description": "The channel",
            "schema": {"type": "string"},
        }
    ],
}
SEAL_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: _answer("The segments that were ended, by their names: none, where nothing was open", SEALED),
    400: _answer("No channel is named"),
    404: _answer("There is no such channel"),
    503: _answer("The shared relay, or the registry, is away"),
}
