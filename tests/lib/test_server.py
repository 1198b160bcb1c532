import json
import threading
from http.server import BaseHTTPRequestHandler

import pytest
from click.testing import CliRunner
from stub_server import StubServer

from speeddata.cli import commands
from speeddata.remote_error import RemoteError
from speeddata.server import words_of

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

    made = StubServer(("127.0.0.1", 0), Handler)
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


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"error": "Port already in use", "port": 8, "details": "8 belongs to a"}, "Port already in use: 8 belongs to a"),
        ({"error": "Failed", "name": "b", "details": "port 8 is in use"}, "Failed (name: b): port 8 is in use"),
        ({"error": "Failed", "port": 8, "details": "port 80 is in use"}, "Failed (port: 8): port 80 is in use"),
        ({"error": "Origin not allowed", "details": "Origin not allowed"}, "Origin not allowed"),
        ({"error": "Missing", "missing": ["a", "b"]}, "Missing (missing: a, b)"),
        ({"error": "Invalid x", "field": "x", "value": 1, "wanted": "a name", "details": "x is 1"}, "Invalid x: x is 1, wanted a name"),
    ],
)  # fmt: skip
def test_a_refusal_says_each_thing_once(told, words):
    assert words_of(RemoteError(409, "", told)) == words


def refused(tmp_path, stranger, text, told):
    stranger.told = 400, json.dumps(told).encode()
    path = tmp_path / "a.avsc"
    path.write_bytes(text)
    url = f"http://127.0.0.1:{stranger.server_port}"
    done = CliRunner().invoke(commands, ["register", "x", "--schema", str(path), "--url", url])
    assert done.exit_code == 1
    return done.stderr.replace(str(path), "FILE")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b'{"type":\n record}', "FILE: line 2, column 2: expecting value"),
        (b"[1]", "FILE: line 1, column 1: no object"),
        (
            b'{"a": "\xe9"}',
            "FILE: 'utf-8' codec can't decode byte 0xe9 in position 7: invalid continuation byte",
        ),
    ],
)
def test_a_file_that_holds_no_schema_is_named_with_the_place(tmp_path, stranger, text, words):
    said = refused(tmp_path, stranger, text, {"error": "not asked"})
    assert said == f"speeddata: {words}, wanted an Avro record schema, a JSON object\n"


def test_a_file_without_end_is_no_schema():
    done = CliRunner().invoke(commands, ["register", "x", "--schema", "/dev/zero"])
    assert done.exit_code == 1
    assert (
        done.stderr
        == "speeddata: /dev/zero: more than 1,048,576 bytes, wanted an Avro record schema, a JSON object\n"
    )


@pytest.mark.parametrize("answer", [{"channels": 5}, {"channels": [1, None]}, {"id": {"a": 1}}])
def test_a_tag_of_another_kind_of_server_is_shown_as_it_is(stranger, answer):
    stranger.told = 200, json.dumps(answer).encode()
    url = f"http://127.0.0.1:{stranger.server_port}"
    done = CliRunner().invoke(commands, ["tag", "add", "x", "--last", "PT5M", "--url", url])
    assert (done.exit_code, done.exception) == (0, None)


def test_a_schema_that_is_refused_is_told_with_its_file(tmp_path, stranger):
    told = {"error": "Invalid schema", "field": "schema: a", "details": "field 'a': unknown type 'nope'"}
    assert refused(tmp_path, stranger, b"{}", told) == f"speeddata: FILE: Invalid schema: {told['details']}\n"
    told = {"error": "Too many channels", "field": None}
    assert refused(tmp_path, stranger, b"{}", told) == "speeddata: Too many channels\n"
