import os

import pytest

from speeddata.pidfile import pidfile


def test_holds_the_process_id_as_long_as_it_lasts(tmp_path):
    path = tmp_path / "service.pid"
    with pidfile(path):
        assert path.read_text() == f"{os.getpid()}\n"
        assert list(tmp_path.iterdir()) == [path]
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(KeyError), pidfile(path):
        raise KeyError
    assert list(tmp_path.iterdir()) == []


def test_without_a_path_there_is_none():
    with pidfile(None):
        pass
