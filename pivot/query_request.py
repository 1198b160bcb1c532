"""What a query asks for over HTTP: parameters of a URL or a JSON body, read and checked. No files, no clock."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from speeddata.buckets import parse_every, parse_zone
from speeddata.errors import TimeError
from speeddata.pivot.problem import Problem, twice, unknown, wrong
from speeddata.pivot.query_collect import MOMENTS, quantile_of
from speeddata.pivot.query_fill import FILLS
from speeddata.pivot.query_words import Query
from speeddata.pivot.request import CHANNELS, SPAN, STAMP, read_list, read_stamp
from speeddata.pivot.request import read_url_params as spread_params
from speeddata.pivot.result import FORMATS, TIMES, Shape
from speeddata.pivot.where import parse_where
from speeddata.times import parse_duration

__all__ = ["AGGREGATES", "PARAMETERS", "Asked", "read_body_params", "read_query", "read_url_params"]

AGGREGATES = (*MOMENTS, "twa", "median", "p0 to p100", "distinct", "mode")
PARAMETERS = ("channels", "signals", "start", "end", "duration", "every", "width", "aggregates", "zone", "fill",
              "where", "limit", "cursor", "format", "shape", "time")  # fmt: skip
LISTS = ("channels", "signals", "aggregates")
ALIASES = {"channel": "channels", "signal": "signals", "aggregate": "aggregates"}
MAX_WIDTH = 100_000
EARLIEST, LATEST = -(2**63), 2**63 - 1
WANTED = (
    "two of start, end and duration; start alone goes up to now, duration alone ends at the newest record"
)
BODY = "an object of parameters"
WANTED_OF = {
    "start": f"{STAMP}, or now",
    "end": f"{STAMP}, or now",
    "duration": SPAN,
    "every": "a width such as 30s, 15m, 1h, 1d, 1mo or PT15M",
    "zone": "a time zone such as Europe/Zurich",
}
Params = Mapping[str, str]


@dataclass(frozen=True)
class Asked:
    """A query, how its answer is to be told, and the text that stands for both."""

    query: Query
    shape: Shape
    key: str


def read_url_params(items: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Parameters of a URL; a list may be spread over several of one name."""
    return spread_params(items, LISTS, _known)


def read_body_params(body: bytes) -> dict[str, str]:
    """Parameters of a JSON object: text and numbers, lists as lists or with commas between."""
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise wrong("body", body[:100].decode(errors="replace"), BODY, f"no JSON: {error}") from None
    if not isinstance(told, dict):
        raise wrong("body", told, BODY)
    params = {}
    for given, value in told.items():
        name = _known(given, value)
        if name in params:
            raise twice(name, value)
        if name in LISTS and isinstance(value, list) and all(isinstance(one, str) for one in value):
            value = ",".join(value)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise wrong(name, value, "text or a whole number")
        params[name] = str(value)
    return params


def _known(name: str, value: object) -> str:
    known = ALIASES.get(name, name)
    if known not in PARAMETERS:
        raise unknown(name, value, PARAMETERS)
    return known


def read_query(
    params: Params, accept: str, now_ns: int, max_channels: int, newest: Callable[[Sequence[str]], int | None]
) -> Asked:
    """Check parameters; `newest` tells the newest time of channels, None when there is none."""
    channels = read_list(params.get("channels"))
    if not channels:
        value = params.get("channels")
        raise Problem(
            400, "Missing required parameter: channels", field="channels", value=value, wanted=CHANNELS
        )
    if len(channels) > max_channels:
        error = f"Channel count exceeds maximum ({max_channels}): ask for fewer at once"
        raise Problem(413, error, requested_channels=len(channels), max_channels=max_channels)
    shape = _shape(params, accept)
    zone = _parsed(params, "zone", parse_zone, "UTC")
    start_ns, end_ns = _range(params, now_ns, lambda: newest(channels))
    every = _parsed(params, "every", lambda text: parse_every(text, zone), None)
    width = _number(params, "width", MAX_WIDTH)
    if every is not None and width is not None:
        raise wrong("width", params["width"], "every or width, not both")
    aggregates = tuple(dict.fromkeys(_aggregate(name) for name in read_list(params.get("aggregates"))))
    bucketed = every is not None or width is not None or bool(aggregates)
    for name in ("limit", "cursor") if bucketed else ():
        if params.get(name):
            raise wrong(
                name, params[name], "none: it is for raw records, without every, width and aggregates"
            )
    where = params.get("where", "").strip()
    query = Query(
        channels, start_ns, end_ns, read_list(params.get("signals")), every, aggregates,
        _choice(params, "fill", FILLS), parse_where(where) if where else None, _number(params, "limit", LATEST),
        params.get("cursor") or None, width, zone,
    )  # fmt: skip
    return Asked(query, shape, _key(params, query, shape))


def _key(params: Params, query: Query, shape: Shape) -> str:
    """A text that is the same for requests with the same answer."""
    told: dict[str, Any] = {
        name: params[name] for name in ("every", "aggregates", "where", "cursor") if params.get(name)
    }
    told |= {
        "channels": query.channels,
        "signals": query.signals,
        "start_ns": query.start_ns,
        "end_ns": query.end_ns,
    }
    told |= {"zone": query.zone, "fill": query.fill, "limit": query.limit, "width": query.width}
    told |= {"format": shape.format, "rows": shape.rows, "time": shape.time}
    return orjson.dumps(told, option=orjson.OPT_SORT_KEYS).decode()


def _shape(params: Params, accept: str) -> Shape:
    given = params.get("format")
    if given and given not in FORMATS:
        raise wrong("format", given, f"one of {', '.join(FORMATS)}")
    told = given or next(
        (name for name, media in FORMATS.items() if media.partition(";")[0] in accept), "json"
    )
    shape = _choice(params, "shape", ("columns", "rows"))
    return Shape(told, shape == "rows", _choice(params, "time", TIMES))


def _range(params: Params, now_ns: int, newest: Callable[[], int | None]) -> tuple[int, int]:
    """The first and the last nanosecond of [start, end)."""
    given = [name for name in ("start", "end", "duration") if params.get(name)]
    if len(given) == 3 or given in ([], ["end"]):
        field = "start" if len(given) < 3 else "duration"
        raise wrong(field, params.get(field), WANTED)
    start, end = (_parsed(params, name, lambda text: _stamp(text, now_ns), None) for name in ("start", "end"))
    span = _parsed(params, "duration", parse_duration, 0)
    if start is None and end is None:
        last = newest()
        last = now_ns if last is None else last
        start, end = last - span, last + 1  # what is at both ends is in it
    if end is None:
        end = start + span if start is not None and "duration" in given else now_ns
    if start is None:
        start = end - span
    if start >= end:
        value = params.get("start")
        raise Problem(400, "start must be before end", field="start", value=value, wanted="a time before end")
    return max(start, EARLIEST), min(end - 1, LATEST - 1)


def _stamp(text: str, now_ns: int) -> int:
    return now_ns if text.strip() == "now" else read_stamp(text)


def _aggregate(name: str) -> str:
    if name in MOMENTS or name in ("twa", "distinct", "mode") or quantile_of(name) is not None:
        return name
    raise wrong("aggregates", name, f"one of {', '.join(AGGREGATES)}")


def _parsed(params: Params, name: str, parse: Callable[[str], Any], default: Any) -> Any:
    text = params.get(name)
    if not text:
        return default
    try:
        return parse(text)
    except TimeError as error:
        raise wrong(name, text, WANTED_OF[name], str(error)) from None


def _number(params: Params, name: str, most: int) -> int | None:
    text = params.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and 1 <= int(text) <= most):
        raise wrong(name, text, f"a whole number from 1 to {most}")
    return int(text)


def _choice(params: Params, name: str, choices: Sequence[str]) -> str:
    given = params.get(name) or choices[0]
    if given not in choices:
        raise wrong(name, given, f"one of {', '.join(choices)}")
    return given
