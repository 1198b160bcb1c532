"""The whole system with channels that have no port: registered, fed by the socket, kept in order, restarted, ended."""

from pathlib import Path
from typing import Any

import pytest
from house import House, left, passed
from line import wait_until
from store_client import NUMBERED, StoreClient, StoreProcess, numbers, part
from system import System, speeddata

from speeddata.index import Seal, index_path, seal_of


def test_what_is_ingested_is_shown_kept_and_outlives_a_restart(tmp_path: Path) -> None:
    system = System(tmp_path / "data", "--only=relay")
    try:
        system.start()
        answer = system.ask("POST", "/api/v1/channels", {"name": "x", "port": None, "schema": NUMBERED})
        assert (answer[0], answer[1]["pid"]) == (201, None)
        path = system.data / "run" / "ingest.sock"
        wait_until(path.exists, "the shared relay")

        def append(first: int) -> dict[str, Any]:
            with StoreClient(path) as client:
                client.ask({"op": "open", "spec": system.get("/channels/x/spec")})
                return client.append([part("x", first, 10)], key=str(first), durability="block")

        assert append(0)["ok"]
        wait_until(lambda: (system.get("/channels/x")["ingested"] or {}).get("records") == 10, "the counters")
        assert system.get("/status")["channels"] == {"count": 1, "states": {"ingest": 1}}
        first = {one["name"]: one["pid"] for one in system.get("/status")["services"]}["ingest"]
        done = speeddata("restart", f"--data={system.data}")
        assert "began anew" in done.stdout, done.stderr

        def is_new() -> bool:
            now = {one["name"]: one["pid"] for one in system.get("/status")["services"]}.get("ingest")
            return now not in (None, first) and path.exists()

        wait_until(is_new, "another shared relay")
        assert append(0)["repeated"]
        assert append(10)["repeated"] is False
        assert system.end() == 0
    finally:
        system.stop()
    assert numbers(system.data / "archive" / "x") == [*range(20)]


@pytest.mark.parametrize("away", [False, True])
def test_segments_that_it_works_on_are_left_alone(tmp_path: Path, away: bool) -> None:
    house = House(tmp_path, retention__max_segments=1)
    with StoreProcess(house.data.path) as store, store.open("a") as client:
        assert client.append([part("a", 0, 10)], durability="block")["ok"]
        assert client.ask({"op": "seal", "channel": "a"})["ok"]
        assert client.append([part("a", 10, 10)], durability="block")["ok"]
        assert client.append([part("b", 10, 10)], durability="block")["unknown"] == ["b"]
        if away:
            store.end(9)
        done, open_one = left(house)
        keeper = passed(house, 10**6)
        assert [one.name for one in left(house)] == [open_one.name]
        assert keeper.ingest.segments() == {open_one.name}
        assert not done.exists()
        if not away:
            assert client.ask({"op": "seal", "channel": "a"})["ok"]
            assert client.append([part("a", 20, 10)])["ok"]
            house.close()
            return
        store.start()
    assert numbers(house.archive / "a") == [*range(10, 20)]
    house.close()


def test_what_it_has_ended_is_sealed_and_its_small_blocks_are_put_together(tmp_path: Path) -> None:
    house = House(tmp_path)
    with StoreProcess(house.data.path) as store, store.open("a") as client:
        for first in range(100):
            assert client.append([part("a", first, 1)])["ok"]
        keeper = house.keeper()
        keeper.start()
        assert client.ask({"op": "seal", "channel": "a"})["ok"]
        (path,) = left(house)
        wait_until(lambda: seal_of(index_path(path).read_bytes()) is Seal.VERIFIED, "the sealing")
        assert index_path(path).stat().st_size == 64 + 64
        keeper.stop()
    assert numbers(house.archive / "a") == [*range(100)]
    house.close()
