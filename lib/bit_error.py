"""One flipped bit of some bytes, found by the CRC-32C that they had before."""

from speeddata.blocks import crc32c

__all__ = ["flip", "flipped_bit"]

POLYNOMIAL = 0x82F63B78  # of CRC-32C, the lowest bit first
MOST = 1 << 14  # bytes that are looked through


def flipped_bit(data: bytes, crc: int) -> int | None:
    """The number of the bit, eight a byte and the lowest first, that was flipped; None when no single one explains it.

    Checksums are linear, so that of the bytes as they were differs from that of these by what the one bit adds, which
    its distance from the end alone decides.
    """
    difference = crc32c(data) ^ crc
    if len(data) > MOST or not difference:
        return None
    added = POLYNOMIAL
    for bit in reversed(range(8 * len(data))):
        if added == difference:
            return bit
        added = added >> 1 ^ (POLYNOMIAL if added & 1 else 0)
    return None


def flip(data: bytes, bit: int) -> bytes:
    """The bytes with one bit flipped."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)
