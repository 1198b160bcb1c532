"""A keeper, and a channel that it may be asked to start."""

import pytest
from line import make_spec
from ports import free_port

from speeddata.relay.client import KeeperClient


@pytest.fixture
def keeper(tmp_path):
    client = KeeperClient(tmp_path / "data")
    client.start_keeper()
    yield client
    if client.ping():
        client.shutdown()


@pytest.fixture
def spec(tmp_path):
    return make_spec(tmp_path, port=free_port())
