"""What the end of relays has cost is kept, also on a full disk, until somebody has read it."""

import os

from speeddata.relay.losses import ROOM, note_loss, reserve_losses, take_losses


def test_what_is_said_is_read_once(tmp_path):
    folder = os.open(tmp_path, os.O_RDONLY)
    assert take_losses(tmp_path) == []
    reserve_losses(folder)
    assert (tmp_path / "losses").stat().st_size == ROOM
    assert take_losses(tmp_path) == []
    for line in ("a: 5 records", "b: two\nlines", "a: 5 records", "c" * ROOM):
        note_loss(folder, line)
    first, second, third = take_losses(tmp_path)
    assert (first, second) == ("a: 5 records", "b: two lines")
    assert 0 < len(third) < ROOM, "as far as there is room"
    assert take_losses(tmp_path) == []
    note_loss(folder, "without room made before")
    reserve_losses(folder)
    assert take_losses(tmp_path) == []
    os.close(folder)
