"""What the query parameters and headers of an ingest ask for."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import parse_qsl

from speeddata.pivot.problem import Problem, twice, unknown, wrong
from speeddata.schema import TIME_UNITS

__all__ = ["CONTENT_TYPES", "IN_THE_URL", "PARAMETERS", "Options", "read_key", "read_options", "read_type"]

DELIMITERS = {",": ",", ";": ";", "|": "|", "\t": "\t", "tab": "\t", "comma": ",", "semicolon": ";"}
IN_THE_URL = "`channel=` in the URL"
MAX_KEY = 200
MAX_PARAMETERS = 20
# The parameters: what each may be (none: any text), and what it means.
PARAMETERS: dict[str, tuple[tuple[str, ...], str]] = {
    "channel": ((), "The channel, where the body names none"),
    "durability": (("interval", "block"), "Answer when written, or when fsynced; else as the channel has it"),
    "create": (("true", "false"), "Make channels that there are not, by a schema inferred from the rows"),
    "live": (("auto", "true", "false"), "Send the records live too; auto: those newer than a minute"),
    "time_unit": (TIME_UNITS, "Unit of times that are numbers; else the channel's"),
    "ignore_unknown": (("true", "false"), "Leave out fields that are no signals, instead of refusing them"),
    "delimiter": (tuple(DELIMITERS), "What is between the cells of CSV"),
    "key": ((), "The same as the header Idempotency-Key"),
}
CONTENT_TYPES: dict[str, Literal["json", "csv", "avro", "arrow"]] = {
    "application/json": "json",
    "text/csv": "csv",
    "avro/binary": "avro",
    "application/avro": "avro",
    "application/vnd.apache.avro": "avro",
    "application/vnd.apache.arrow.stream": "arrow",
}


@dataclass(frozen=True)
class Options:
    """The parameters of a request."""

    channel: str | None = None
    durability: Literal["interval", "block"] | None = None
    create: bool = False
    live: Literal["auto", "true", "false"] = "auto"
    time_unit: str | None = None
    ignore_unknown: bool = False
    delimiter: str = ","
    key: str | None = None


@lru_cache(maxsize=1024)
def read_options(query: bytes) -> Options:
    """Read a query string; Problem names the parameter."""
    if not query:
        return Options()
    try:
        pairs = parse_qsl(
            query.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_PARAMETERS, errors="strict"
        )
    except ValueError:
        text, wanted = query.decode(errors="replace"), f"at most {MAX_PARAMETERS} parameters, in UTF-8"
        raise wrong("query string", text, wanted) from None
    given: dict[str, Any] = {}
    for name, value in pairs:
        if name not in PARAMETERS:
            raise unknown(name, value, PARAMETERS)
        if name in given:
            raise twice(name, value)
        choices, _ = PARAMETERS[name]
        if choices and value not in choices:
            shown = ", ".join("tab" if choice == "\t" else choice for choice in choices)
            raise wrong(name, value, f"one of {shown}")
        given[name] = value
    for flag in ("create", "ignore_unknown"):
        given[flag] = given.get(flag) == "true"
    if "delimiter" in given:
        given["delimiter"] = DELIMITERS[given["delimiter"]]
    return Options(**{**given, "channel": given.get("channel") or None})


def read_key(header: str | None, parameter: str | None) -> str | None:
    """The key that makes a batch known again."""
    key = header if header is not None else parameter
    if header is not None and parameter is not None and header != parameter:
        raise wrong("key", parameter, "the same as the header Idempotency-Key")
    if key is not None and (not 1 <= len(key) <= MAX_KEY or not (key.isascii() and key.isprintable())):
        raise wrong("key", key, f"1 to {MAX_KEY} printable ASCII characters")
    return key


def read_type(header: str | None) -> Literal["json", "csv", "avro", "arrow"]:
    """The kind of body that a Content-Type says; without one, nothing is taken: a page of another site can send that."""
    name, _, parameters = (header or "").partition(";")
    kind = CONTENT_TYPES.get(name.strip().lower())
    if kind is None:
        raise Problem(
            415, "Unsupported content type", value=(header or "")[:200], wanted=", ".join(CONTENT_TYPES)
        )
    charset = parameters.strip().lower()
    if charset.startswith("charset=") and charset[8:].strip('"') not in ("utf-8", "utf8", "us-ascii"):
        raise Problem(415, "Unsupported charset", value=charset[:200], wanted="utf-8")
    return kind
