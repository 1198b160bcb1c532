import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from speeddata.iso_times import iso_json
from speeddata.times import format_time

LOWEST, HIGHEST = -(2**63), 2**63 - 1
SCALES = st.sampled_from([1, 10**3, 10**6, 10**9, 86400 * 10**9])


@given(
    st.lists(st.tuples(st.integers(LOWEST, HIGHEST), SCALES).map(lambda pair: pair[0] // pair[1] * pair[1]))
)
def test_times_are_written_as_one_by_one(times):
    times = [time for time in times if time >= LOWEST] + [LOWEST, HIGHEST, 0, -1]
    told = json.loads(b"[" + iso_json(np.array(times, np.int64)) + b"]")
    assert told == [format_time(time) for time in times]


def test_none_are_nothing():
    assert iso_json(np.empty(0, np.int64)) == b""
