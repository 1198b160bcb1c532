import socket

import pytest

from speeddata.host_names import Guard, answered_names, host_of, may_read


@pytest.mark.parametrize(
    ("header", "host", "admitted"),
    [
        ("localhost:8080", "localhost", True),
        ("LOCALHOST.", "localhost.", True),
        ("x.localhost", "x.localhost", True),
        ("127.0.0.1:8000", "127.0.0.1", True),
        ("192.0.2.7", "192.0.2.7", True),
        ("[::1]:8080", "::1", True),
        ("Bench.example.org:1", "bench.example.org", True),
        ("evil.example:8080", "evil.example", False),
        ("localhost.evil.example", "localhost.evil.example", False),
        ("127.0.0.1.nip.io", "127.0.0.1.nip.io", False),
        ("a b", "a b", False),
        ("[::1", "", False),
        ("[::1]", "::1", True),
        ("LocalHost:08080", "localhost", True),
        ("localhost:", "localhost", True),
        ("[::1].evil.example", "", False),
        ("[::1].evil.example:80", "", False),
        ("evil.example@127.0.0.1", "", False),
        ("127.0.0.1@evil.example", "", False),
        ("localhost/evil", "", False),
        ("localhost:x", "", False),
        ("", "", False),
    ],
)
def test_only_our_own_names_are_admitted(header: str, host: str, admitted: bool) -> None:
    assert host_of(header) == host
    assert Guard(["bench.example.org"]).admits(host) is admitted


def test_the_machines_name_is_answered_to_where_others_can_reach_it() -> None:
    own = socket.gethostname().lower()
    assert answered_names(["bench"], "127.0.0.1") == ["bench"]
    assert answered_names(["bench"], "0.0.0.0") == ["bench", own, f"{own}.local"]


@pytest.mark.parametrize(
    ("origin", "host", "may"),
    [
        ("null", "localhost", True),
        ("http://localhost:3000", "::1", True),
        ("http://x.localhost.", "127.0.0.1", True),
        ("https://evil.example", "localhost", False),
        ("http://bench:3000", "bench", True),
        ("http://bench.", "bench", True),
        ("http://other", "bench", False),
        ("null", "bench", False),
        ("http://[", "localhost", False),
        ("http://[::1].evil.example", "localhost", False),
        ("http://evil.example@localhost", "localhost", False),
        ("localhost", "localhost", False),
        ("", "", False),
    ],
)
def test_pages_that_may_read(origin: str, host: str, may: bool) -> None:
    assert may_read(origin, host) is may
