"""The shared mapping: made, attached by its descriptor, read while it is written."""

import os
import re
import zlib
from pathlib import Path

import pytest
from line import chunks, make_spec, numbered, running

from speeddata.plan import REASONS
from speeddata.relay.mapping import Mapping

ROOT = Path(__file__).parents[2]
LAYOUT = 3578316067  # of what mapping.pxd declares, without its comments


@pytest.fixture
def mapping():
    made = Mapping.create("test", 65536, 1 << 20)
    yield made
    os.close(made.fd)


def test_fresh_books_are_empty(mapping):
    stats = mapping.stats()
    assert stats["rejected"] == dict.fromkeys(REASONS[1:], 0)
    assert stats["not_archived"] == {"disk_full": 0, "io": 0}
    assert (stats["packets"], stats["archived"], stats["time_unit"]) == (0, 0, None)
    assert stats["ring"] == {"blocks": 16, "queued": 0}
    assert mapping.take_aside() == []


def test_another_process_attaches_by_the_descriptor(mapping):
    mapping.filed(3)
    assert Mapping(mapping.fd).stats()["quarantined"] == 3


def test_what_is_no_mapping_is_refused():
    fd = os.memfd_create("other")
    os.ftruncate(fd, 1 << 20)
    os.pwrite(fd, b"something else", 0)
    with pytest.raises(ValueError, match="holds no channel mapping"):
        Mapping(fd)
    os.close(fd)


def test_another_layout_has_another_version():
    """A relay goes on in the mapping of one that was killed, also after an upgrade: it must know whether it can."""
    declared = (ROOT / "relay" / "mapping.pxd").read_text().partition("cdef inline")[0]
    bare = "\n".join(line.partition("#")[0].rstrip() for line in declared.splitlines())
    structs = re.findall(r"^cdef (?:struct|enum).*?(?=^\S|\Z)", bare, re.MULTILINE | re.DOTALL)
    version = re.search(
        r"^cdef uint64_t VERSION = (\d+)", (ROOT / "relay" / "mapping.pyx").read_text(), re.MULTILINE
    )
    assert len(structs) > 10
    assert (version[1], zlib.crc32("".join(structs).encode())) == ("7", LAYOUT), (
        "raise VERSION in mapping.pyx"
    )


def test_the_books_are_whole_at_every_instant(tmp_path):
    """Read while the receiver writes: packets of 10 records, so records are always ten times the packets."""
    with running(make_spec(tmp_path)) as line:
        for packet in chunks([numbered(n) for n in range(20_000)], 10):
            line.send(packet)
            stats = line.stats
            assert stats["records"] == 10 * stats["packets"]
            assert stats["archived"] <= stats["records"]
            assert stats["durable"] <= stats["archived"]
        line.wait(archived=20_000)
