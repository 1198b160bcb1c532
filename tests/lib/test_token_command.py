"""`speeddata token`."""

import json

import pytest
from system import speeddata

from speeddata.access import Access


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


def test_a_token_is_made_used_and_revoked(data):
    made = speeddata("token", "create", "roof", "--role", "write", f"--data={data}")
    assert made.returncode == 0, made.stderr
    token = made.stdout.strip()
    assert "told this once" in made.stderr
    gate = Access(data / "tokens.json")
    assert gate.who(f"Bearer {token}", None).role == "write"
    listed = json.loads(speeddata("token", "list", "--json", f"--data={data}").stdout)["tokens"]
    assert [(one["name"], one["role"], set(one)) for one in listed] == [
        ("roof", "write", {"name", "role", "created_at"})
    ]
    assert "roof" in speeddata("token", "list", f"--data={data}").stdout
    assert speeddata("token", "revoke", "roof", f"--data={data}").returncode == 0
    assert gate.who(f"Bearer {token}", None) is None
    again = speeddata("token", "revoke", "roof", f"--data={data}")
    assert (again.returncode, again.stdout) == (1, "")
    assert "wanted that of a token" in again.stderr


def test_what_cannot_be_is_said(data):
    refused = speeddata("token", "create", "a b", "--role", "read", f"--data={data}")
    assert refused.returncode == 1
    assert "name is 'a b', wanted" in refused.stderr
    assert speeddata("token", "create", "a", "--role", "king", f"--data={data}").returncode == 2
    told = json.loads(speeddata("token", "create", "a", "--role", "admin", "--json", f"--data={data}").stdout)
    assert set(told) == {"name", "role", "token"}
