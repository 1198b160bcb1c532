"""What a statement is asked for with: the body and the Accept header, read and checked."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from speeddata.pivot.problem import unknown, wrong

__all__ = ["MEDIA_TYPES", "SqlLimits", "SqlRequest", "read_request"]

ZONE = re.compile(r"[A-Za-z0-9_+\-/:]{1,64}", re.ASCII)
NAMES = ("sql", "format", "limit", "timeout", "time_zone")
BODY = 'an object such as {"sql": "SELECT 1"}'
FORMATS = ("json", "columns", "csv", "arrow", "parquet")
MEDIA_TYPES = {
    "application/json": "json",
    "text/csv": "csv",
    "application/vnd.apache.arrow.stream": "arrow",
    "application/vnd.apache.parquet": "parquet",
}


@dataclass(frozen=True)
class SqlLimits:
    """What one statement, and all at a time, may take."""

    timeout_s: float = 30.0
    memory_mb: int = 512
    threads: int = 2
    max_bytes: int = 256 << 20  # of an answer
    running: int = 2  # statements that run at a time
    admitted: int = 16  # and those that wait
    stall_s: float = 15.0  # for how long a client may take nothing


@dataclass(frozen=True)
class SqlRequest:
    """One statement."""

    sql: str
    format: str = "json"
    limit: int | None = None  # rows; None: all
    timeout_s: float = 30.0
    time_zone: str = "UTC"


def read_request(body: bytes, accept: str, limits: SqlLimits) -> SqlRequest:
    """Check the body of a request; a Problem names what is wrong with it."""
    try:
        given = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise wrong("body", body[:100].decode(errors="replace"), BODY, f"no JSON: {error}") from None
    if not isinstance(given, dict):
        raise wrong("body", given, BODY)
    for name in sorted(given.keys() - set(NAMES)):
        raise unknown(name, given[name], NAMES)
    return SqlRequest(
        sql=_read_sql(given),
        format=_read_format(given, accept),
        limit=_read_limit(given),
        timeout_s=_read_timeout(given, limits.timeout_s),
        time_zone=_read_zone(given),
    )


def _read_sql(given: Mapping[str, Any]) -> str:
    sql = given.get("sql")
    if not isinstance(sql, str) or not sql.strip():
        raise wrong("sql", sql, "a statement such as SELECT 1")
    try:
        sql.encode()
    except UnicodeEncodeError:
        raise wrong("sql", sql, "text without lone surrogates") from None
    if "\0" in sql:
        raise wrong("sql", sql, "text without NUL")
    return sql


def _read_format(given: Mapping[str, Any], accept: str) -> str:
    form = given.get("format")
    if form is None:
        wanted = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
        return next((MEDIA_TYPES[media] for media in wanted if media in MEDIA_TYPES), "json")
    if form not in FORMATS:
        raise wrong("format", form, f"one of {', '.join(FORMATS)}")
    return str(form)


def _read_limit(given: Mapping[str, Any]) -> int | None:
    limit = given.get("limit")
    if limit is not None and (
        isinstance(limit, bool) or not isinstance(limit, int) or not 0 <= limit < 2**63
    ):
        raise wrong("limit", limit, "a number of rows")
    return limit


def _read_timeout(given: Mapping[str, Any], longest_s: float) -> float:
    timeout = given.get("timeout")
    if timeout is None:
        return longest_s
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout <= longest_s:
        raise wrong("timeout", timeout, f"seconds, more than 0 and at most {longest_s:g}")
    return float(timeout)


def _read_zone(given: Mapping[str, Any]) -> str:
    zone = given.get("time_zone", "UTC")
    if not isinstance(zone, str) or not ZONE.fullmatch(zone):
        raise wrong("time_zone", zone, "a name such as Europe/Zurich")
    return zone
