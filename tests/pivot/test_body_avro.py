import io

import fastavro
import ingest_world
import pytest

from speeddata.pivot.body_avro import read_avro
from speeddata.pivot.problem import Problem
from speeddata.plan import Plan
from speeddata.rows_json import RowEncoder
from speeddata.schema import Schema

RECORDS = [{"time": n, "speed": n / 2, "gear": None, "note": "x" * 50} for n in range(1000)]
DATA = RowEncoder(Plan(Schema.parse(ingest_world.SPEED)), "ns").rows(RECORDS).data
LIMIT = 1 << 20


def container(codec="null", schema=ingest_world.SPEED, records=RECORDS):
    file = io.BytesIO()
    fastavro.writer(file, schema, records, codec=codec, sync_interval=5000)
    return file.getvalue()


def test_records_back_to_back():
    (part,) = read_avro(DATA, "x", LIMIT)
    assert (part.channel, part.content.data, part.content.plan) == ("x", DATA, None)


@pytest.mark.parametrize("codec", ["null", "deflate", "zstandard"])
def test_container_files(codec):
    (part,) = read_avro(container(codec), None, LIMIT)
    assert (part.channel, part.content.data) == ("speed", DATA)
    assert part.content.plan.schema.name == "speed"
    assert read_avro(container(codec), "y", LIMIT)[0].channel == "y"


def test_records_alone_name_no_channel():
    with pytest.raises(Problem, match="No channel"):
        read_avro(DATA, None, LIMIT)


def test_a_container_that_unpacks_to_more_than_the_limit():
    with pytest.raises(Problem) as caught:
        read_avro(container("deflate"), None, len(DATA) - 1)
    assert caught.value.status == 413


def outcome(data):
    try:
        read_avro(data, "x", LIMIT)
    except Problem as problem:
        return problem.status
    return 200


@pytest.mark.parametrize("codec", ["null", "deflate", "zstandard"])
def test_containers_that_are_cut_off_or_damaged(codec):
    whole = container(codec)
    for length in [*range(4, 200), *range(200, len(whole), 97)]:
        assert outcome(whole[:length]) in (200, 400, 413)
    with pytest.raises(Problem, match="sync marker"):
        read_avro(whole[:-1] + bytes([whole[-1] ^ 1]), None, LIMIT)


@pytest.mark.parametrize("schema", [
    {"type": "record", "name": "timeless", "fields": [{"name": "x", "type": "int"}]},
    {"type": "record", "name": "tree", "fields": [{"name": "time", "type": "long"}, {"name": "x", "type": ["null", "tree"]}]},
])  # fmt: skip
def test_schemas_that_no_channel_can_have(schema):
    with pytest.raises(Problem, match="unusable schema"):
        read_avro(container(schema=schema, records=[]), None, LIMIT)
