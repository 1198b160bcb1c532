"""Made-up records fit every type there is."""

from channels import EVERY

from speeddata.made_up import made_up
from speeddata.plan import Plan
from speeddata.rows_json import RowEncoder
from speeddata.schema import Schema


def test_made_up_records_are_records_of_the_schema():
    schema = Schema.parse(EVERY)
    rows = [{"time": 1_700_000_000 * 10**9, **made_up(schema, n, float(n))} for n in range(20)]
    encoded = RowEncoder(Plan(schema), "ns").rows(rows)
    assert encoded.errors == []
    assert Plan(schema).packet(encoded.data) == 20
    assert [row["n"] for row in rows] == list(range(20))
    assert len({row["float"] for row in rows}) > 10
    assert {row["boolean"] for row in rows} == {True, False}
