"""What goes wrong on pages: errors, what the console says of them, and requests to other hosts."""

from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page

LOOPBACK = {"127.0.0.1", "localhost"}


class Watch:
    """What went wrong on the pages of a test."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.forgiven: list[str] = []

    def attach(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("console", self.console)
        page.on("request", self.request)

    def console(self, message: Any) -> None:
        if message.type == "error":
            self.faults.append(f"console: {message.text} at {message.location}")

    def request(self, request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.hostname not in LOOPBACK and parts.scheme not in ("data", "blob", "file"):
            self.faults.append(f"request to {request.url}")

    def forgive(self, *texts: str) -> None:
        """Expect faults that hold one of these texts."""
        self.forgiven += texts

    def check(self) -> None:
        left = [fault for fault in self.faults if not any(text in fault for text in self.forgiven)]
        assert not left, left
