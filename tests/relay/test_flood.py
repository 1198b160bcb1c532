"""Twice what a relay can take, for a moment: each packet is explained. `make proof PART=flood` does so for 10^7."""

import pytest
from flood import flood


@pytest.mark.parametrize("joined", [False, True], ids=["plain", "gro"])
def test_what_is_too_much_is_explained_to_the_unit(tmp_path, joined):
    figures = flood(tmp_path, 50_000, joined=joined, receive_buffer_bytes=1 << 19)
    assert figures["kernel_drops"] > 0
    assert figures["archived"] > 0
