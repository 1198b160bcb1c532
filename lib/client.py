"""Client of the registration API."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

from speeddata.credentials import authorize
from speeddata.schema import Schema

__all__ = ["SpeedDataClient"]

TIMEOUT_S = 10.0


class SpeedDataClient:
    """Registers channels, and asks for them.

    Usage:

        client = SpeedDataClient()
        client.register_channel("roof", 26010, "agents/temperature.avsc")
        for channel in client.list_channels(status="active"):
            print(channel["name"], channel["port"])
        client.deregister_channel("roof")

    Answers other than those described raise requests.HTTPError.
    """

    def __init__(self, base_url: str = "http://localhost:8080/api/v1") -> None:
        # The API's address, without a slash at the end.
        self.base_url = base_url.rstrip("/")
        # The session of all requests: headers set on it go with each.
        self.session = authorize(requests.Session())

    def list_channels(self, status: str | None = None) -> list[dict[str, Any]]:
        """All channels, or those of a status ("registered", "active")."""
        response = self._request("GET", "/channels", params={"status": status} if status else None)
        channels: list[dict[str, Any]] = _checked(response).json()["channels"]
        return channels

    def register_channel(
        self, name: str, port: int, schema_path: str | Mapping[str, Any], config: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Register a channel, whose schema is a path on the server or the schema itself; the relay runs when this returns."""
        body: dict[str, Any] = {"name": name, "port": port, "schema": schema_path}
        if config is not None:
            body["config"] = config
        answer: dict[str, Any] = _checked(self._request("POST", "/channels", json=body)).json()
        return answer

    def deregister_channel(self, name: str) -> bool:
        """Stop a channel's relay and forget the channel; False when there is none of this name."""
        response = self._request("DELETE", f"/channels/{quote(name, safe='')}")
        return response.status_code != 404 and _checked(response).ok

    def get_channel(self, name: str) -> dict[str, Any] | None:
        """A channel with its counters and addresses; None when there is none of this name."""
        response = self._request("GET", f"/channels/{quote(name, safe='')}")
        if response.status_code == 404:
            return None
        channel: dict[str, Any] = _checked(response).json()
        return channel

    def upload_schema(self, name: str, schema_file: str | Path) -> dict[str, Any]:
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

    def _request(self, method: str, path: str, **options: Any) -> requests.Response:
        return self.session.request(method, self.base_url + path, timeout=TIMEOUT_S, **options)


def _checked(response: requests.Response) -> requests.Response:
    """Raise HTTPError with the words of the server."""
    if response.ok:
        return response
    try:
        reason = response.json()["error"]
    except (ValueError, KeyError, TypeError):
        reason = response.reason
    raise requests.HTTPError(f"{response.status_code} {reason} ({response.url})", response=response)
