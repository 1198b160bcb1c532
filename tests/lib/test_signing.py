"""Keys in files that their owner alone can read, and signed packets as docs/wire-format.md has them."""

import hashlib
import hmac
import os
import struct
import time
from pathlib import Path

import pytest

from speeddata.errors import TokenError
from speeddata.signing import Signer, key_id, make_key, read_key, read_keys, without_trailer

KEY = bytes(range(32))
WIRE_FORMAT = Path(__file__).parents[2] / "docs" / "wire-format.md"


def test_the_test_vector_of_the_document():
    text = WIRE_FORMAT.read_text()
    packet = bytes.fromhex("80a0d8b5d8dfc0de2f")
    signed = Signer("engine", KEY, 0).sign(packet)
    for part in (packet, KEY, signed[9:13], signed[13:17], signed[17:25], signed[25:]):
        assert f"`{part.hex()}`" in text
    assert signed[17:25] == struct.pack("<Q", 1)


def test_a_signed_packet_by_the_standard_library_alone():
    """The example of the document, run as it stands there."""
    example = WIRE_FORMAT.read_text().partition("```python\n")[2].partition("```")[0]
    made: dict[str, object] = {}
    exec(example, made)  # noqa: S102 - of our own document
    sign = made["sign"]
    assert callable(sign)
    first, second = (sign(b"records", "engine", KEY) for _ in range(2))
    for signed in (first, second):
        counter = struct.unpack("<Q", signed[15:23])[0]
        assert signed == Signer("engine", KEY, counter - 1).sign(b"records")
    assert struct.unpack("<Q", second[15:23]) > struct.unpack("<Q", first[15:23])


def test_numbers_begin_above_those_of_a_former_life():
    before = time.time_ns()
    signer = Signer("engine", KEY)
    first, second = (struct.unpack("<Q", signer.sign(b"")[8:16])[0] for _ in range(2))
    assert before < first < second == first + 1


def test_another_channel_has_another_tag():
    assert Signer("a", KEY, 0).sign(b"x")[-16:] != Signer("b", KEY, 0).sign(b"x")[-16:]
    whole = hmac.new(KEY, b"a".ljust(64, b"\0") + Signer("a", KEY, 0).sign(b"x")[:-16], "sha256").digest()
    assert Signer("a", KEY, 0).sign(b"x")[-16:] == whole[:16]


def test_a_key_is_made_once_and_for_its_owner_alone(tmp_path):
    path = make_key(tmp_path / "keys", "roof")
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    key = read_key(path)
    assert len(key) == 32
    assert key_id(key) == hashlib.sha256(key).digest()[:4]
    assert Signer.from_file("engine", path).sign(b"x")[5:9] == key_id(key)
    with pytest.raises(TokenError, match="name is 'roof', wanted one that no key has"):
        make_key(tmp_path / "keys", "roof")
    assert read_key(path) == key
    assert [one.name for one in path.parent.iterdir()] == ["roof.key"]
    for name in ("", "../roof", "a/b", ".roof", "x" * 65):
        with pytest.raises(TokenError, match="wanted 1 to 64 letters"):
            make_key(tmp_path / "keys", name)


def test_files_that_are_refused(tmp_path):
    path = make_key(tmp_path, "roof")
    with pytest.raises(
        TokenError, match=r"none\.key: no such file, wanted one that `speeddata key create none`"
    ):
        read_key(tmp_path / "none.key")
    path.chmod(0o640)
    with pytest.raises(TokenError, match="mode 0640, wanted 0600"):
        read_key(path)
    path.chmod(0o600)
    (tmp_path / "link.key").symlink_to(path)
    with pytest.raises(TokenError, match="cannot be read"):
        read_key(tmp_path / "link.key")
    os.mkfifo(tmp_path / "pipe.key", 0o600)
    with pytest.raises(TokenError, match="is no file"):
        read_key(tmp_path / "pipe.key")
    for text in ("", "00" * 31, "zz" * 32):
        path.write_text(text)
        with pytest.raises(TokenError, match="is no key, wanted 64 hex digits"):
            read_key(path)


def test_without_its_trailer_a_packet_is_its_records():
    assert without_trailer(Signer("engine", KEY).sign(b"records")) == b"records"
    assert without_trailer(b"records") == b"records"


def test_keys_of_a_channel_are_told_apart_by_their_ids(tmp_path):
    paths = [make_key(tmp_path, name) for name in ("a", "b")]
    assert read_keys(paths) == {key_id(read_key(path)): read_key(path) for path in paths}
    assert len(read_keys([*paths, *paths])) == 2
