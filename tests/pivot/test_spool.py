import os
import random

import h5py
import numpy as np
import pytest

from speeddata.pivot.spool import Spool


class Disk:
    """A disk of so many bytes: takes what fits, and then no more."""

    def __init__(self, room):
        self.room = room

    def pwrite(self, descriptor, data, offset):
        size = min(len(data), self.room)
        if not size:
            raise OSError(28, "No space left on device")
        self.room -= size
        return pwrite(descriptor, data[:size], offset)


pwrite = os.pwrite


@pytest.fixture
def file(tmp_path):
    with (tmp_path / "spool").open("w+b", buffering=0) as file:
        yield file


def fill(target):
    """Write a file of all kinds of data, and read it again."""
    choose = random.Random(1)
    words = [str(choose.random()) * 20 for _ in range(5000)]
    with h5py.File(target, "w", libver=("v108", "v108"), track_order=True) as made:
        made.create_dataset("whole", data=np.arange(100_000))
        parts = made.create_dataset("parts", (0,), "f8", maxshape=(None,), chunks=(1000,))
        for end in range(1000, 50_000, 1000):
            parts.resize(end, axis=0)
            parts[end - 1000 :] = end
        made.create_dataset("words", data=np.array(words, object), dtype=h5py.string_dtype())
        for number in range(500):
            made.create_group(f"group{number}").attrs["text"] = "x" * 2000
    with h5py.File(target) as made:
        assert (made["whole"][:] == np.arange(100_000)).all()
        assert made["parts"][-1] == 49_000
        assert made["words"].asstr()[:].tolist() == words
        assert {len(group.attrs["text"]) for name, group in made.items() if name.startswith("group")} == {
            2000
        }


def test_the_file_is_what_hdf5_makes_of_a_path(file, tmp_path):
    spool = Spool(file.fileno())
    fill(spool)
    spool.check()
    fill(tmp_path / "path.h5")
    assert abs((tmp_path / "path.h5").stat().st_size - (tmp_path / "spool").stat().st_size) < 10_000
    with h5py.File(tmp_path / "spool") as made:
        assert len(made) == 503


@pytest.mark.parametrize("room", [0, 1, 10_000, 500_000, 900_000, 1_200_000, 2_000_000, 2_500_000])
def test_hdf5_sees_no_full_disk(file, monkeypatch, room):
    """Without the spool it crashes."""
    monkeypatch.setattr(os, "pwrite", Disk(room).pwrite)
    spool = Spool(file.fileno())
    fill(spool)
    with pytest.raises(OSError, match="No space left"):
        spool.check()


def test_what_is_not_taken_is_read_as_it_was_written(file, monkeypatch):
    choose = random.Random(2)
    monkeypatch.setattr(os, "pwrite", Disk(3000).pwrite)
    spool, wanted = Spool(file.fileno()), bytearray()
    for _ in range(300):
        at, data = choose.randrange(2000), choose.randbytes(choose.randrange(1, 100))
        wanted.extend(bytes(max(0, at + len(data) - len(wanted))))
        wanted[at : at + len(data)] = data
        assert spool.seek(at) == at
        assert spool.write(data) == len(data)
        at = choose.randrange(2000)
        spool.seek(at)
        assert spool.read(150) == wanted[at : at + 150]
    spool.seek(0, os.SEEK_END)
    assert spool.tell() == len(wanted)


def test_a_file_that_cannot_be_cut_is_told(file, monkeypatch):
    def fail(*_):
        raise OSError(27, "File too large")

    monkeypatch.setattr(os, "ftruncate", fail)
    spool = Spool(file.fileno())
    assert spool.truncate(5) == 5
    with pytest.raises(OSError, match="File too large"):
        spool.check()
