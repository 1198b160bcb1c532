"""Requests on a Unix socket: answered now or later, and what is no request is refused."""

import json
import os
import selectors
import socket
import threading

import pytest

from speeddata.errors import RelayError
from speeddata.relay.request_server import RequestServer
from speeddata.relay.unix_socket import socket_address


@pytest.fixture
def ask(tmp_path):
    """Asks a server whose handler is below, which runs in a thread."""
    folder = os.open(tmp_path, os.O_RDONLY)
    ended = threading.Event()
    later: list[socket.socket] = []

    def handle(client, request):
        match request["op"]:
            case "add":
                return {"sum": request["a"] + request["b"]}
            case "refuse":
                raise RelayError("no")
            case "wait":
                later.append(client)
                return None
            case _:
                while later:
                    server.answer(later.pop(), {"ok": True, "late": True})
                return {}

    with selectors.DefaultSelector() as selector:
        server = RequestServer(folder, "s.sock", selector, lambda _, action: action(), handle)

        def serve():
            while not ended.is_set():
                for key, _ in selector.select(0.02):
                    function, arguments = key.data
                    function(*arguments)

        thread = threading.Thread(target=serve)
        thread.start()
        clients = []

        def connect():
            client = socket.socket(socket.AF_UNIX)
            client.settimeout(10)
            client.connect(socket_address(folder, "s.sock"))
            clients.append(client)
            return client

        yield connect
        ended.set()
        thread.join()
        for entry in list(selector.get_map().values()):
            entry.fileobj.close()
    for client in clients:
        client.close()
    os.close(folder)


def exchange(client, line):
    client.sendall(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n")
    return json.loads(client.recv(65536))


def test_requests_are_answered_in_turn_on_one_connection(ask):
    client = ask()
    assert exchange(client, {"op": "add", "a": 1, "b": 2}) == {"ok": True, "sum": 3}
    assert exchange(client, {"op": "refuse"}) == {"ok": False, "error": "no"}
    assert exchange(client, {"op": "add", "a": 1, "b": 2}) == {"ok": True, "sum": 3}


@pytest.mark.parametrize("line", [b"nonsense\n", b"[]\n", b"{}\n", b"3\n"])
def test_what_is_no_request_is_refused(ask, line):
    answer = exchange(ask(), line)
    assert not answer["ok"]
    assert answer["error"].startswith("not a request: b")


def test_a_fault_of_the_handler_is_an_answer(ask):
    assert "KeyError('a')" in exchange(ask(), {"op": "add"})["error"]


def test_an_answer_may_come_later(ask):
    waiting, other = ask(), ask()
    waiting.sendall(b'{"op": "wait"}\n')
    while True:
        exchange(other, {"op": "go"})
        waiting.setblocking(False)
        try:
            assert json.loads(waiting.recv(100)) == {"ok": True, "late": True}
            return
        except BlockingIOError:
            continue


def test_a_client_that_hangs_up_or_talks_for_ever_is_dropped(ask):
    ask().close()
    talker = ask()
    with pytest.raises(OSError):
        talker.sendall(bytes(16 << 20))
    assert exchange(ask(), {"op": "add", "a": 1, "b": 1})["sum"] == 2
