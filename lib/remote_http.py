"""Requests to a service: their timeouts, what is tried again, and the service's words where it refuses."""

import itertools
import random
import time
from collections.abc import Mapping
from typing import Any

import requests

from speeddata.credentials import authorize
from speeddata.remote_error import RemoteError

__all__ = ["Service"]

BUSY = (429, 503)
LONGEST_WAIT_S = 30.0
CONNECT_S = 5.0
PIECE, MAX_PIECES = 1 << 16, 64  # of the body of an answer that is not success


class Service:
    """One service at an address, asked over connections that are kept."""

    def __init__(
        self,
        url: str,
        timeout_s: float,
        attempts: int,
        headers: Mapping[str, str] | None = None,
        name: str = "service",
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"wanted an address such as http://localhost:8000, not {url!r}")
        self.url = url.rstrip("/").removesuffix("/api/v1")
        self.timeout_s = timeout_s
        # What it is called where it does not answer.
        self.name = name
        # How often a request is sent at most, where the service is busy or the connection breaks.
        self.attempts = attempts
        # Headers set on it go with each request.
        self.session = authorize(requests.Session())
        self.session.headers.update(headers or {})

    def close(self) -> None:
        """Let go of the connections."""
        self.session.close()

    def ask(
        self, method: str, path: str, *, again: bool = True, timeout_s: float | None = None, **options: Any
    ) -> requests.Response:
        """Send a request below /api/v1 until it is answered; RemoteError where the answer is not success.

        429 and 503 are asked again after what Retry-After says; a connection that breaks only where asking `again` does
        no harm. Without an answer it is a requests.ConnectionError or requests.Timeout that names the service.
        """
        for attempt in range(1, self.attempts + 1):
            try:
                response = self.session.request(
                    method,
                    f"{self.url}/api/v1{path}",
                    timeout=(CONNECT_S, timeout_s or self.timeout_s),
                    **options,
                )
            except (requests.ConnectionError, requests.Timeout) as error:
                if not again or attempt == self.attempts:
                    raise self._told(error, timeout_s or self.timeout_s) from None
                time.sleep(_wait(None, attempt))
                continue
            if response.ok:
                return response
            body = b"".join(itertools.islice(response.iter_content(PIECE), MAX_PIECES))
            if response.status_code not in BUSY or attempt == self.attempts:
                raise RemoteError.of(response.status_code, body, f"{method} {path}")
            time.sleep(_wait(response.headers.get("Retry-After"), attempt))
        raise ValueError(f"attempts must be 1 and more, not {self.attempts}")

    def _told(self, error: requests.RequestException, timeout_s: float) -> requests.RequestException:
        """An error of the connection in words that say who does not answer."""
        if isinstance(error, requests.exceptions.SSLError | requests.exceptions.ProxyError):
            return error
        if isinstance(error, requests.ReadTimeout):
            found = f"has not answered within {timeout_s:g} s"
        elif isinstance(error, requests.Timeout) or hasattr(next(iter(error.args), None), "reason"):
            found = "does not answer"
        else:
            found = f"broke off the connection ({error})"
        return type(error)(f"the {self.name} at {self.url} {found}", request=error.request)

    def json(self, method: str, path: str, **options: Any) -> Any:
        """The JSON of an answer."""
        return self.ask(method, path, **options).json()


def _wait(told: str | None, attempt: int) -> float:
    """Seconds to wait: what the service says, else twice as long each time, and never the same for all clients."""
    try:
        wait = float(told) if told is not None else 0.1 * 2**attempt
    except ValueError:
        wait = 1.0
    return min(LONGEST_WAIT_S, max(0.0, wait)) * (1 + 0.2 * random.random())
