import os
import socket
import stat
import threading

import pytest
from beside import beside

from speeddata.relay.unix_socket import listen, socket_address

NAME = "here.sock"


@pytest.fixture
def folder(tmp_path):
    descriptor = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield descriptor
    os.close(descriptor)


def test_who_finds_it_is_not_refused(folder):
    said = []

    def knock(stop: threading.Event) -> None:
        while not stop.is_set():
            with socket.socket(socket.AF_UNIX) as client:
                try:
                    client.connect(socket_address(folder, NAME))
                except OSError as error:
                    said.append(type(error))

    first = listen(folder, NAME, 10_000)
    listeners = [first]
    with beside(knock):
        for _ in range(500):  # each in the place of one that still listens
            listeners.append(listen(folder, NAME, 10_000))
    for listener in listeners:
        listener.close()
    assert said == []


def test_it_is_for_this_user_alone_and_leaves_nothing_else(folder, tmp_path):
    (tmp_path / f".{NAME}.new").touch()  # left by one that was killed meanwhile
    with listen(folder, NAME, 1):
        assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
