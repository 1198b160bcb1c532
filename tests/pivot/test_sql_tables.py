import pyarrow as pa
import pyarrow.dataset as ds
import pytest
import segments as made

from speeddata.archive import Archive
from speeddata.pivot.sql_bounds import TIME
from speeddata.pivot.sql_tables import ChannelTable, channel_names


@pytest.fixture
def table(tmp_path):
    made.write_segment(tmp_path / "example", [made.records(500, n) for n in range(0, 5000, 500)])
    return ChannelTable(Archive(tmp_path / "example"))


def scan(table, columns=None, wanted=None):
    return table.scanner(columns=columns, filter=wanted).to_reader().read_all()


def test_all_columns(table):
    assert table.schema.names == ["time", "counter", "voltage", "message", "time_ns"]
    rows = scan(table)
    assert rows.schema == table.schema
    assert rows["time_ns"].to_pylist() == [made.START + n * 10**6 for n in range(5000)]
    assert rows["time"].cast(pa.int64()).to_pylist() == [made.START // 1000 + n * 1000 for n in range(5000)]
    assert rows["message"][4999].as_py() == "m4999"


def test_chosen_columns_in_their_order(table):
    assert scan(table, ["voltage", "time"]).column_names == ["voltage", "time"]


def test_only_blocks_of_the_time_are_read(table):
    start = pa.scalar(made.START // 1000 + 1_000_000, TIME)
    rows = scan(
        table, ["counter"], (ds.field("time") >= start) & (ds.field("time_ns") < made.START + 1_400_000_000)
    )
    assert rows["counter"].to_pylist() == list(range(1000, 1400))
    assert table.records_read <= 1000  # the block before ends a millisecond before


def test_nothing_is_read_where_nothing_can_be(table):
    assert scan(table, ["counter"], (ds.field("time_ns") > 5) & (ds.field("time_ns") < 3)).num_rows == 0
    assert table.records_read == 0


def test_a_filter_of_a_column_that_is_not_given(table):
    assert scan(table, ["message"], ds.field("voltage") == 2.0)["message"].to_pylist() == ["m8"]


def test_a_channel_without_records(tmp_path):
    (tmp_path / "empty").mkdir()
    table = ChannelTable(Archive(tmp_path / "empty"))
    assert table.schema.names == ["time", "time_ns"]
    assert scan(table).num_rows == 0


def test_damage_is_counted(tmp_path):
    path = made.write_segment(tmp_path / "example", [made.records(10), made.records(10, 10)])
    content = bytearray(path.read_bytes())
    content[-30] ^= 1
    path.write_bytes(content)
    table = ChannelTable(Archive(tmp_path / "example"))
    assert scan(table).num_rows == 10
    assert table.damages == 1


def test_names_of_channels(tmp_path):
    for name in ("b", "a.b-1", ".tags"):
        (tmp_path / name).mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "b")
    (tmp_path / "file").touch()
    assert channel_names(tmp_path) == ["a.b-1", "b"]
