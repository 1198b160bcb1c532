"""Files of tokens: private, whole, digests alone."""

import json
import os
import threading

import pytest

from speeddata.errors import TokenError
from speeddata.tokens import TokenFile, Tokens, digest, read_private


@pytest.fixture
def file(tmp_path):
    return TokenFile(tmp_path / "tokens.json")


def test_there_is_none_at_first(file):
    assert file.read() == Tokens()


def test_a_token_is_told_once_and_kept_as_digest(file):
    made = file.add("roof", "write")
    assert len(made) >= 43
    assert made not in file.path.read_text()
    assert file.path.stat().st_mode & 0o777 == 0o600
    (known,) = file.read().known
    assert (known.name, known.role, known.sha256) == ("roof", "write", digest(made))
    assert file.add("pump", "read") != made
    assert [one.name for one in file.read().known] == ["roof", "pump"]


def test_the_key_of_sessions_stays(file):
    file.add("a", "read")
    key = file.read().key
    assert len(key) == 64
    file.add("b", "read")
    file.remove("a")
    assert file.read().key == key


def test_a_token_is_revoked(file):
    file.add("roof", "write")
    assert file.remove("roof")
    assert not file.remove("roof")
    assert file.read().known == ()


@pytest.mark.parametrize(
    ("name", "role", "told"),
    [
        ("", "read", "name"),
        ("../x", "read", "name"),
        ("a b", "read", "name"),
        ("a", "root", "read, write, admin"),
    ],
)
def test_what_cannot_be_is_refused(file, name, role, told):
    with pytest.raises(TokenError, match=told):
        file.add(name, role)
    assert not file.path.exists()


def test_a_name_is_given_once(file):
    file.add("roof", "read")
    with pytest.raises(TokenError, match="revoke roof"):
        file.add("roof", "admin")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o620])
def test_fault_87_a_file_that_others_can_read_is_refused(file, mode):
    file.add("roof", "read")
    file.path.chmod(mode)
    with pytest.raises(TokenError, match=f"mode 0{mode:o}.*0600.*chmod 600"):
        file.read()


def test_a_link_or_a_pipe_is_no_file_of_tokens(file, tmp_path):
    (tmp_path / "other").write_text("{}")
    file.path.symlink_to(tmp_path / "other")
    with pytest.raises(TokenError, match="cannot be read"):
        file.read()
    file.path.unlink()
    os.mkfifo(file.path, 0o600)
    with pytest.raises(TokenError, match="is no file"):
        file.read()


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "[" * 100_000, '{"key": "", "tokens": []}', '{"key": "00", "tokens": [{"name": "a"}]}',
     json.dumps({"key": "0" * 64, "tokens": [{"name": "a", "role": "king", "sha256": "0" * 64, "created_at": ""}]}),
     json.dumps({"key": "0" * 64, "tokens": [{"name": "a", "role": "read", "sha256": "x", "created_at": ""}]})],
)  # fmt: skip
def test_anything_else_is_refused(file, text):
    file.path.write_text(text)
    file.path.chmod(0o600)
    with pytest.raises(TokenError, match="no file of tokens"):
        file.read()


def test_many_at_once_lose_none(file):
    threads = [threading.Thread(target=file.add, args=(f"t{n}", "read")) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {one.name for one in file.read().known} == {f"t{n}" for n in range(12)}


def test_a_private_text_is_read(tmp_path):
    path = tmp_path / "own"
    path.write_text("x\n")
    path.chmod(0o600)
    assert read_private(path) == "x\n"
    with pytest.raises(FileNotFoundError):
        read_private(tmp_path / "none")
