"""Ten million packets at twice what a relay can take: each is archived, or explained by the books, to the unit.

Without UDP_GRO the kernel counts every packet that it drops. With it, it counts buffers; there the sequence numbers tell
what is missing. FLOOD_PACKETS=n makes it another number.
"""

import json
import os

import pytest
from flood import flood

PACKETS = int(os.environ.get("FLOOD_PACKETS", "10_000_000"))
RING = 1 << 20  # so small that the archive cannot keep up either


@pytest.mark.parametrize("joined", [False, True], ids=["plain", "gro"])
def test_flood(tmp_path, joined):
    figures = flood(tmp_path, PACKETS, joined=joined, ring_bytes=RING)
    print(json.dumps(figures))
    assert figures["times_what_it_took"] >= 2, "it was no flood"
