import pytest

from speeddata.registry.roles import needed_role


@pytest.mark.parametrize(
    ("method", "path", "role"),
    [
        ("GET", "/healthz", None),
        ("GET", "/readyz", None),
        ("GET", "/login", None),
        ("POST", "/api/v1/login", None),
        ("POST", "/api/v1/logout", None),
        ("GET", "/static/pages/page.js", None),
        ("GET", "/", "read"),
        ("GET", "/metrics", "read"),
        ("GET", "/pages/mine.html", "read"),
        ("GET", "/api/v1/health", "read"),
        ("GET", "/api/v1/channels", "read"),
        ("HEAD", "/api/v1/channels/x", "read"),
        ("POST", "/api/v1/channels/specs", "read"),
        ("POST", "/api/v1/channels/validate", "read"),
        ("POST", "/api/v1/channels/x/validate-schema", "read"),
        ("POST", "/api/v1/channels", "write"),
        ("POST", "/api/v1/channels/batch", "write"),
        ("POST", "/api/v1/channels/x/schemas", "write"),
        ("POST", "/api/v1/channels/x/renew", "write"),
        ("POST", "/api/v1/tags", "write"),
        ("PATCH", "/api/v1/tags/3", "write"),
        ("DELETE", "/api/v1/tags/3", "write"),
        ("POST", "/api/v1/alarms/acknowledge", "write"),
        ("DELETE", "/api/v1/channels/x", "admin"),
        ("PATCH", "/api/v1/channels/x", "admin"),
        ("POST", "/api/v1/channels/x/restart", "admin"),
        ("PUT", "/api/v1/channels", "admin"),
        ("DELETE", "/api/v1/channels/batch", "admin"),
        ("POST", "/api/v1/anything", "admin"),
        ("POST", "/static", "admin"),
        # What only looks like an open path.
        ("GET", "/staticx", "read"),
        ("GET", "/healthz/", "read"),
        ("GET", "/login\n", "read"),
        ("POST", "/api/v1/login/x", "admin"),
        ("POST", "//static/x", "admin"),
    ],
)
def test_what_a_request_takes(method: str, path: str, role: str | None) -> None:
    assert needed_role(method, path) == role
