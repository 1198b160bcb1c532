"""The quarantine file: readable, bounded, and begun anew when it is damaged."""

import contextlib

import fastavro
import pytest

from speeddata.relay.quarantine import Quarantine

PACKET = (10**18, 0x7F000001, 4000, 3, 7, b"\x01\x02")


def read(path):
    with path.open("rb") as file:
        return list(fastavro.reader(file))


def test_packets_are_filed_with_reason_and_sender(tmp_path):
    quarantine = Quarantine(tmp_path, 1 << 20)
    quarantine.file([PACKET])
    quarantine.file([PACKET, PACKET])
    expected = {
        "time": 10**18,
        "reason": "short",
        "offset": 7,
        "sender": "127.0.0.1:4000",
        "packet": b"\x01\x02",
    }
    assert read(quarantine.path) == [expected] * 3


def test_it_is_bounded_and_keeps_the_newest(tmp_path):
    quarantine = Quarantine(tmp_path, 20_000)
    for k in range(200):
        quarantine.file([(*PACKET[:5], bytes([k]) * 1000)])
        sizes = [path.stat().st_size for path in tmp_path.iterdir()]
        assert sum(sizes) <= 20_000
    assert len(sizes) == 2
    assert read(quarantine.path)[-1]["packet"] == bytes([199]) * 1000


def test_what_is_too_large_for_it_is_left_out(tmp_path):
    quarantine = Quarantine(tmp_path, 20_000)
    assert quarantine.file([PACKET, (*PACKET[:5], bytes(10_000)), PACKET]) == 2
    assert len(read(quarantine.path)) == 2
    assert Quarantine(tmp_path / "none", 0).file([PACKET]) == 0


@pytest.mark.parametrize("damaged", [b"Obj\x01 torn", b"Obj\x01\xff\xff\xff", b"", b"O"])
def test_a_damaged_file_gives_way(tmp_path, damaged):
    quarantine = Quarantine(tmp_path, 1 << 20)
    quarantine.path.write_bytes(damaged)
    assert quarantine.file([PACKET]) == 1
    assert len(read(quarantine.path)) == 1


def test_a_file_cut_in_its_head_gives_way(tmp_path):
    whole = Quarantine(tmp_path, 1 << 20)
    whole.file([PACKET])
    data = whole.path.read_bytes()
    for cut in range(0, len(data) - 100, 7):
        whole.path.write_bytes(data[:cut])
        whole.file([PACKET])
        assert read(whole.path)[-1]["packet"] == PACKET[-1]


def test_a_torn_last_block_is_cut_off_and_what_follows_is_readable(tmp_path):
    whole = Quarantine(tmp_path, 1 << 20)
    whole.file([PACKET] * 3)
    data = whole.path.read_bytes()
    whole.file([PACKET])
    longer = whole.path.read_bytes()
    for cut in range(len(data) + 1, len(longer)):
        whole.path.write_bytes(longer[:cut])
        Quarantine(tmp_path, 1 << 20).file([PACKET])
        assert len(read(whole.path)) == 4
    assert not whole.older.exists()


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "q").mkdir()
    (tmp_path / "other").write_bytes(b"not ours")
    quarantine = Quarantine(tmp_path / "q", 1 << 20)
    quarantine.path.symlink_to(tmp_path / "other")
    with contextlib.suppress(OSError):
        quarantine.file([PACKET])
    assert (tmp_path / "other").read_bytes() == b"not ours"
