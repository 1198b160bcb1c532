"""Fault 40: data folders of earlier versions, which are kept in `golden/`, are read for ever. See support/golden_folder.py."""

import base64
import json
import shutil
from pathlib import Path

import history
import pytest
import requests
from golden_folder import CODECS, PER_VERSION, sample
from system import speeddata

from speeddata.registry.store import open_store
from speeddata.registry.tags import Tags
from speeddata.rollup_file import RollupFile

FOLDERS = sorted(Path(__file__).with_name("golden").iterdir())
COUNT = 2 * PER_VERSION


@pytest.fixture(params=FOLDERS, ids=lambda path: path.name)
def folder(request, tmp_path):
    """A copy, which may be brought up to date."""
    return Path(shutil.copytree(request.param, tmp_path / "data"))


def test_fault_40_every_record_of_every_codec_reads_as_it_was_sent(folder):
    for name in CODECS:
        done = speeddata("cat", *map(str, sorted((folder / "archive" / name).glob("*.avro"))))
        assert (done.returncode, done.stderr) == (0, "")
        wanted = [
            {**sample(n), "raw": {"base64": base64.b64encode(sample(n)["raw"]).decode()}}
            for n in range(COUNT)
        ]
        for record in wanted[:PER_VERSION]:
            del record["more"]
        assert [json.loads(line) for line in done.stdout.splitlines()] == wanted, name


def test_fault_40_every_file_is_whole_with_its_index_and_rollup(folder):
    done = speeddata("verify", "--json", str(folder / "archive"))
    files = json.loads(done.stdout)["files"]
    assert done.returncode == 0
    assert [(one["state"], one["index"]) for one in files] == [("whole", {"present": True, "faults": []})] * 7
    for path in sorted(folder.glob("archive/*/*.rollup")):
        assert "value" in RollupFile.open(path.with_suffix(".avro")).signals


def test_fault_40_the_history_has_all_of_it(folder):
    with history.running(folder / "archive") as service:
        query = {"start": "2026-01-01", "duration": "PT10S", "every": "10s", "aggregates": "count,max"}
        for name in (*CODECS, "posted"):
            answer = requests.get(
                f"{service.address}/api/v1/query",
                {"channels": name, **query, "signals": f"{name}.value"},
                timeout=30,
            )
            assert answer.status_code == 200, answer.text
            (series,) = answer.json()["series"]
            assert series["columns"] == {"value.count": [COUNT], "value.max": [(COUNT - 1) / 2]}


def test_fault_40_the_registry_is_brought_up_to_date(folder):
    store = open_store(folder / "registry.db")
    try:
        assert sorted(one.name for one in store.channels()) == sorted((*CODECS, "posted"))
        (tag,) = Tags(store).list()
        assert (tag.name, tag.note) == ("run 1", "kept")
        store.copy()
    finally:
        store.close()
