"""Signed packets: whether the trailer of one is right, and its number new (see docs/wire-format.md).

    records | "SDS1" | key id, 4 bytes | number, 8 bytes | HMAC-SHA-256 over the channel's name and all that, 16 bytes of it

A key is one sender's: what was taken of it is kept per key, whatever address a packet comes from, as that can be forged.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from speeddata.plan cimport Reason
from speeddata.relay.mapping cimport MAX_KEYS, Mapping, Signer

cdef enum:
    NAME_BYTES = 64          # the channel's name with zeros after it: a block of the hash, done once
    HEAD_BYTES = 16          # of the trailer, which are signed too
    TAG_BYTES = 16
    TRAILER_BYTES = 32

# A key that packets may be signed by.
cdef struct SigningKey:
    uint32_t id              # as on the wire
    uint32_t place           # of its Signer in the State
    uint32_t inner[8]        # state of the inner hash after the key and the name, of the outer after the key
    uint32_t outer[8]

# Whether a packet is signed by one of the keys and was not taken before; then its number is noted in `signers`.
cdef Reason check_signature(const SigningKey *keys, uint32_t count, Signer *signers, const uint8_t *packet,
                            uint32_t length) noexcept nogil

cdef class Signatures:
    cdef SigningKey keys[MAX_KEYS]
    cdef uint32_t count
    cdef Signer own[MAX_KEYS]

    cdef int find_places(self, Mapping mapping) except -1
