import os

import segments as made

from speeddata.describe import describe, description_lines
from speeddata.index import index_path
from speeddata.segment import scan
from speeddata.verify import verify

BLOCKS = [made.records(3), [made.record(7), made.record(6, 2**62)]]


def test_all_there_is_to_know(tmp_path):
    path = made.write_segment(tmp_path / "example", BLOCKS, arrivals=[made.START + 5, made.START + 10**9])
    told = describe(verify(path))
    assert {key: told[key] for key in ("state", "blocks", "records", "codec", "time", "time_unit", "sequence")} == {
        "state": "whole", "blocks": 2, "records": 5, "codec": "null", "time": "time", "time_unit": "ns",
        "sequence": "counter",
    }  # fmt: skip
    assert told["sync"] == made.SYNC.hex()
    assert told["metadata"] == {"speeddata.channel": "example", "speeddata.time_unit": "ns"}
    assert (told["schema"], told["name"]) == (made.SCHEMA, "speeddata.example.data")
    assert len(bytes.fromhex(told["fingerprint"])) == 8
    assert told["signals"][2] == {"name": "voltage", "type": "double", "nullable": False, "unit": "V"}
    assert (told["first"], told["first_ns"], told["last_ns"]) == ("2023-11-14T22:13:20Z", made.START, 2**62)
    assert (told["first_arrival"], told["last_arrival"]) == (
        "2023-11-14T22:13:20.000000005Z",
        "2023-11-14T22:13:21Z",
    )
    assert (told["unsorted_blocks"], told["bad_time_blocks"], told["head_bytes"]) == (
        0,
        0,
        scan(path)[0].offset,
    )


def test_the_same_as_text(tmp_path):
    rows = [made.record(2), made.record(1)]
    path = made.write_segment(tmp_path / "example", [rows, made.records(2, 4)], arrivals=[made.START] * 2)
    os.truncate(path, path.stat().st_size - 3)
    lines = [line.split(maxsplit=1) for line in description_lines(verify(path))]
    assert lines[0] == [f"{path}:", "damaged"]
    for line in (
        ["channel", "example"],
        ["size", f"1 block, 2 records, {path.stat().st_size} bytes"],
        ["records", "2023-11-14T22:13:20.001Z to 2023-11-14T22:13:20.002Z"],
        ["flags", "1 block whose times do not ascend"],
        ["index", "whole"],
        ["signal", "voltage  double  V"],
    ):
        assert line in lines
    assert [text for key, text in lines if key == "damage"][0].endswith("cut off, 2 records lost")


def test_of_other_containers(tmp_path):
    schema = {"type": "record", "name": "x", "fields": [{"name": "city", "type": ["null", "string"]}]}
    path = tmp_path / "x.avro"
    data = made.encode(schema, [{"city": "Ulm"}])
    path.write_bytes(made.head(schema, **{}) + made.block(1, data))
    told = describe(verify(path))
    assert (told["time"], told["time_unit"], told["first"], told["first_arrival"]) == (None, None, None, None)
    lines = list(description_lines(verify(path)))
    assert "  time       none" in lines
    assert "  signal     city  string or null" in lines
    assert "  index      none" in lines


def test_of_what_has_no_records_or_no_head(tmp_path):
    path = made.write_segment(tmp_path / "example", [])
    assert describe(verify(path))["first"] is None
    os.truncate(path, 0)
    assert list(description_lines(verify(path)))[:2] == [
        f"{path}: whole",
        "  size       0 blocks, 0 records, 0 bytes",
    ]
    path.write_bytes(b"hello")
    index_path(path).unlink()
    assert list(description_lines(verify(path))) == [
        f"{path}: unreadable",
        "  error      not an Avro container file",
    ]
