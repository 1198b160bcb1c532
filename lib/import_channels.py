"""The channels that an import writes to: asked for at the registry, and made where there are none."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import requests

from speeddata.answer import read_answer
from speeddata.credentials import authorize
from speeddata.errors import SchemaError, TokenError
from speeddata.import_sender import SendError
from speeddata.schema import Schema
from speeddata.server_options import away, token_hint

__all__ = ["Channels"]

TIMEOUT_S = 30.0
BATCH = 10_000  # channels that are made at once


class Channels:
    """Asks the registration API, whose address ends with /api/v1 or not."""

    def __init__(self, address: str) -> None:
        address = address if "//" in address else f"http://{address}"
        self.address = f"{address.rstrip('/').removesuffix('/api/v1')}/api/v1"
        self._session = authorize(requests.Session())
        self._session.trust_env = False

    def close(self) -> None:
        self._session.close()

    def history(self) -> str:
        """The address of the history service."""
        service = read_answer(self._ask("GET", "/services"), self._no_api).get("pivot")
        if not isinstance(service, dict) or not service.get("port"):
            raise SendError(f"{self.address} knows no history service; --history tells its address")
        host = str(service["host"])
        return f"http://{f'[{host}]' if ':' in host else host}:{service['port']}"

    def instance(self) -> str:
        """What tells the data folder of the registry from others; "" where it does not tell."""
        try:
            answer = read_answer(self._ask("GET", "/health", also=404), ValueError)
        except ValueError:
            return ""
        return str(answer.get("instance") or "")

    def find(self, names: Sequence[str]) -> dict[str, tuple[Schema, str | None] | None]:
        """Schema of each channel, and the unit of its times; None where there is no such channel."""
        found: dict[str, tuple[Schema, str | None] | None] = {}
        for name in names:
            response = self._ask("GET", f"/channels/{quote(name, safe='')}/spec", also=404)
            if response.status_code == 404:
                response.close()
                found[name] = None
                continue
            spec = read_answer(response, self._no_api)
            given = spec["schema"]
            try:
                schema = Schema.parse(
                    given if isinstance(given, dict) else str(given), time_unit=spec.get("time_unit")
                )
            except SchemaError as error:
                raise SendError(f"channel {name!r} has a schema that cannot be used: {error}") from None
            found[name] = schema, schema.time_unit
        return found

    def make(self, names: Sequence[str], schema: Mapping[str, Any], unit: str) -> None:
        """Register channels without a UDP port, whose records are not sent live."""
        stated = Schema.parse(dict(schema)).time_unit
        config = {"live": False} if stated else {"live": False, "time_unit": unit}
        made = [{"name": name, "port": None, "schema": dict(schema), "config": config} for name in names]
        if len(made) == 1:
            self._ask("POST", "/channels", made[0]).close()
            return
        for start in range(0, len(made), BATCH):
            response = self._ask("POST", "/channels/batch", {"channels": made[start : start + BATCH]})
            for refused in read_answer(response, self._no_api).get("refused", ()):
                raise SendError(f"channel {refused.get('name')!r} was not made: {refused.get('error')}")

    def _no_api(self, why: str) -> SendError:
        return SendError(f"{self.address} is no registration API of SpeedData: {why}")

    def _ask(self, method: str, path: str, body: Any = None, also: int = 0) -> requests.Response:
        data = None if body is None else json.dumps(body)
        try:
            response = self._session.request(
                method,
                self.address + path,
                data=data,
                headers={"Content-Type": "application/json"},
                timeout=TIMEOUT_S,
                stream=True,
            )
        except (requests.RequestException, ValueError) as error:  # ValueError: a host that cannot be
            raise SendError(f"{away('the registry', self.address, '--api')} ({_cause(error)})") from None
        except TokenError as error:
            raise SendError(str(error)) from None
        if response.ok or response.status_code == also:
            return response
        try:
            told = response.json()
            reason = "; ".join(str(told[key]) for key in ("error", "details") if told.get(key))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            reason = response.reason
        hint = token_hint(response.status_code)
        raise SendError(f"the registry refused {method} {path} ({response.status_code}): {reason}{hint}")


def _cause(error: Exception) -> str:
    return str(getattr(error.args[0], "reason", error) if error.args else error)
