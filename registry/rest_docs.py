"""The reference in docs/rest.md, made from the OpenAPI document.

`python -m speeddata.registry.rest_docs docs/rest.md` puts it between the page's marks.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from speeddata.registry.document import document

__all__ = ["main", "reference", "update"]

MARKS = re.compile(r"(<!-- reference -->\n).*?(<!-- end -->)", re.DOTALL)
PREFIX = "/api/v1"
METHODS = ("get", "post", "patch", "delete")

Json = dict[str, Any]


def reference() -> str:
    """All calls as Markdown, under the headings of their tags."""
    told = document()
    parts = []
    for tag in told["tags"]:
        parts.append(f"### {tag['name'].capitalize()}\n\n{tag['description']}\n")
        parts += [_operation(*one, told) for one in _operations(told, tag["name"])]
    return "\n".join(parts)


def update(page: str) -> str:
    """Give a page with its reference made anew."""
    return MARKS.sub(lambda match: f"{match[1]}{reference()}{match[2]}", page)


def main(arguments: list[str]) -> None:
    """Rewrite the reference of pages."""
    for argument in arguments:
        path = Path(argument)
        path.write_text(update(path.read_text(encoding="utf-8")), encoding="utf-8")


def _operations(told: Json, tag: str) -> Iterator[tuple[str, str, Json]]:
    for path, item in told["paths"].items():
        for method in METHODS:
            if method in item and tag in item[method]["tags"]:
                operation = dict(item[method])
                operation["parameters"] = [*item.get("parameters", ()), *operation.get("parameters", ())]
                yield method.upper(), path.removeprefix(PREFIX), operation


def _operation(method: str, path: str, operation: Json, told: Json) -> str:
    role = operation.get("x-role")
    lines = [f"#### `{method} {path.replace('{', '<').replace('}', '>')}`", ""]
    about = f"{operation['summary']}. {operation.get('description', '')}".strip()
    lines += [f"{about} {f'Takes the role `{role}`.' if role else 'Takes no token.'}", ""]
    given = [_parameter(one) for one in operation["parameters"]] + _body(operation, told)
    if given:
        lines += ["| given | as | meaning |", "| --- | --- | --- |", *given, ""]
    lines += ["| answer | |", "| --- | --- |"]
    lines += [
        f"| {status} | {_resolve(answer, told)['description']} |"
        for status, answer in sorted(operation["responses"].items())
    ]
    return "\n".join([*lines, ""])


def _parameter(one: Json) -> str:
    kind = "in the path" if one["in"] == "path" else _kind(one["schema"])
    return f"| `{one['name']}` | {kind} | {one.get('description', '')} |"


def _body(operation: Json, told: Json) -> list[str]:
    """The fields of a request's body."""
    if "requestBody" not in operation:
        return []
    schema = _resolve(operation["requestBody"]["content"]["application/json"]["schema"], told)
    required = schema.get("required", ())
    rows = []
    for name, field in schema.get("properties", {}).items():
        field = _resolve(field, told)
        must = ", required" if name in required else ""
        rows.append(f"| `{name}` | {_kind(field)} of the body{must} | {field.get('description', '')} |")
    return rows


def _kind(schema: Json) -> str:
    """A schema in a word or two."""
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if "$ref" in schema:
        return f"`{schema['$ref'].rpartition('/')[2]}`"
    types = schema.get("type", "anything")
    text = " or ".join(types) if isinstance(types, list) else str(types)
    if "minimum" in schema and "maximum" in schema:
        text += f" {schema['minimum']} to {schema['maximum']}"
    return text + (f", {schema['default']} if absent" if "default" in schema else "")


def _resolve(schema: Json, told: Json) -> Json:
    """What a reference stands for."""
    if "$ref" not in schema:
        return schema
    found: Any = told
    for part in schema["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    resolved: Json = found
    return resolved


if __name__ == "__main__":
    main(sys.argv[1:])
