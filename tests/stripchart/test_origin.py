import pytest

from speeddata.stripchart.origin import is_allowed, is_loopback


@pytest.mark.parametrize(
    ("origin", "host", "on_loopback", "allowed"),
    [
        (None, "127.0.0.1:8081", True, True),
        (None, "bench:8081", False, True),
        ("null", "127.0.0.1:8081", True, True),
        ("null", "bench:8081", False, False),
        ("http://localhost:8080", "127.0.0.1:8081", True, True),
        ("http://127.0.0.1:8080", "localhost:8081", True, True),
        ("http://[::1]:8080", "[::1]:8081", True, True),
        ("https://evil.example", "127.0.0.1:8081", True, False),
        ("http://evil.example:8081", "evil.example:8081", True, False),  # a name that resolves to 127.0.0.1
        ("http://localhost.evil.example", "127.0.0.1:8081", True, False),
        ("http://bench:8080", "bench:8081", False, True),
        ("http://BENCH:8080", "bench:8081", False, True),
        ("http://evil.example", "bench:8081", False, False),
        ("http://bench.evil.example", "bench:8081", False, False),
        ("", "bench:8081", False, False),
        ("http://[", "bench:8081", False, False),
        ("http://bench", None, False, False),
    ],
)
def test_which_pages_may_connect(
    origin: str | None, host: str | None, on_loopback: bool, allowed: bool
) -> None:
    assert is_allowed(origin, host, on_loopback) is allowed


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("bench", False),
    ],
)
def test_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
