"""Asking the shared relay, and what is known where it does not answer."""

from pathlib import Path

import pytest
from store_client import StoreProcess, part, store_spec

from speeddata.errors import RelayError
from speeddata.relay import ingest_client
from speeddata.relay.data_folder import DataFolder
from speeddata.relay.ingest_client import IngestClient


def test_it_tells_counts_and_segments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_client, "FRESH_S", 0.0)
    client = IngestClient(DataFolder(tmp_path))
    assert (client.counts(), client.segments()) == ({}, set())
    with StoreProcess(tmp_path) as store, store.open("x") as other:
        assert other.append([part("x", 0, 10)])["ok"]
        counts = client.counts()["x"]
        assert (counts["records"], counts["archived"], counts["batches"]) == (10, 10, 1)
        assert counts["since"].endswith("Z")
        names = {path.name for path in (store.archive / "x").glob("*.avro")}
        assert client.segments() == names
        store.end(9)
        assert (client.counts(), client.segments()) == ({}, names)
        store.start()
        assert client.segments() == set()
        with store.client() as again:
            assert again.ask({"op": "segments"})["ok"]
        client.forget("x")
    client.forget("x")
    with pytest.raises(RelayError, match="does not answer"):
        client.ask({"op": "stats"})


def test_what_it_refuses_is_an_error(tmp_path: Path) -> None:
    with StoreProcess(tmp_path):
        with pytest.raises(RelayError, match="no such operation"):
            IngestClient(DataFolder(tmp_path)).ask({"op": "dance"})


def test_it_goes_on_with_another_spec(tmp_path: Path) -> None:
    client = IngestClient(DataFolder(tmp_path))
    client.use(store_spec(tmp_path / "archive", "x"))  # nobody is there: no harm
    with StoreProcess(tmp_path) as store, store.open("x") as other:
        assert other.append([part("x", 0, 10)])["ok"]
        client.use(store_spec(store.archive, "x", durability="block"))
        other.append([part("x", 10, 10)])
        told = client.ask({"op": "stats"})
        assert (told["total"]["records"], told["fsyncs"] > 0) == (20, True)
