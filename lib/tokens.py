"""Tokens: by what programs and people tell who they are, kept as digests in a file that its owner alone can read.

A token is 32 random bytes, told once when it is made. Its role says what it may do: `read`, `write` (and read), `admin` (all).
"""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import secrets
import stat
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from speeddata.durable import sync_folder
from speeddata.errors import TokenError

__all__ = ["ROLES", "Token", "TokenFile", "Tokens", "digest", "read_private"]

ROLES = ("read", "write", "admin")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}", re.ASCII)
NAME_WANTED = "1 to 64 letters, digits, _ . @ -, a letter or digit first"
TOKEN_BYTES = 32
MAX_FILE = 1 << 20


@dataclass(frozen=True)
class Token:
    """What is known of a token: not itself."""

    name: str
    role: str
    sha256: str  # hex
    created_at: str


@dataclass(frozen=True)
class Tokens:
    """What a file holds."""

    key: str = ""  # by which sessions of people who have logged in are signed
    known: tuple[Token, ...] = field(default=())

    def get(self, name: str) -> Token | None:
        """The token of a name."""
        return next((token for token in self.known if token.name == name), None)


class TokenFile:
    """The tokens of one data folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Tokens:
        """What the file holds, nothing where there is none; TokenError if others can read it, or it is no such file."""
        try:
            text = read_private(self.path)
        except FileNotFoundError:
            return Tokens()
        try:
            told = json.loads(text)
            known = tuple(Token(**one) for one in told["tokens"])
            wrong = [
                one.name
                for one in known
                if one.role not in ROLES or not re.fullmatch("[0-9a-f]{64}", one.sha256)
            ]
            if wrong or not isinstance(told["key"], str) or len(told["key"]) < TOKEN_BYTES:
                raise ValueError(f"token {wrong[0]!r}" if wrong else "key")
            return Tokens(told["key"], known)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise TokenError(
                f"{self.path} is no file of tokens ({error!r}), wanted one that `speeddata token create` made"
            ) from None

    def add(self, name: str, role: str) -> str:
        """Make a token; itself, which is told nowhere else. TokenError for a name that cannot be, or is taken."""
        if not NAME.fullmatch(name):
            raise TokenError(f"name is {name!r}, wanted {NAME_WANTED}")
        if role not in ROLES:
            raise TokenError(f"role is {role!r}, wanted one of {', '.join(ROLES)}")
        made = secrets.token_urlsafe(TOKEN_BYTES)
        with self._changing() as tokens:
            if tokens.get(name):
                raise TokenError(
                    f"name is {name!r}, wanted one that no token has (speeddata token revoke {name} frees it)"
                )
            stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            known = (*tokens.known, Token(name, role, digest(made), stamp))
            self._write(Tokens(tokens.key or secrets.token_hex(TOKEN_BYTES), known))
        return made

    def remove(self, name: str) -> bool:
        """Take a token out of force, and the sessions that it was logged in with; False if there is none of this name."""
        with self._changing() as tokens:
            if tokens.get(name) is None:
                return False
            self._write(Tokens(tokens.key, tuple(one for one in tokens.known if one.name != name)))
        return True

    @contextlib.contextmanager
    def _changing(self) -> Iterator[Tokens]:
        """The tokens as they are, while nobody else changes them."""
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield self.read()
        finally:
            os.close(folder)

    def _write(self, tokens: Tokens) -> None:
        part = self.path.with_name(f".{self.path.name}.new")
        part.unlink(missing_ok=True)
        fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            told: dict[str, Any] = {"key": tokens.key, "tokens": [asdict(one) for one in tokens.known]}
            json.dump(told, file, indent=1)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.path)
        sync_folder(self.path.parent)


def digest(token: str) -> str:
    """What is kept of a token: of any text. It is random and long, so that no slow digest is needed."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


def read_private(path: Path) -> str:
    """The text of a small file that nobody but its owner can read; TokenError for any other file, FileNotFoundError for none."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise TokenError(f"{path} cannot be read: {error.strerror}, wanted a file") from None
    with os.fdopen(fd, encoding="utf-8", errors="replace") as file:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_FILE:
            raise TokenError(f"{path} is no file of tokens or of a key")
        if status.st_mode & 0o077:
            mode = stat.S_IMODE(status.st_mode)
            raise TokenError(
                f"{path} has mode {mode:04o}, wanted 0600: others must not read it (chmod 600 {path})"
            )
        return file.read()
