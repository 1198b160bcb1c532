import re
import subprocess
import sys
from pathlib import Path

import pytest

from speeddata.errors import RelayError
from speeddata.relay.data_folder import DataFolder


def test_folders_are_made(tmp_path: Path) -> None:
    data = DataFolder(tmp_path / "a" / "data")
    data.make()
    data.make()
    assert data.run.is_dir()
    assert data.log.is_dir()
    assert data.archive == tmp_path / "a" / "data" / "archive"
    assert data.registry == tmp_path / "a" / "data" / "registry.db"
    assert data.path.stat().st_mode & 0o007 == 0


def test_a_folder_has_an_id_that_stays(tmp_path: Path) -> None:
    data, other = DataFolder(tmp_path / "a"), DataFolder(tmp_path / "b")
    for one in (data, other):
        one.make()
    known = data.instance()
    assert re.fullmatch("[0-9a-f]{32}", known)
    assert (data.instance(), DataFolder(tmp_path / "a").instance()) == (known, known)
    assert other.instance() != known
    (tmp_path / "a").rename(tmp_path / "moved")
    assert DataFolder(tmp_path / "moved").instance() == known
    assert sorted(one.name for one in (tmp_path / "b").iterdir()) == ["id", "log", "pages", "run"]


def test_of_many_who_make_the_id_all_get_the_same(tmp_path: Path) -> None:
    script = "import sys; from pathlib import Path; from speeddata.relay.data_folder import DataFolder; sys.stdin.readline(); print(DataFolder(Path(sys.argv[1])).instance())"
    command = [sys.executable, "-c", script, str(tmp_path)]
    many = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(6)
    ]
    for one in many:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    told = {one.communicate(timeout=60)[0] for one in many}
    assert told == {(tmp_path / "id").read_text()}


def test_a_damaged_id_is_made_anew_and_one_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "id").write_bytes(b"\xff\n")
    made = DataFolder(tmp_path).instance()
    assert (tmp_path / "id").read_text() == f"{made}\n"
    with pytest.raises(RelayError, match="wanted a file that can be made and read"):
        DataFolder(tmp_path / "absent").instance()


def test_a_relative_folder_is_below_the_current_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert DataFolder(Path("data")).path == tmp_path / "data"
