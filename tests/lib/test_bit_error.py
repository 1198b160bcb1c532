import pytest
from hypothesis import given
from hypothesis import strategies as st

from speeddata.bit_error import MOST, flip, flipped_bit
from speeddata.blocks import crc32c


def test_each_bit_is_found():
    data = bytes(range(256)) * 2
    crc = crc32c(data)
    for bit in range(8 * len(data)):
        assert flipped_bit(flip(data, bit), crc) == bit
        assert flip(flip(data, bit), bit) == data


def test_whole_bytes_have_none():
    assert flipped_bit(b"whole", crc32c(b"whole")) is None
    assert flipped_bit(b"", 5) is None


@given(st.binary(min_size=1, max_size=600), st.data())
def test_what_two_to_four_bits_have_done_is_not_laid_on_one(data, draw):
    """Up to 655 bytes CRC-32C tells any two of five flipped bits apart (Koopman 2002)."""
    places = st.integers(0, 8 * len(data) - 1)
    bits = draw.draw(st.sets(places, min_size=2, max_size=4))
    changed = data
    for bit in bits:
        changed = flip(changed, bit)
    assert flipped_bit(changed, crc32c(data)) is None


@pytest.mark.parametrize("size", [MOST, MOST + 1])
def test_only_so_many_bytes_are_looked_through(size):
    data = bytes(size)
    assert flipped_bit(flip(data, 3), crc32c(data)) == (3 if size == MOST else None)
