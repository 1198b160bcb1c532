"""Locks: one holder, who is named; free when the holder is gone."""

import os
import threading
from pathlib import Path

import pytest

from speeddata.errors import RelayError
from speeddata.lock import is_locked, lock_holder, take_lock, wait_for_lock


def test_a_lock_has_one_holder_who_is_named(tmp_path: Path) -> None:
    path, refusal = tmp_path / "relay.lock", "it is in use by process {pid}"
    assert lock_holder(path) is None
    fd = take_lock(path, refusal)
    with pytest.raises(RelayError, match=f"^it is in use by process {os.getpid()}$"):
        take_lock(path, refusal)
    assert lock_holder(path) == os.getpid()
    assert is_locked(path)
    assert lock_holder(tmp_path / "other.lock") is None
    os.close(fd)
    assert lock_holder(path) is None
    assert not is_locked(path)
    assert not is_locked(tmp_path / "other.lock")
    os.close(take_lock(path, refusal))


def test_a_lock_is_waited_for_but_not_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "command.lock"
    first = wait_for_lock(path, 0)
    assert first is not None
    assert wait_for_lock(path, 0.1) is None
    timer = threading.Timer(0.2, os.close, [first])
    timer.start()
    second = wait_for_lock(path, 20)
    timer.join()
    assert second is not None
    os.close(second)
