"""No minimum or maximum of the input is ever absent from the minmax stream: through a relay that runs, compared with numpy."""

import io
import itertools
import math
import random

import fastavro
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from line import chunks, drain, encode, make_spec, running, subscribe

SCHEMA = {
    "type": "record",
    "name": "speeddata.test.extremes",
    "fields": [
        {"name": "time", "type": "long", "logicalType": "timestamp-nanos"},
        {"name": "n", "type": "long", "speeddata": {"role": "sequence"}},
        {"name": "real", "type": "double"},
        {"name": "small", "type": "float"},
        {"name": "whole", "type": "long"},
        {"name": "narrow", "type": "int"},
        {"name": "maybe", "type": ["null", "double"]},
        {"name": "some", "type": ["int", "null"]},
        {"name": "text", "type": "string"},
    ],
}
PARSED = fastavro.parse_schema(SCHEMA)
SIGNALS = ("real", "small", "whole", "narrow", "maybe", "some")
INT, LONG = 2**31, 2**63
FACTOR = 5  # records a bucket
WIDTH_NS = 1_000_000_000
START_NS = 1_700_000_000_000_000_000
REALS = [
    math.nan,
    math.inf,
    -math.inf,
    -0.0,
    0.0,
    5e-324,
    -5e-324,
    1.7976931348623157e308,
    -1.7976931348623157e308,
]
SMALLS = [math.nan, math.inf, -math.inf, -0.0, 0.0, 2.0**-149, float(np.finfo(np.float32).max)]

values = st.fixed_dictionaries(
    {
        "real": st.sampled_from(REALS) | st.floats(),
        "small": st.sampled_from(SMALLS) | st.floats(width=32),
        "whole": st.sampled_from([-LONG, LONG - 1, 0]) | st.integers(-LONG, LONG - 1),
        "narrow": st.sampled_from([-INT, INT - 1, 0]) | st.integers(-INT, INT - 1),
        "maybe": st.none() | st.sampled_from(REALS) | st.floats(),
        "some": st.none() | st.sampled_from([-INT, INT - 1]) | st.integers(-INT, INT - 1),
        "text": st.text(max_size=3),
    }
)


def drawn(chance):
    """The same values by chance."""
    real = [*REALS, *(chance.uniform(-1e3, 1e3) for _ in range(9))]
    whole = [-LONG, LONG - 1, *(chance.randrange(-LONG, LONG) for _ in range(9))]
    narrow = [-INT, INT - 1, *(chance.randrange(-INT, INT) for _ in range(9))]
    return {"real": chance.choice(real), "small": chance.choice(SMALLS), "whole": chance.choice(whole),
            "narrow": chance.choice(narrow), "maybe": chance.choice([None, *real]),
            "some": chance.choice([None, *narrow]), "text": chance.choice(["", "a", "grün"])}  # fmt: skip


def decode(packet):
    file = io.BytesIO(packet)
    record = fastavro.schemaless_reader(file, PARSED, None)
    assert file.tell() == len(packet), "a decimated packet holds one record"
    return record


def extremes(records, name):
    """Least and greatest number by numpy, which skips NaN where there are others; None where all are null."""
    given_values = [record[name] for record in records if record[name] is not None]
    kind = np.int64 if name in ("whole", "narrow", "some") else np.float64
    numbers = np.array(given_values, kind)
    return (np.fmin.reduce(numbers), np.fmax.reduce(numbers)) if len(numbers) else None


def grouped(records, key):
    ordered = sorted(records, key=key)
    return {found: list(group) for found, group in itertools.groupby(ordered, key)}


def check(sent, packets, key):
    """Fail unless the stream has, for each bucket, just the extremes of what was sent in it."""
    given_records, shown = grouped(sent, key), grouped(map(decode, packets), key)
    assert shown.keys() == given_records.keys()
    for bucket, records in given_records.items():
        for name in SIGNALS:
            wanted, found = extremes(records, name), extremes(shown[bucket], name)
            assert (wanted is None) == (found is None), (bucket, name)
            if wanted:
                np.testing.assert_array_equal(found, wanted, err_msg=f"bucket {bucket}, {name}")


def relay(folder, **how):
    return make_spec(
        folder, SCHEMA, decimation={"algorithm": "minmax", "factor": None, "rate_hz": None} | how
    )


def test_by_count(tmp_path):
    spec = relay(tmp_path, factor=FACTOR)
    numbers = itertools.count()
    with subscribe(**spec["multicast"]["decimated"]) as subscriber, running(spec) as line:

        @given(st.lists(values, min_size=2 * FACTOR, max_size=4 * FACTOR), st.integers(1, 3 * FACTOR))
        def whole_buckets(rows, size):
            rows = rows[: len(rows) // FACTOR * FACTOR]
            sent = [{"time": START_NS + n, "n": n, **row} for row, n in zip(rows, numbers, strict=False)]
            before = line.stats
            line.send(*chunks([encode(SCHEMA, **record) for record in sent], size))
            buckets = len(sent) // FACTOR
            line.wait(records=before["records"] + len(sent), decimated=before["decimated"] + 2 * buckets)
            check(sent, drain(subscriber), lambda record: record["n"] // FACTOR)

        whole_buckets()
        assert line.stats["decimate_skipped_blocks"] == 0


@pytest.mark.parametrize("seed", range(3))
def test_by_record_time(tmp_path, seed):
    """A lone record may be sent before its bucket ends, as on a slow channel; what follows it comes as another."""
    chance = random.Random(seed)
    sent, now = [], START_NS
    for n in range(3000):
        sent.append({"time": now, "n": n, **drawn(chance)})
        now += chance.randrange(WIDTH_NS // 10) if n % 50 else 2 * WIDTH_NS
    spec = relay(tmp_path, rate_hz=1e9 / WIDTH_NS)
    with subscribe(**spec["multicast"]["decimated"]) as subscriber, running(spec) as line:
        line.send(*chunks([encode(SCHEMA, **record) for record in sent], 20))
        line.wait(records=len(sent))
        stats = line.stop()
        packets = drain(subscriber)
    assert (len(packets), stats["decimate_skipped_blocks"]) == (stats["decimated"], 0)
    check(sent, packets, lambda record: record["time"] // WIDTH_NS)
