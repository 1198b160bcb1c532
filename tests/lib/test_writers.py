import os
from pathlib import Path

import pytest

from speeddata import writers
from speeddata.lock import take_lock
from speeddata.writers import writer_of


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "archive" / "example"
    path.mkdir(parents=True)
    (path / "example_1.avro").touch()
    (path / "quarantine.avro").touch()
    return path


@pytest.fixture
def relay(folder):
    fd = take_lock(folder / ".lock", "taken")
    yield
    os.close(fd)


def test_nobody_writes(folder):
    assert writer_of(folder / "example_1.avro") == ""
    assert writer_of(folder / "quarantine.avro") == ""


def test_who_has_a_file_open_for_writing_writes(folder):
    with (folder / "example_1.avro").open("ab"):
        assert writer_of(folder / "example_1.avro") == "a process has it open for writing"
    with (folder / "example_1.avro").open("rb"):
        assert writer_of(folder / "example_1.avro") == ""


@pytest.mark.usefixtures("relay")
def test_a_relay_that_runs_has_closed_a_segment_but_may_open_the_quarantine(folder):
    relay = f"the channel's relay, process {os.getpid()}, runs"
    assert writer_of(folder / "example_1.avro") == ""
    assert writer_of(folder / "quarantine.avro") == f"{relay}, and may write to it at any time"


@pytest.mark.usefixtures("relay")
def test_a_path_may_be_told_from_its_own_folder(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert writer_of(Path("example_1.avro")) == ""


@pytest.mark.usefixtures("relay")
def test_where_the_kernel_does_not_tell_a_relay_that_runs_may_be_writing(folder, monkeypatch):
    monkeypatch.setattr(writers, "open_for_writing", lambda _path: None)
    assert "the kernel does not tell" in writer_of(folder / "example_1.avro")


def test_where_the_kernel_does_not_tell_and_no_relay_runs_nobody_writes(folder, monkeypatch):
    monkeypatch.setattr(writers, "open_for_writing", lambda _path: None)
    assert writer_of(folder / "example_1.avro") == ""


def test_after_a_relay_has_died_the_next_one_may_go_on_in_the_newest_segment(folder):
    (folder / ".lock").touch()
    (folder / "example_2.avro").touch()
    run = folder.parents[1] / "run"
    run.mkdir()
    fd = take_lock(run / "keeper.lock", "taken")
    assert writer_of(folder / "example_1.avro") == ""
    words = f"the keeper, process {os.getpid()}, runs, and a relay that it starts may go on in it"
    assert writer_of(folder / "example_2.avro") == words
    os.close(fd)
    assert writer_of(folder / "example_2.avro") == ""
