"""Signed packets on the sender's side, and the keys they are signed by: files below `keys/` of a data folder.

A key is 32 random bytes, one sender's own, in a file that its owner alone can read. What a signed packet is made of tells
docs/wire-format.md; the relay checks it in relay/signature.pyx.
"""

import hashlib
import hmac
import os
import re
import secrets
import struct
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from speeddata.durable import sync_folder
from speeddata.errors import TokenError
from speeddata.tokens import read_private

__all__ = [
    "KEYS",
    "KEY_NAME",
    "Signer",
    "key_file",
    "key_id",
    "make_key",
    "read_key",
    "read_keys",
    "without_trailer",
]

KEYS = "keys"  # in a data folder
KEY_NAME = re.compile(r"(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
NAME_WANTED = "1 to 64 letters, digits, _ . -, a letter or digit first, no '..'"
KEY_BYTES = 32
MAGIC = b"SDS1"
TAG_BYTES = 16
NAME_BYTES = 64  # the channel's name is filled up to a block of the hash
COUNTER = struct.Struct("<Q")
TRAILER_BYTES = 32


class Signer:
    """Signs the packets of one sender for one channel. `counter` is the number of its last packet; without it numbers
    begin at the nanoseconds since 1970, and so above those of any former life of the sender."""

    def __init__(self, channel: str, key: bytes, counter: int | None = None) -> None:
        self._start = hmac.new(key, channel.encode().ljust(NAME_BYTES, b"\0"), "sha256")
        self._head = MAGIC + key_id(key)
        self.counter = time.time_ns() if counter is None else counter

    @classmethod
    def from_file(cls, channel: str, path: Path | str) -> Self:
        """One with the key in a file that `speeddata key create` made; TokenError for any other."""
        return cls(channel, read_key(Path(path)))

    def sign(self, packet: bytes) -> bytes:
        """The packet with its trailer."""
        self.counter += 1
        body = packet + self._head + COUNTER.pack(self.counter)
        tag = self._start.copy()
        tag.update(body)
        return body + tag.digest()[:TAG_BYTES]


def without_trailer(packet: bytes) -> bytes:
    """The records of a packet of a signed channel's stream at full rate; what came by HTTP has no trailer there."""
    return packet[:-TRAILER_BYTES] if packet[-TRAILER_BYTES:].startswith(MAGIC) else packet


def key_id(key: bytes) -> bytes:
    """What tells a key from others in a packet, and not what it is."""
    return hashlib.sha256(key).digest()[:4]


def key_file(folder: Path, name: str) -> Path:
    """Where the key of a name is in a folder of keys; TokenError for a name that none can have."""
    if not KEY_NAME.fullmatch(name):
        raise TokenError(f"name is {name!r}, wanted {NAME_WANTED}")
    return folder / f"{name}.key"


def make_key(folder: Path, name: str) -> Path:
    """Make a key, on the disk; its file. TokenError for a name that cannot be, or is taken."""
    path = key_file(folder, name)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = folder / f".{name}.{secrets.token_hex(8)}"
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(fd, "w", encoding="ascii") as file:
            file.write(f"{secrets.token_hex(KEY_BYTES)}\n")
            file.flush()
            os.fsync(fd)
        os.link(part, path)  # unlike a rename it takes no other's place
    except FileExistsError:
        raise TokenError(f"name is {name!r}, wanted one that no key has: {path} is there") from None
    finally:
        part.unlink()
    sync_folder(folder)
    return path


def read_key(path: Path) -> bytes:
    """The key in a file; TokenError where it has none, or others can read it."""
    try:
        text = read_private(path)
    except FileNotFoundError:
        raise TokenError(
            f"{path}: no such file, wanted one that `speeddata key create {path.stem}` made"
        ) from None
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise TokenError(f"{path} is no key, wanted {2 * KEY_BYTES} hex digits")
    return key


def read_keys(paths: Sequence[Path | str]) -> dict[bytes, bytes]:
    """The keys in some files, by their ids; TokenError where one cannot be read, or two have one id."""
    found: dict[bytes, bytes] = {}
    for path in paths:
        key = read_key(Path(path))
        if found.get(key_id(key), key) != key:
            raise TokenError(f"{path} has the id of another key of the channel, wanted a new one")
        found[key_id(key)] = key
    return found
