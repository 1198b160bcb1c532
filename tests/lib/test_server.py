import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from click.testing import CliRunner

from speeddata.cli import commands

AWAY = {"error": "\x1b]0;title\x07no", "details": "\x1b[2Jcleared"}
COMMANDS = [
    ["status"], ["status", "--json"], ["channels"], ["channels", "x"], ["deregister", "x", "--yes"], ["restart", "x"],
    ["reload"], ["tag", "list"], ["tag", "show", "x"], ["tag", "delete", "1"], ["tail", "x", "--records", "1"],
    ["send", "x"], ["sql", "select 1"],
]  # fmt: skip


@pytest.fixture
def stranger():
    """A server that is none of ours: it answers all alike, by what is set as `told`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, body = self.server.told
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_DELETE = do_GET

        def log_message(self, *_):
            pass

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize(
    "body", [b"[]", b"null", b"{}", b"[" * 100_000, b'{"channels": null, "tags": [1]}', b"<html>"],
    ids=["list", "null", "empty", "deep", "other", "html"],
)  # fmt: skip
def test_another_kind_of_server_is_told_in_words(stranger, command, body):
    stranger.told = 200, body
    done = CliRunner().invoke(commands, [*command, "--url", f"http://127.0.0.1:{stranger.server_port}"])
    assert done.exit_code == 1, done.output
    assert isinstance(done.exception, SystemExit), repr(done.exception)
    assert "of SpeedData" in done.stderr or "knows no" in done.stderr


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_what_a_server_says_does_nothing_to_the_terminal(stranger, command):
    stranger.told = 400, json.dumps(AWAY).encode()
    url = f"http://127.0.0.1:{stranger.server_port}"
    done = CliRunner().invoke(commands, [*command, "--url", url], color=True)
    assert done.exit_code == 1
    assert "\\x1b]0;title\\x07no" in done.stderr
    assert not set("\x1b\x07") & set(done.output)
