import os
from pathlib import Path

from speeddata.segment_files import segment_files


def found(*paths):
    return [(path.name, error) for path, error in segment_files(paths)]


def test_a_file_is_itself_and_a_folder_its_segments(tmp_path):
    for name in ("b/b_2.avro", "b/b_1.avro", "a/a_1.avro", "a/a_1.idx", "a/.a.next.avro", ".hidden/x.avro",
                 "a/a_0.avro.damaged", "top.avro"):  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert found(tmp_path) == [(name, None) for name in ("a_1.avro", "b_1.avro", "b_2.avro", "top.avro")]
    assert found(tmp_path / "a" / "a_1.idx") == [("a_1.avro", None)]
    assert found(*sorted((tmp_path / "a").iterdir())) == [
        (name, None) for name in (".a.next.avro", "a_0.avro.damaged", "a_1.avro")
    ]
    assert found(tmp_path / "b", tmp_path / "a") == [
        (name, None) for name in ("b_1.avro", "b_2.avro", "a_1.avro")
    ]
    (tmp_path / "a" / "a_1.avro").unlink()
    assert found(tmp_path / "a" / "a_1.idx") == [("a_1.idx", None)]


def test_a_file_named_in_two_ways_is_one(tmp_path, monkeypatch):
    (tmp_path / "x.avro").touch()
    (tmp_path / "link.avro").symlink_to("x.avro")
    monkeypatch.chdir(tmp_path)
    assert found(Path("."), tmp_path, Path("x.avro"), Path("link.avro")) == [("x.avro", None)]


def test_links_are_followed_only_where_they_are_named(tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "x.avro").touch()
    archive = tmp_path / "archive"
    archive.mkdir()
    (archive / "link.avro").symlink_to(folder / "x.avro")
    (archive / "linked").symlink_to(folder)
    (archive / "pipe.avro").mkdir()
    os.mkfifo(archive / "fifo.avro")
    assert found(archive) == []
    assert found(archive / "link.avro") == found(archive / "linked") == [("x.avro", None)]
    assert found(archive / "link.avro", archive / "linked") == [("x.avro", None)]


def test_a_folder_that_cannot_be_read_is_said(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    real = os.scandir

    def scandir(folder):
        if folder.name == "a":
            raise PermissionError(13, "Permission denied")
        return real(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    ((name, error),) = found(tmp_path)
    assert (name, error.strerror) == ("a", "Permission denied")
