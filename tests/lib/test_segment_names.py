import time

import pytest

from speeddata.segment_names import is_index_name, is_segment_name, segment_name


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "Pacific/Kiritimati", "Europe/Zurich"])
def test_fault_64_names_are_in_utc_in_every_zone(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        # The two half hours that Zurich's clocks show alike.
        assert segment_name("x", 1_761_438_600_000_000) == "x_20251026T003000.000000Z.avro"
        assert segment_name("x", 1_761_442_200_000_000) == "x_20251026T013000.000000Z.avro"
        assert segment_name("x", 2**31 * 10**6) == "x_20380119T031408.000000Z.avro"
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("start_us", "start"),
    [
        (0, "19700101T000000.000000Z"),
        (1_700_000_000_000_001, "20231114T221320.000001Z"),
        (4_102_444_799_999_999, "20991231T235959.999999Z"),
    ],
)
def test_names_are_those_that_relays_give(start_us: int, start: str) -> None:
    assert segment_name("a.b", start_us) == f"a.b_{start}.avro"
    assert is_segment_name("a.b", f"a.b_{start}.avro")
    assert is_index_name("a.b", f"a.b_{start}.idx")


@pytest.mark.parametrize(
    "name",
    [
        "b_20231114T221320.000001Z.avro",
        "a_20231114T221320.000001Z.avro.damaged",
        "a_20231114T221320.000001Z.avro.idx",
        ".a_20231114T221320.000001Z.avro",
        "a_b_20231114T221320.000001Z.avro",
        "a_export.avro",
        "a_20231114T221320.000001Z.avro\n",
        "a_20231114T221320.00000١Z.avro",
        "quarantine.avro",
        "",
    ],
)
def test_no_other_file_is_taken_for_one(name: str) -> None:
    assert not is_segment_name("a", name)
    assert not is_index_name("a", name)
    assert not is_segment_name("a", name.replace(".avro", ".idx"))
