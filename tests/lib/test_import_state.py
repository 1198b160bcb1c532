"""What is noted of an import, and read back after any end."""

from pathlib import Path

import pytest

from speeddata.errors import FormatError
from speeddata.import_state import ImportState, state_folder

ABOUT = {"content": "x", "rows": 30}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "state.jsonl"


def test_what_is_done_is_read_back(path):
    state = ImportState(path, ABOUT)
    assert (state.done, state.rows, state.finished, path.exists()) == (set(), 0, "", False)
    state.begin()
    state.add(2, 10)
    state.add(0, 5)
    again = ImportState(path, ABOUT)
    again.begin()
    assert (again.done, again.rows, again.finished) == ({0, 2}, 15, "")
    again.finish("now")
    assert ImportState(path, ABOUT).finished == "now"


def test_any_cut_leaves_a_state_that_can_be_gone_on_with(path):
    state = ImportState(path, ABOUT)
    state.begin()
    head = path.stat().st_size
    for piece in range(3):
        state.add(piece, 1)
    whole = path.read_bytes()
    for size in range(head, len(whole)):
        path.write_bytes(whole[:size])
        cut = ImportState(path, ABOUT)
        assert cut.done in (set(), {0}, {0, 1}, {0, 1, 2})
        cut.begin()
        cut.add(9, 1)
        assert ImportState(path, ABOUT).done == cut.done


def test_another_import_is_not_mistaken(path):
    ImportState(path, ABOUT).begin()
    with pytest.raises(FormatError, match="of another import"):
        ImportState(path, {"content": "y"})


def test_the_same_once_more(path):
    state = ImportState(path, ABOUT)
    state.begin()
    state.finish("now")
    state.renew()
    state.begin()
    assert (ImportState(path, ABOUT).again, ImportState(path, ABOUT).finished) == (1, "")


def test_what_is_not_believed_is_noted_no_more_once_it_begins(path):
    state = ImportState(path, ABOUT)
    state.begin()
    state.add(0, 5)
    state.finish("now")
    noted = path.read_bytes()
    state.forget()
    assert (state.done, state.rows, state.finished, state.again) == (set(), 0, "", 0)
    assert path.read_bytes() == noted
    state.begin()
    state.begin()
    assert (ImportState(path, ABOUT).done, ImportState(path, ABOUT).finished) == (set(), "")


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FormatError, match="cannot be"):
        ImportState(tmp_path / "file" / "x.jsonl", ABOUT).begin()


def test_where_states_are(monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", "/somewhere")
    assert state_folder() == Path("/somewhere/speeddata/imports")
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    assert state_folder() == Path.home() / ".local/state/speeddata/imports"
