"""Client of the registration API."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from speeddata.credentials import authorize
from speeddata.errors import SpeedDataError
from speeddata.schema import Schema

__all__ = ["RegistryError", "SpeedDataClient"]

TIMEOUT_S = 10.0
PAGE = 1000  # events of one answer

Json = dict[str, Any]


class RegistryError(SpeedDataError, requests.HTTPError):
    """An answer other than success: `status` of HTTP, and the words of the server.

    `error` says what is wrong, `field` what of the request (None: all of it), `details` more, `told` is the whole answer.
    """

    def __init__(self, response: requests.Response) -> None:
        try:
            told = response.json()
        except ValueError:
            told = None
        # The JSON object of the answer, empty where there was none.
        self.told: Json = told if isinstance(told, dict) else {}
        self.status = response.status_code
        self.error = str(self.told.get("error") or response.reason)
        self.field: str | None = self.told.get("field")
        self.details = str(self.told.get("details") or self.error)
        more = "" if self.details == self.error else f": {self.details}"
        super().__init__(f"{self.status} {self.error}{more} ({response.url})", response=response)


class SpeedDataClient:
    """Registers channels, asks for them, changes them.

    Usage:

        client = SpeedDataClient()
        client.register_channel("roof", 26010, "agents/temperature.avsc")
        for channel in client.list_channels(status="active"):
            print(channel["name"], channel["port"])
        client.deregister_channel("roof")

    Where a token is asked for it is `token`, or that of the file `token_file`, else of the file that $SPEEDDATA_TOKEN_FILE
    names; files are read for each request. Answers other than those described raise RegistryError, a requests.HTTPError.
    """

    def __init__(
        self,
        base_url: str = "http://localhost:8080/api/v1",
        *,
        token: str | None = None,
        token_file: str | Path | None = None,
    ) -> None:
        if "@" in urlsplit(base_url).netloc:
            raise ValueError("an address must hold no secret, as it is logged: give token or token_file")
        if token is not None and token_file is not None:
            raise ValueError("wanted either token or token_file, not both")
        # The API's address, without a slash at the end.
        self.base_url = base_url.rstrip("/")
        # The session of all requests: headers set on it go with each.
        self.session = authorize(requests.Session(), Path(token_file) if token_file is not None else None)
        if token is not None:
            self.session.headers["Authorization"] = f"Bearer {token}"

    def list_channels(self, status: str | None = None) -> list[Json]:
        """All channels, or those of a status ("registered", "active")."""
        found: list[Json] = self._ask("GET", "/channels", params={"status": status} if status else None)[
            "channels"
        ]
        return found

    def register_channel(
        self,
        name: str,
        port: int | None = 0,
        schema_path: str | Mapping[str, Any] | None = None,
        config: Json | None = None,
        *,
        ttl: float | None = None,
    ) -> Json:
        """Register a channel, whose schema is a path on the server or the schema itself; the relay runs when this returns.

        With port 0 it gets one that is free, the `port` of the answer, and the same when it is registered again; with None
        it has none, and its records come by HTTP alone. With `ttl` it is stopped when neither packet nor `renew_channel`
        is heard of for so many seconds; nothing of it is deleted.
        """
        body: Json = {"name": name, "port": port, "schema": schema_path}
        if config is not None:
            body["config"] = config
        if ttl is not None:
            body["ttl"] = ttl
        return self._ask("POST", "/channels", json=body)

    def renew_channel(self, name: str) -> Json:
        """Say that the device of a channel with a `ttl` is there; one that was stopped for its silence runs again."""
        return self._ask("POST", _path(name, "/renew"))

    def change_channel(self, name: str, changes: Mapping[str, Any]) -> Json:
        """Change settings, `limits` (by signal) or `ttl` of a channel while it runs; the channel as it is then.

        None takes a setting back to what the configuration says.
        """
        return self._ask("PATCH", _path(name), json=dict(changes))

    def add_schema(self, name: str, schema_path: str | Mapping[str, Any], *, force: bool = False) -> Json:
        """Register a further version of a channel's schema: its `version` and `fingerprint`.

        One by which records of former versions cannot be read is refused with status 409, unless it is by `force`.
        """
        body = {"schema": schema_path, **({"force": True} if force else {})}
        return self._ask("POST", _path(name, "/schemas"), json=body)

    def events(
        self, kind: str | None = None, name: str | None = None, limit: int | None = None
    ) -> Iterator[Json]:
        """What happened, newest first: all, or so many, of a kind ("channel", "service" ...), about a name.

        They are fetched page by page as they are wanted.
        """
        asked: Json = {key: value for key, value in (("kind", kind), ("name", name)) if value is not None}
        while limit is None or limit > 0:
            asked["limit"] = PAGE if limit is None else min(PAGE, limit)
            page = self._ask("GET", "/events", params=asked)
            yield from page["events"]
            if page["next"] is None:
                return
            asked["before"] = page["next"]
            limit = None if limit is None else limit - len(page["events"])

    def deregister_channel(self, name: str) -> bool:
        """Stop a channel's relay and forget the channel; False when there is none of this name."""
        response = self._request("DELETE", _path(name))
        return response.status_code != 404 and _checked(response).ok

    def get_channel(self, name: str) -> Json | None:
        """A channel with its counters and addresses; None when there is none of this name."""
        response = self._request("GET", _path(name))
        if response.status_code == 404:
            return None
        channel: Json = _checked(response).json()
        return channel

    def upload_schema(self, name: str, schema_file: str | Path) -> Json:
        """Read and check a local schema file, and describe it; nothing is sent.

        FileNotFoundError, json.JSONDecodeError or speeddata.errors.SchemaError tell what is wrong with the file.
        """
        content = json.loads(Path(schema_file).read_text("utf-8"))
        schema = Schema.parse(content)
        return {
            "name": name,
            "path": str(schema_file),
            "schema": content,
            "record": schema.name,
            "fingerprint": schema.fingerprint.hex(),
            "time": schema.time,
            "time_unit": schema.time_unit,
            "signals": schema.signal_names,
        }

    def close(self) -> None:
        """Let go of the connections."""
        self.session.close()

    def _ask(self, method: str, path: str, **options: Any) -> Json:
        """The JSON object of an answer."""
        told: Json = _checked(self._request(method, path, **options)).json()
        return told

    def _request(self, method: str, path: str, **options: Any) -> requests.Response:
        return self.session.request(method, self.base_url + path, timeout=TIMEOUT_S, **options)


def _path(name: str, part: str = "") -> str:
    return f"/channels/{quote(name, safe='')}{part}"


def _checked(response: requests.Response) -> requests.Response:
    """Raise RegistryError unless it is success."""
    if not response.ok:
        raise RegistryError(response)
    return response
