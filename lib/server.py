"""A running system as commands ask it: its registration API, and by that the history service. What fails ends the command in words."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import click
import requests

from speeddata.answer import read_answer
from speeddata.archive_commands import shown
from speeddata.errors import SchemaError, TokenError
from speeddata.exit_codes import FAILED
from speeddata.remote_error import RemoteError
from speeddata.remote_http import Service
from speeddata.server_options import away, token_hint

if TYPE_CHECKING:
    from speeddata.schema import Schema

__all__ = ["Failure", "Server", "words_of"]

TIMEOUT_S = 30.0
ATTEMPTS = 3  # where the server is busy; one that is away is asked once


class Failure(click.ClickException):
    """What could not be done, in words; ends the command."""

    exit_code = FAILED

    def __init__(self, message: str, told: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        # What the server answered where it refused.
        self.told = told or {}

    def show(self, _file: Any = None) -> None:
        for line in self.message.splitlines():
            click.echo(f"speeddata: {shown(line)}", err=True)


class Server:
    """The system at an address."""

    def __init__(self, url: str, timeout_s: float = TIMEOUT_S, attempts: int = ATTEMPTS) -> None:
        self._service = Service(url, timeout_s, attempts, name="server")
        self.url = self._service.url

    @property
    def host(self) -> str:
        """The machine that it is on."""
        return urlsplit(self.url).hostname or ""

    def ask(self, method: str, path: str, **options: Any) -> Any:
        """The JSON object of an answer; Failure where there is none, or another than success, or it lacks what is looked for."""
        try:
            response = self._service.ask(method, path, again=False, stream=True, **options)
            return read_answer(response, self.no_api)
        except RemoteError as error:
            raise Failure(words_of(error), error.details) from None
        except TokenError as error:
            raise Failure(str(error)) from None
        except (requests.ConnectionError, requests.Timeout):
            raise Failure(away("the server", self.url)) from None
        except (requests.RequestException, ValueError) as error:
            raise self.no_api(str(error)) from None

    def no_api(self, why: str) -> Failure:
        """What is said where somebody else answers."""
        return Failure(f"{self.url} is no registration API of SpeedData: {why}")

    def listed(self, path: str, key: str, **options: Any) -> list[dict[str, Any]]:
        """The objects that an answer lists under a key."""
        found = self.ask("GET", path, **options)[key]
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise self.no_api(f"{key} of its answer is no list of objects")
        return found

    def channels(self) -> list[dict[str, Any]]:
        """All channels."""
        found = self.listed("/channels", "channels")
        if not all(isinstance(one["name"], str) for one in found):
            raise self.no_api("a channel of its answer has no name")
        return found

    def channel(self, name: str, part: str = "") -> Any:
        """A channel, or a part of it, such as `spec`."""
        return self.ask("GET", path_of(name, part))

    def schema(self, name: str, time_unit: str | None = None) -> "Schema":
        """The schema of a channel."""
        from speeddata.schema import Schema

        try:
            return Schema.parse(self.channel(name, "schema"), time_unit=time_unit)
        except SchemaError as error:
            raise self.no_api(f"channel {name!r} has a schema that cannot be used: {error}") from None

    def history(self) -> str:
        """The address of the history service."""
        return self.service("pivot", "history service")

    def service(self, key: str, what: str) -> str:
        """The address of another service of the system."""
        found = self.ask("GET", "/services").get(key)
        if not isinstance(found, dict) or not found.get("port"):
            raise Failure(f"{self.url} knows no {what}")
        host = str(found["host"])
        return f"http://{f'[{host}]' if ':' in host else host}:{found['port']}"


def path_of(name: str, part: str = "") -> str:
    """The path of a channel."""
    return f"/channels/{quote(name, safe='')}" + (f"/{part}" if part else "")


def words_of(error: RemoteError) -> str:
    """A refusal in the words of the service, with what would help."""
    told = error.details
    if "error" not in told:
        return f"{error}{token_hint(error.status)}"
    words = str(told["error"])
    if "wanted" in told:
        words += f": {told.get('field')} is {told.get('value')!r}, wanted {told['wanted']}"
    details = str(told.get("details") or "") if "wanted" not in told else ""
    for key in ("name", "port", "path", "id", "missing"):
        value = told.get(key)
        value = ", ".join(map(str, value)) if isinstance(value, list) else value
        if value is not None and not re.search(rf"(?<!\w){re.escape(str(value))}(?!\w)", details):
            words += f" ({key}: {value})"
    if details and details != told["error"]:
        words += f": {details}"
    return words + token_hint(error.status)
