import ingest_world
import pytest

from speeddata.columns import decode
from speeddata.errors import SchemaError
from speeddata.pivot.body_csv import Csv, read_csv
from speeddata.pivot.ingest_batch import Faults
from speeddata.pivot.ingest_specs import Known
from speeddata.pivot.problem import Problem
from speeddata.plan import Plan
from speeddata.schema import Schema

PLAN = Plan(Schema.parse(ingest_world.SPEED))
KNOWN = Known("x", {}, PLAN, "ns")
FLAGS = Plan(
    Schema.parse(
        {
            "type": "record",
            "name": "flags",
            "fields": [
                {"name": "time", "type": "double"},
                {"name": "on", "type": "boolean"},
                {"name": "note", "type": ["null", "string"]},
            ],
        },
        time_unit="s",
    )
)


def encode(text, known=KNOWN, delimiter=",", given=None):
    faults = Faults()
    data = text if isinstance(text, bytes) else text.encode()
    (part,) = read_csv(data, "x", delimiter)
    ready = part.content.encode(known, given, False, faults)
    if ready is None:
        raise faults.problem()
    return {name: column.tolist() for name, column in decode(known.plan, ready.data).items()}


def test_cells_are_what_the_schema_says():
    made = encode("time,speed,gear,note\n2026-01-01T00:00:00Z,1.5,,007\n1970-01-01T00:00:01Z,2,3,\n")
    assert made == {
        "time": [1767225600 * 10**9, 10**9],
        "speed": [1.5, 2.0],
        "gear": [None, 3],
        "note": ["007", ""],
    }


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("time;speed\n1;2\n", ";"),
        ("time\tspeed\n1\t2\n", "\t"),
        ("\ufefftime,speed\r\n1,2\r\n", ","),
        ("speed,time\n2,1", ","),
        ('"time","speed"\n"1","2"\n\n', ","),
    ],
)
def test_ways_to_write_it(text, delimiter):
    made = encode(text, delimiter=delimiter)
    assert (made["time"], made["speed"], made["note"]) == ([1], [2.0], ["-"])


def test_booleans_times_in_seconds_and_quoted_text():
    known = Known("x", {}, FLAGS, "s")
    made = encode('time,on,note\n1.5,true,"a, ""b""\nc"\n2,0,\n3,False,""\n', known)
    assert made == {"time": [1.5, 2.0, 3.0], "on": [True, False, False], "note": ['a, "b"\nc', None, ""]}
    assert encode("time,on\n1500,1\n", known, given="ms")["time"] == [1.5]


def test_no_rows_are_no_records():
    assert encode("time,speed\n")["time"] == []


def errors(text):
    with pytest.raises(Problem) as caught:
        encode(text)
    return caught.value.body["rows"], [
        (e["row"], e["field"], e["value"]) for e in caught.value.body["errors"]
    ]


def test_wrong_cells_are_told_with_their_rows():
    text = "time,speed,gear\n1,1,1\n2,x,1\nsoon,1,1.5\n4,,1\n5,1_0,1\n"
    assert errors(text) == (4, [
        (1, "speed", "x"), (2, "time", "soon"), (2, "gear", "1.5"), (3, "speed", None), (4, "speed", "1_0"),
    ])  # fmt: skip


def test_lines_of_another_length_are_told():
    assert errors("time,speed\n1,1\n2\n3,1,1\n") == (2, [(1, None, "1 cells"), (2, None, "3 cells")])


def test_columns_that_are_no_signals():
    assert errors("time,sped\n1,1\n")[1] == [(None, "sped", None), (None, "speed", None)]


@pytest.mark.parametrize(
    "text", [b"", b"\n", b"time,time\n1,2\n", b"\xff,a\n", b"time,speed\n\xff,1\n", b"," * 20_000 + b"\n"]
)
def test_what_is_no_csv(text):
    with pytest.raises(Problem) as caught:
        encode(text)
    assert caught.value.status == 400


def test_csv_names_no_channel():
    with pytest.raises(Problem, match="No channel"):
        read_csv(b"time\n1\n", None, ",")


def test_types_are_inferred_from_all_cells():
    inferred = Csv(b"time,i,d,s,n,b\n1700000000.5,1,1,a,,true\n1700000001,2,1.5,1,,false\n").infer("x", None)
    assert inferred.time_unit == "s"
    assert {field["name"]: field["type"] for field in inferred.schema["fields"]} == {
        "time": "double", "i": "long", "d": "double", "s": "string", "n": ["null", "double"], "b": "boolean",
    }  # fmt: skip
    times = Csv(b"time,x\n2026-01-01T00:00:00Z,1\n").infer("x", None).schema["fields"][0]["type"]
    assert times == {"type": "long", "logicalType": "timestamp-nanos"}


def test_what_nothing_can_be_inferred_from():
    with pytest.raises(Problem, match="cells"):
        Csv(b"time,x\n1\n").infer("x", None)
    with pytest.raises(SchemaError, match="time"):
        Csv(b"a,b\n1,2\n").infer("x", None)


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (b'time,s\n1,"abc\n2,x\n', 2),
        (b'time,s\n1,a"b\n', 2),
        (b'time,s\n1,"a"\n2,"b', 3),
        (b'time,"s\n1,2\n', 1),
    ],
)
def test_a_quote_that_is_not_closed_is_refused(body, line):
    with pytest.raises(Problem) as caught:
        read_csv(body, "x", ",")
    assert (caught.value.status, caught.value.body["line"]) == (400, line)


def test_quotes_in_pairs_are_part_of_text():
    (part,) = read_csv(b'time,s\n1,"a ""b"" c\nd"\n', "x", ",")
    assert part.content.data.count(b'"') == 6
