"""Which role a request to the registration API takes: pure."""

import re

__all__ = ["needed_role"]

READING = ("GET", "HEAD", "OPTIONS")
# What may be asked for without a token: nothing of it tells of data.
OPEN = re.compile(
    r"/healthz|/readyz|/favicon\.ico|/login|/openapi\.json|/api/v1/log(in|out)|/static/.*", re.DOTALL
)
ASKING = re.compile(
    r"/api/v1/channels/(specs|validate|[^/]+/validate-schema)"
)  # by POST, for what it asks is long
# A device may register itself, renew its lease and bring another version of its schema; what ends or changes recordings takes more.
WRITING = re.compile(
    r"/api/v1/(channels(/batch|/[^/]+/(schemas|renew))?|tags(/[^/]+)?|alarms/acknowledge)", re.DOTALL
)


def needed_role(method: str, path: str) -> str | None:
    """`read`, `write` or `admin`; None where nobody is asked."""
    if OPEN.fullmatch(path):
        return None
    if method in READING or ASKING.fullmatch(path):
        return "read"
    if WRITING.fullmatch(path) and (method == "POST" or path.startswith("/api/v1/tags")):
        return "write"
    return "admin"
