import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from hub_bench import bench, browser
from websockets.protocol import State

from speeddata.stripchart.fanout import send


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65535, 65536, 200_000])
def test_all_get_the_message_as_it_is(length: int) -> None:
    async def run() -> None:
        async with bench() as made, browser(made) as one, browser(made) as other:
            for it in (one, other):
                await it.read(lambda it=it: it.last("status"))
            connections = [client.connection for client in made.hub.clients]
            messages: list[str | bytes] = ["ü" * (length // 2), bytes(length)]
            for message in messages:
                size = send(connections, message)
                assert length <= size + 1 <= length + 11
            for it in (one, other):
                assert [await it.connection.recv() for _ in messages] == messages

    asyncio.run(run())


def test_who_is_closing_gets_nothing() -> None:
    written: list[bytes] = []
    transport = SimpleNamespace(write=written.append)
    connections: Any = [SimpleNamespace(state=state, transport=transport) for state in State]
    send(connections, b"x")
    assert written == [b"\x82\x01x"]
