"""Who asks, and whether they may: by a token in the Authorization header, or by the cookie of a session that was logged in.

All services of a data folder go by the same files, so that who has logged in on the page is known to the live data and the
history too: cookies are a host's, whatever the port.
"""

import hashlib
import hmac
import logging
from collections.abc import Callable
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from speeddata.errors import TokenError
from speeddata.tokens import ROLES, TokenFile, Tokens, digest, read_private

if TYPE_CHECKING:
    from itsdangerous import URLSafeTimedSerializer

__all__ = ["COOKIE", "OWN", "SESSION_S", "Access", "Grant", "Refusal", "bearer"]

log = logging.getLogger(__name__)

COOKIE = "speeddata_session"
SESSION_S = 12 * 3600
SALT = "speeddata session"
OWN = "speeddata"  # name of the services' own token
MAX_HEADER = 4096

Value = TypeVar("Value")


@dataclass(frozen=True)
class Grant:
    """Who asks, and as what."""

    name: str
    role: str

    def may(self, role: str) -> bool:
        """Whether they may do what takes a role."""
        return ROLES.index(self.role) >= ROLES.index(role)


ANYBODY = Grant("", "admin")


@dataclass(frozen=True)
class Refusal:
    """A request that must not be carried out: 401 where nobody is known to ask, 403 where they may not."""

    status: int
    body: dict[str, str]

    @property
    def headers(self) -> dict[str, str]:
        """What goes with the answer."""
        return {"WWW-Authenticate": "Bearer"} if self.status == 401 else {}


class Access:
    """The tokens in force. Without a file nobody is asked who they are, and everybody may do everything."""

    def __init__(self, tokens: Path | None = None, own: Path | None = None) -> None:
        self._tokens: _Kept[Tokens] | None = None
        # The token of the services of this data folder, and of who may read its file.
        self._own: _Kept[str] | None = None
        if tokens is not None:
            self._tokens = _Kept(tokens, TokenFile(tokens).read, Tokens())
        if own is not None:
            self._own = _Kept(own, lambda: digest(read_private(own).strip()), "")

    @property
    def required(self) -> bool:
        """Whether who asks must say who they are."""
        return self._tokens is not None

    def refuse(self, role: str, authorization: str | None, cookies: str | None) -> Refusal | None:
        """Why a request that takes a role must not be carried out; None where it may."""
        grant = self.who(authorization, cookies)
        if grant is None:
            details = f"wanted a token in force, of role {role} or more, as Authorization: Bearer TOKEN; people log in at /login of the pages"
            error = (
                "Token required"
                if authorization is None and COOKIE not in (cookies or "")
                else "Token not known"
            )
            return Refusal(401, {"error": error, "field": "Authorization", "details": details})
        if not grant.may(role):
            details = f"wanted a token of role {role}; {grant.name!r} has the role {grant.role}"
            return Refusal(403, {"error": "Not allowed", "field": "Authorization", "details": details})
        return None

    def who(self, authorization: str | None, cookies: str | None) -> Grant | None:
        """Who asks; None if they do not say, or what they say does not hold."""
        if self._tokens is None:
            return ANYBODY
        if authorization is not None:
            return self._bearer(authorization)
        return self._session(_session_of(cookies or ""))

    def log_in(self, token: str) -> tuple[Grant, str] | None:
        """Begin a session: who it is of, and the value of its cookie; None for a token that is not in force."""
        grant = self._bearer(f"Bearer {token}")
        if grant is None or self._tokens is None:
            return None
        tokens = self._tokens.value()
        known = tokens.get(grant.name)
        if known is None:
            return None
        return grant, _serializer(tokens.key).dumps([known.name, known.sha256[:16]])

    def _bearer(self, authorization: str) -> Grant | None:
        scheme, _, token = authorization.strip().partition(" ")
        if scheme.lower() != "bearer" or len(authorization) > MAX_HEADER:
            return None
        given, found = digest(token.strip()), None
        # All are compared, each in a time that tells nothing.
        for known in self._tokens.value().known if self._tokens else ():
            if hmac.compare_digest(known.sha256, given):
                found = Grant(known.name, known.role)
        if self._own and hmac.compare_digest(self._own.value(), given):
            found = Grant(OWN, "admin")
        return found

    def _session(self, value: str | None) -> Grant | None:
        from itsdangerous import BadData

        tokens = self._tokens.value() if self._tokens else Tokens()
        if not value or not tokens.key:
            return None
        try:
            name, mark = _serializer(tokens.key).loads(value, max_age=SESSION_S)
        except (BadData, ValueError, TypeError):
            return None
        known = tokens.get(name)
        if known is None or not hmac.compare_digest(known.sha256[:16], str(mark)):
            return None
        return Grant(known.name, known.role)


class _Kept(Generic[Value]):
    """What a file holds, read again when it has changed. While it cannot be used nobody is known."""

    def __init__(self, path: Path, read: Callable[[], Value], nothing: Value) -> None:
        self._path, self._read, self._nothing = path, read, nothing
        self._seen: tuple[int, ...] | None = None
        self._value = nothing

    def value(self) -> Value:
        try:
            status = self._path.stat()
            seen = (status.st_mtime_ns, status.st_ino, status.st_size, status.st_mode)
        except OSError:
            self._seen, self._value = None, self._nothing
            return self._nothing
        if seen != self._seen:
            try:
                self._value = self._read()
            except (TokenError, OSError) as error:
                log.error("%s", error)
                self._value = self._nothing
            self._seen = seen
        return self._value


def bearer(path: Path | None) -> dict[str, str]:
    """The header by which a request tells the token in a file; none without a file. TokenError where it cannot be read."""
    if path is None:
        return {}
    try:
        return {"Authorization": f"Bearer {read_private(path).strip()}"}
    except FileNotFoundError:
        raise TokenError(f"{path}: there is no such file, wanted one with a token") from None


def _session_of(cookies: str) -> str | None:
    if len(cookies) > MAX_HEADER:
        return None
    try:
        found = SimpleCookie(cookies).get(COOKIE)
    except CookieError:
        return None
    return found.value if found else None


def _serializer(key: str) -> "URLSafeTimedSerializer":
    from itsdangerous import URLSafeTimedSerializer

    return URLSafeTimedSerializer(key, salt=SALT, signer_kwargs={"digest_method": hashlib.sha256})
