import segments as made

from speeddata.damage import Damage, damaged


def test_says_what_is_left_out():
    damage = Damage("a.avro", 10, 20, 3, "checksum")
    assert str(damage) == "a.avro: checksum in bytes 10 to 20, 3 records left out"
    assert "an unknown number of records" in str(Damage("a.avro", 10, 20, None, "not a block"))
    assert damage.as_json() == {
        "segment": "a.avro",
        "start": 10,
        "end": 20,
        "records": 3,
        "reason": "checksum",
    }


def test_tells_the_block_of_an_entry():
    entries = made.entry(100, b"x" * 30, [1, 2], 0) + made.entry(130, b"x" * 40, [3], 0)
    assert damaged("a.avro", entries, 1, "y") == Damage("a.avro", 130, 170, 1, "y")
