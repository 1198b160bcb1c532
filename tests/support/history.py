"""The history service in a process of its own, and a registry that tells it channels."""

import contextlib
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from stub_server import StubServer

LIMIT_S = 30
COMMAND = (sys.executable, "-P", "-m", "speeddata.pivot")
NO_REGISTRY = "http://127.0.0.1:9"


class Service:
    """A running history service."""

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self.process = process
        self.address = address
        self.lines: list[str] = []  # of its log, after the one that tells the address

    def follow(self) -> None:
        self.lines += self.process.stderr or ()


@contextlib.contextmanager
def running(archive: Path, *options: str, registry: str = NO_REGISTRY) -> Iterator[Service]:
    """Start the service on a free port; end it by SIGTERM, which must be with exit code 0."""
    command = [*COMMAND, "--archive", str(archive), "--port", "0", "--registry", registry, *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        address = re.search(r"http://\S+", line)
        assert address, f"wanted the address, got {line!r}"
        service = Service(process, address[0])
        follower = threading.Thread(target=service.follow)
        follower.start()
        yield service
        process.terminate()
        assert process.wait(LIMIT_S) == 0
    finally:
        process.kill()
        process.wait(LIMIT_S)
        follower.join(LIMIT_S)
        process.stderr.close()


@contextlib.contextmanager
def registry(names: list[str], tags: Sequence[Mapping[str, object]] = ()) -> Iterator[str]:
    """Serve these channels and tags as the registration API lists them; `names` may change meanwhile."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            channels = [{"name": name, "port": 26000 + n} for n, name in enumerate(names)]
            body = json.dumps({"channels": channels, "tags": list(tags)}).encode()
            specs = {f"/api/v1/channels/{name}/spec" for name in names}
            known = {"/api/v1/channels", "/api/v1/tags", *specs}
            self.send_response(200 if self.path in known else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = StubServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
