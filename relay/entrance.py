"""Whom a run lets in: beyond this machine nobody without a token, and its own services by a token of their own."""

import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from speeddata.access import Access
from speeddata.access_options import access_argv
from speeddata.credentials import VARIABLE
from speeddata.errors import ConfigError, TokenError
from speeddata.relay.data_folder import DataFolder
from speeddata.run_options import exposed
from speeddata.settings import Settings
from speeddata.tokens import TokenFile

__all__ = ["Entrance"]


@dataclass(frozen=True)
class Entrance:
    """The files that all services of a data folder go by; none where nobody is asked who they are."""

    tokens: Path | None = None
    own_token: Path | None = None

    @classmethod
    def of(cls, settings: Settings, services: Sequence[str], data: DataFolder) -> Self:
        """What the settings ask for. ConfigError where others could reach a service, and there is no token that they would need."""
        addresses = exposed(settings, services)
        if not addresses and not settings.flat["relay"]["access.required"]:
            return cls()
        try:
            known = TokenFile(data.tokens).read().known
        except TokenError as error:
            raise ConfigError([str(error)]) from None
        if addresses and not known:
            raise ConfigError(
                [
                    f"{', '.join(addresses)}: others can reach this, wanted a loopback address, or a token that they are known by; "
                    f"speeddata token create NAME --role admin --data {data.path} makes one "
                    "(--role read to look, write to register and give data too, admin for everything)"
                ]
            )
        return cls(data.tokens, data.own_token)

    def open(self, services: Sequence[str]) -> None:
        """Make the services' own token, and have what we start use it. What asks a registry elsewhere has a token from there."""
        if self.own_token is None:
            return
        self.own_token.unlink(missing_ok=True)
        fd = os.open(
            self.own_token, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
        )
        with os.fdopen(fd, "w", encoding="ascii") as file:
            file.write(f"{secrets.token_urlsafe(32)}\n")
        if "relay" in services:
            os.environ[VARIABLE] = str(self.own_token)

    @property
    def access(self) -> Access:
        """Who is let in."""
        return Access(self.tokens, self.own_token)

    @property
    def argv(self) -> list[str]:
        """The options that tell a service."""
        return access_argv(self.tokens, self.own_token)
