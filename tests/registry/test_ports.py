from pathlib import Path

import pytest

from speeddata.registry.ports import bound_ports

TABLE = """   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  100: 0100007F:6590 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1 2 0000000000000000 0
  101: 00000000:6591 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 2 2 0000000000000000 0
  102: 0200007F:6592 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 3 2 0000000000000000 0
"""


@pytest.mark.parametrize(
    ("listen", "ports"),
    [("127.0.0.1", {26000, 26001}), ("127.0.0.2", {26001, 26002}), ("0.0.0.0", {26000, 26001, 26002})],
)
def test_ports_that_an_address_cannot_have(tmp_path: Path, listen: str, ports: set[int]) -> None:
    table = tmp_path / "udp"
    table.write_text(TABLE)
    assert bound_ports(listen, table) == ports


def test_where_proc_does_not_tell_nothing_is_bound(tmp_path: Path) -> None:
    assert bound_ports("127.0.0.1", tmp_path / "nosuch") == set()
