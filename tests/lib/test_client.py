import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
import segments as made

from speeddata import SpeedDataClient
from speeddata.errors import SchemaError

CHANNELS = [
    {"name": "example", "port": 26000, "status": "active"},
    {"name": "idle", "port": 26001, "status": "registered"},
]


class Registry(BaseHTTPRequestHandler):
    """Answers as the registration API does."""

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def find(self):
        name = self.path.rpartition("/")[2]
        return next((channel for channel in CHANNELS if channel["name"] == name), None)

    def do_GET(self):
        path, _, query = self.path.partition("?")
        if path == "/api/v1/channels":
            wanted = query.removeprefix("status=")
            self.answer(200, {"channels": [c for c in CHANNELS if not wanted or c["status"] == wanted]})
        elif path == "/api/v1/channels/broken":
            self.answer(500, {"error": "out of order"})
        elif channel := self.find():
            self.answer(200, channel)
        else:
            self.answer(404, {"error": "Channel not found", "name": "x"})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if body["name"] == "example":
            self.answer(409, {"error": "Channel name already registered", "name": "example"})
        else:
            self.answer(201, {"status": "success", **body})

    def do_DELETE(self):
        channel = self.find()
        self.answer(
            200 if channel else 404, {"status": "success"} if channel else {"error": "Channel not found"}
        )

    def log_message(self, *_):
        pass


@pytest.fixture
def client():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    client = SpeedDataClient(f"http://127.0.0.1:{server.server_port}/api/v1/")
    yield client
    client.close()
    server.shutdown()
    thread.join()
    server.server_close()


def test_defaults():
    client = SpeedDataClient()
    assert client.base_url == "http://localhost:8080/api/v1"
    assert isinstance(client.session, requests.Session)
    assert "Usage:" in SpeedDataClient.__doc__


def test_channels(client):
    assert [channel["name"] for channel in client.list_channels()] == ["example", "idle"]
    assert [channel["name"] for channel in client.list_channels(status="active")] == ["example"]
    assert client.get_channel("example")["port"] == 26000
    assert client.get_channel("nosuch") is None
    with pytest.raises(requests.HTTPError, match="500 out of order"):
        client.get_channel("broken")


def test_registering(client):
    assert client.register_channel("engine", 26010, "engine.avsc", {"decimation": 5}) == {
        "status": "success", "name": "engine", "port": 26010, "schema": "engine.avsc", "config": {"decimation": 5}
    }  # fmt: skip
    assert "config" not in client.register_channel("engine", 26010, "engine.avsc")
    with pytest.raises(requests.HTTPError, match="409 Channel name already registered") as caught:
        client.register_channel("example", 26000, "x")
    assert caught.value.response.status_code == 409
    assert client.deregister_channel("example") is True
    assert client.deregister_channel("nosuch") is False


def test_upload_schema_reads_a_local_file(tmp_path):
    path = tmp_path / "engine.avsc"
    path.write_text(json.dumps(made.SCHEMA))
    told = SpeedDataClient().upload_schema("engine", path)
    assert told["schema"] == made.SCHEMA
    assert (told["name"], told["record"], told["time_unit"]) == ("engine", "speeddata.example.data", "ns")
    assert told["signals"] == ["time", "counter", "voltage", "message"]
    path.write_text("{")
    with pytest.raises(json.JSONDecodeError):
        SpeedDataClient().upload_schema("engine", path)
    path.write_text("{}")
    with pytest.raises(SchemaError):
        SpeedDataClient().upload_schema("engine", path)
    with pytest.raises(FileNotFoundError):
        SpeedDataClient().upload_schema("engine", tmp_path / "nosuch")
