import io
import json
import zlib

import fastavro
import pytest
import segments as made
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from speeddata import container
from speeddata.container import MAX_HEAD, bare_head, pack_block, pack_head, parse_head, unpack
from speeddata.errors import ArchiveError


def test_head_of_a_segment():
    data = made.head(made.SCHEMA, channel="engine", time_unit="ms")
    head = parse_head(data + b"blocks")
    assert (head.sync, head.length, head.codec) == (made.SYNC, len(data), "null")
    assert (head.channel, head.time_unit) == ("engine", "ms")
    assert json.loads(head.schema_text) == made.SCHEMA


def test_every_truncation_wants_more():
    data = made.head(made.SCHEMA)
    assert all(parse_head(data[:size]) is None for size in range(len(data)))


@pytest.mark.parametrize(
    ("name", "channel"), [("speeddata.sensors.engine.data", "engine"), ("x.data", "x"), ("data", "data")]
)
def test_channel_is_told_by_the_schema_without_metadata(name, channel):
    space, _, record = name.rpartition(".")
    head = bare_head(json.dumps({**made.SCHEMA, "name": record, "namespace": space}))
    assert head.channel == channel
    assert head.time_unit == "ns"


def test_sizes_in_front_of_metadata_blocks_are_accepted():
    whole = made.head(made.SCHEMA)
    body = whole[5:-17]
    data = b"Obj\x01" + b"\x03" + made.varint(len(body)) + body + b"\0" + made.SYNC
    assert parse_head(data).schema_text == parse_head(whole).schema_text


@pytest.mark.parametrize(
    "data",
    [
        b"PAR1",
        b"\x02" * 40,
        b"Obj\x01" + b"\xff" * 12,
        b"Obj\x01" + made.varint(2000) + b"\2a\2b" * 2000,
        b"Obj\x01\x02" + made.varint(MAX_HEAD + 1),
        made.head(made.SCHEMA, codec="snappy"),
    ],
)
def test_what_is_no_head_of_ours_is_refused(data):
    with pytest.raises(ArchiveError):
        parse_head(data)


def test_metadata_that_is_not_text_is_refused():
    bad = made.text(b"speeddata.channel") + made.text(b"\xff")
    head = parse_head(b"Obj\x01\x02" + bad + b"\0" + made.SYNC)
    with pytest.raises(ArchiveError, match="UTF-8"):
        _ = head.channel


def test_unknown_units_and_schemas_are_refused():
    with pytest.raises(ArchiveError, match="'days'"):
        _ = parse_head(made.head(made.SCHEMA, time_unit="days")).time_unit
    with pytest.raises(ArchiveError, match="unusable schema"):
        _ = bare_head("{}").plan


@pytest.mark.parametrize(
    ("codec", "packed"),
    [("deflate", zlib.compress(b"x" * 5000, wbits=-15)), ("zstandard", zstandard.compress(b"x" * 5000))],
)
def test_unpack_within_limits(codec, packed, monkeypatch):
    assert unpack(codec, packed) == b"x" * 5000
    for cut in range(len(packed)):
        with pytest.raises(ArchiveError, match=codec):
            unpack(codec, packed[:cut])
    monkeypatch.setattr(container, "MAX_CONTENT", 4000)
    with pytest.raises(ArchiveError, match="over 4000 bytes"):
        unpack(codec, packed)


@given(st.dictionaries(st.text(max_size=20), st.binary(max_size=300), max_size=20))
def test_a_head_that_is_made_is_parsed(metadata):
    metadata = {key: value for key, value in metadata.items() if not key.startswith("avro.")}
    data = pack_head(metadata, made.SYNC)
    head = parse_head(data + b"blocks")
    assert (dict(head.metadata), head.sync, head.length) == (metadata, made.SYNC, len(data))


@pytest.mark.parametrize("count", [1, 63, 64, 5000])
def test_a_block_that_is_made_is_that_of_the_format(count):
    data = made.encode(made.SCHEMA, made.records(count))
    assert pack_block(count, data, made.SYNC) == made.block(count, data)


def test_other_readers_read_what_is_made():
    metadata = {"avro.schema": json.dumps(made.SCHEMA).encode(), "avro.codec": b"null"}
    data = made.encode(made.SCHEMA, made.records(70))
    file = pack_head(metadata, made.SYNC) + pack_block(70, data, made.SYNC)
    assert list(fastavro.reader(io.BytesIO(file))) == made.records(70)
