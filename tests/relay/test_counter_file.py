"""What was taken of each key, kept over the end of the mapping: a channel that begins again takes nothing of it once more."""

import logging
import os

import pytest
from line import Line, make_spec, numbered, running

from speeddata.relay.alarm_file import load_json, save_json
from speeddata.relay.counter_file import COUNTER_FILE, CounterFile
from speeddata.relay.mapping import Mapping
from speeddata.relay.signature import add_signers, read_signers
from speeddata.signing import Signer, make_key, read_key

KEY, OTHER, THIRD = b"aaaa", b"bbbb", b"cccc"


@pytest.fixture
def mapping():
    made = Mapping.create("test", 65536, 1 << 20)
    yield made
    os.close(made.fd)


def counters(folder):
    return load_json(folder / COUNTER_FILE)["counters"]


def test_fault_58_with_a_fresh_mapping_nothing_is_taken_again(tmp_path):
    path = make_key(tmp_path / "keys", "roof")
    spec = make_spec(tmp_path, sign=[str(path)])
    signer = Signer("test", read_key(path))
    packets = [signer.sign(numbered(n)) for n in range(100)]
    late = packets.pop(90)
    with running(spec) as line:
        line.send(*packets)
        line.wait(packets=99)
        line.stop()
        line.relay.counters.write()
    with running(spec) as line:
        line.send(late, *packets, signer.sign(numbered(100)), *packets)
        # What is missing among the last is not known any more: it is refused too.
        line.wait(packets=1, rejected__replay=199)


def test_what_the_file_knows_of_keys_that_are_not_in_force_stays(tmp_path, mapping):
    save_json(tmp_path / COUNTER_FILE, {"counters": {KEY.hex(): 7, OTHER.hex(): 2**64 - 1}})
    file = CounterFile(tmp_path, mapping, frozenset([KEY, THIRD]))
    file.restore()
    assert read_signers(mapping) == {KEY: 7, THIRD: 0}
    add_signers(mapping, {b"dddd": 9}, ())
    file.write()
    assert counters(tmp_path) == {KEY.hex(): 7, OTHER.hex(): 2**64 - 1, b"dddd".hex(): 9}


def test_a_key_that_must_give_way_is_written_first(tmp_path, mapping):
    add_signers(mapping, {n.to_bytes(4): n for n in range(64)}, ())
    CounterFile(tmp_path, mapping, frozenset([KEY])).restore()
    assert len(counters(tmp_path)) == 63, "all that took anything"
    assert (KEY in read_signers(mapping), len(read_signers(mapping))) == (True, 64)


def test_it_is_written_once_a_second_and_where_nothing_came_not_at_all(tmp_path, mapping):
    now = [10.0]
    file = CounterFile(tmp_path, mapping, frozenset([KEY]), clock=lambda: now[0])
    file.restore()
    file.keep()
    assert not file.path.exists()
    add_signers(mapping, {OTHER: 5}, ())
    file.keep()
    assert not file.path.exists(), "not yet"
    now[0] += 1
    file.keep()
    assert counters(tmp_path) == {OTHER.hex(): 5}
    file.path.unlink()
    now[0] += 1
    file.keep()
    assert not file.path.exists(), "nothing has changed"


@pytest.mark.parametrize("content", ["", "[]", '{"counters": []}', '{"counters": {"zz": 1}}', '{"counters": {"61616161": -1}}',
                                     '{"counters": {"61": 1}}', '{"counters": {"61616161": "1"}}'])  # fmt: skip
def test_a_damaged_file_is_said(tmp_path, mapping, caplog, content):
    (tmp_path / COUNTER_FILE).write_text(content)
    CounterFile(tmp_path, mapping, frozenset([KEY])).restore()
    assert "packets signed before may be taken once more" in caplog.text
    assert read_signers(mapping) == {KEY: 0}


def test_a_disk_that_refuses_is_said_once(tmp_path, mapping, caplog):
    file = CounterFile(tmp_path / "none", mapping, frozenset([KEY]))
    file.restore()
    add_signers(mapping, {OTHER: 5}, ())
    with caplog.at_level(logging.WARNING):
        file.write()
        file.write()
    assert caplog.text.count("are not kept") == 1
    (tmp_path / "none").mkdir()
    file.write()
    assert counters(tmp_path / "none") == {OTHER.hex(): 5}


def test_a_channel_without_keys_has_no_file(tmp_path):
    line = Line(make_spec(tmp_path)).start()
    line.send(numbered(1))
    line.wait(packets=1)
    assert line.relay.counters.rest_ms is None
    line.relay.counters.write()
    line.close()
    assert not (line.folder / COUNTER_FILE).exists()
