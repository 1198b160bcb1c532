"""Who asks: tokens, sessions, roles."""

import hmac
import inspect
import logging

import pytest

from speeddata import access
from speeddata.access import COOKIE, SESSION_S, Access, Grant, bearer
from speeddata.errors import TokenError
from speeddata.tokens import TokenFile


@pytest.fixture
def file(tmp_path):
    return TokenFile(tmp_path / "tokens.json")


@pytest.fixture
def tokens(file):
    return {role: file.add(f"my-{role}", role) for role in ("read", "write", "admin")}


@pytest.fixture
def gate(file, tokens, tmp_path):
    assert tokens
    own = tmp_path / "own"
    own.write_text("the-services-own-token\n")
    own.chmod(0o600)
    return Access(file.path, own)


def test_without_a_file_nobody_is_asked():
    open_gate = Access()
    assert not open_gate.required
    assert open_gate.refuse("admin", None, None) is None
    assert open_gate.refuse("admin", "Bearer rubbish", None) is None


@pytest.mark.parametrize("role", ["read", "write", "admin"])
def test_a_role_may_what_those_before_it_may(gate, tokens, role):
    roles = ["read", "write", "admin"]
    for wanted in roles:
        refusal = gate.refuse(wanted, f"Bearer {tokens[role]}", None)
        if roles.index(role) >= roles.index(wanted):
            assert refusal is None
        else:
            assert refusal.status == 403
            assert (
                refusal.body["details"] == f"wanted a token of role {wanted}; 'my-{role}' has the role {role}"
            )
            assert "WWW-Authenticate" not in refusal.headers


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "Basic {}", "{}", "Bearer {}x", "bearer  wrong", "Bearer " + "x" * 5000],
)
def test_fault_87_what_is_no_token_in_force_is_refused(gate, tokens, header):
    refusal = gate.refuse("read", header and header.format(tokens["read"]), None)
    assert refusal.status == 401
    assert refusal.headers == {"WWW-Authenticate": "Bearer"}
    assert refusal.body["field"] == "Authorization"
    assert tokens["read"] not in str(refusal.body)


def test_the_scheme_is_read_in_any_case(gate, tokens):
    assert gate.who(f"bearer {tokens['read']}", None) == Grant("my-read", "read")


def test_the_services_own_token_may_everything(gate):
    assert gate.who("Bearer the-services-own-token", None) == Grant("speeddata", "admin")


def test_a_session_is_known_by_its_cookie(gate, tokens):
    grant, value = gate.log_in(tokens["write"])
    assert grant == Grant("my-write", "write")
    assert gate.who(None, f"a=b; {COOKIE}={value}; c=d") == grant
    assert gate.log_in("wrong") is None
    assert tokens["write"] not in value
    # What a request says itself goes before the cookie.
    assert gate.who("Bearer wrong", f"{COOKIE}={value}") is None


def test_a_session_that_was_made_up_or_changed_is_none(gate, tokens):
    _, value = gate.log_in(tokens["read"])
    for wrong in (
        # The last character but one, as the very last has bits that mean nothing.
        value[:-2] + ("A" if value[-2] != "A" else "B") + value[-1],
        "",
        "a.b.c",
        value.replace(".", "", 1),
        "x" * 5000,
    ):
        assert gate.who(None, f"{COOKIE}={wrong}") is None
    assert gate.who(None, "\x00=;;;") is None


def test_a_session_ends(gate, tokens, monkeypatch):
    _, value = gate.log_in(tokens["read"])
    monkeypatch.setattr(access, "SESSION_S", -1)
    assert gate.who(None, f"{COOKIE}={value}") is None
    assert SESSION_S == 12 * 3600


def test_a_revoked_token_and_its_sessions_are_none(gate, file, tokens):
    _, value = gate.log_in(tokens["read"])
    file.remove("my-read")
    assert gate.who(f"Bearer {tokens['read']}", None) is None
    assert gate.who(None, f"{COOKIE}={value}") is None
    # One of the same name is another.
    file.add("my-read", "admin")
    assert gate.who(None, f"{COOKIE}={value}") is None
    assert gate.who(f"Bearer {tokens['write']}", None) is not None


def test_fault_87_while_others_can_read_the_file_nobody_is_known(gate, file, tokens, caplog):
    file.path.chmod(0o644)
    with caplog.at_level(logging.ERROR):
        assert gate.who(f"Bearer {tokens['admin']}", None) is None
        assert gate.who(f"Bearer {tokens['admin']}", None) is None
    assert sum("0600" in line for line in caplog.messages) == 1
    file.path.chmod(0o600)
    assert gate.who(f"Bearer {tokens['admin']}", None) is not None
    file.path.unlink()
    assert gate.who(f"Bearer {tokens['admin']}", None) is None


def test_fault_87_tokens_are_compared_in_a_time_that_tells_nothing():
    source = inspect.getsource(Access)
    assert source.count("hmac.compare_digest(") == 3
    assert access.hmac is hmac


def test_a_header_of_a_file(tmp_path):
    assert bearer(None) == {}
    path = tmp_path / "token"
    with pytest.raises(TokenError, match="there is no such file"):
        bearer(path)
    path.write_text("abc\n")
    path.chmod(0o600)
    assert bearer(path) == {"Authorization": "Bearer abc"}
    path.chmod(0o644)
    with pytest.raises(TokenError, match="0600"):
        bearer(path)
