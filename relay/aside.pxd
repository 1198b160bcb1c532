"""The quarantine ring: refused packets on their way from the receiver to the main thread, which files them."""

from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memcpy

from speeddata.relay.atomics cimport load64, store64
from speeddata.relay.mapping cimport QUARANTINE_RING, Aside, Head, Parts

cdef inline void put_ring(uint8_t *base, uint64_t at, const uint8_t *data, uint64_t length) noexcept nogil:
    """Copy into the ring, round its end; length < QUARANTINE_RING."""
    cdef uint64_t place = at % QUARANTINE_RING
    cdef uint64_t first = min(length, QUARANTINE_RING - place)
    memcpy(base + place, data, first)
    memcpy(base, data + first, length - first)

cdef inline void get_ring(const uint8_t *base, uint64_t at, uint8_t *out, uint64_t length) noexcept nogil:
    """Copy out of the ring, round its end; length < QUARANTINE_RING."""
    cdef uint64_t place = at % QUARANTINE_RING
    cdef uint64_t first = min(length, QUARANTINE_RING - place)
    memcpy(out, base + place, first)
    memcpy(out + first, base, length - first)

cdef inline uint64_t aside_bytes(const Aside *aside) noexcept nogil:
    """What a packet takes in the ring."""
    return (sizeof(Aside) + aside.length + 7) & ~<uint64_t>7

cdef inline bint put_aside(const Parts *parts, const Aside *aside, const uint8_t *packet) noexcept nogil:
    """Put a refused packet into the ring; counted as missed when there is no room."""
    cdef Head *head = parts.head
    cdef uint64_t at = head.quarantine_written
    if at + aside_bytes(aside) - load64(&head.quarantine_read) > QUARANTINE_RING:
        head.quarantine_missed += 1
        return False
    put_ring(parts.quarantine, at, <const uint8_t *>aside, sizeof(Aside))
    put_ring(parts.quarantine, at + sizeof(Aside), packet, aside.length)
    store64(&head.quarantine_written, at + aside_bytes(aside))
    return True
