# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Signed packets: the trailer held against the keys, the number against what was taken before (see signature.pxd).

What is found is a function of the packet and the State alone, so that a successor that walks a batch again comes to the same.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy, memset

from speeddata.plan cimport REASON_AUTH, REASON_OK, REASON_REPLAY, Reason
from speeddata.relay.mapping cimport MAX_KEYS, Mapping, Signer, State, current_state

from speeddata.plan import REASONS

cdef extern from "sha256.h" nogil:
    void sha256_init()
    void sha256_in_c(uint32_t *state, const uint8_t *p, size_t blocks)
    void (*sha256_blocks)(uint32_t *state, const uint8_t *p, size_t blocks)
    const uint32_t *sha256_start
    void sha256_finish(const uint32_t *state, uint64_t before, const uint8_t *p, size_t n, uint8_t *digest)
    void hmac_sha256_prepare(const uint8_t *key, size_t n, const uint8_t *first, uint32_t *inner, uint32_t *outer)
    void hmac_sha256(const uint32_t *inner, const uint32_t *outer, const uint8_t *p, size_t n, uint8_t *out)

cdef enum:
    WINDOW = 64              # numbers behind the newest that may still come
    DIGEST_BYTES = 32
    ID_BYTES = 4

sha256_init()


cdef bint equal(const uint8_t *a, const uint8_t *b) noexcept nogil:
    """Whether two tags are equal, in a time that does not tell where they differ."""
    cdef uint64_t x[2]
    cdef uint64_t y[2]
    memcpy(x, a, TAG_BYTES)
    memcpy(y, b, TAG_BYTES)
    return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0


cdef bint is_new(Signer *signer, uint64_t number) noexcept nogil:
    """Whether a number was not taken before, as far as is known of those of its age; then it is noted."""
    cdef uint64_t distance
    if number > signer.newest:
        distance = number - signer.newest
        signer.seen = 1 if distance >= WINDOW else signer.seen << distance | 1
        signer.newest = number
        return True
    distance = signer.newest - number
    if distance >= WINDOW or signer.seen >> distance & 1:
        return False
    signer.seen |= <uint64_t>1 << distance
    return True


cdef Reason check_signature(const SigningKey *keys, uint32_t count, Signer *signers, const uint8_t *packet,
                            uint32_t length) noexcept nogil:
    cdef uint8_t[DIGEST_BYTES] tag
    cdef const uint8_t *trailer = packet + length - TRAILER_BYTES  # used only where the packet is as long
    cdef uint64_t number = 0
    cdef uint32_t id, k
    cdef int i
    if length < TRAILER_BYTES or memcmp(trailer, b"SDS1", 4) != 0:
        return REASON_AUTH
    memcpy(&id, trailer + 4, ID_BYTES)
    for k in range(count):  # count <= MAX_KEYS
        if keys[k].id == id:
            hmac_sha256(keys[k].inner, keys[k].outer, packet, length - TAG_BYTES, tag)
            if not equal(tag, trailer + HEAD_BYTES):
                return REASON_AUTH
            for i in range(8):
                number |= <uint64_t>trailer[8 + i] << 8 * i
            return REASON_OK if is_new(&signers[keys[k].place], number) else REASON_REPLAY
    return REASON_AUTH


cdef class Signatures:
    """The keys that a channel's packets may be signed by: id and secret of each."""

    def __cinit__(self, str channel not None, dict secrets not None):
        cdef bytes name = channel.encode()
        cdef bytes id, secret
        cdef SigningKey *key
        if len(name) > NAME_BYTES or not 0 < len(secrets) <= MAX_KEYS:
            raise ValueError(f"channel {channel!r} with {len(secrets)} keys, wanted 1 to {MAX_KEYS}")
        name = name.ljust(NAME_BYTES, b"\0")
        memset(self.own, 0, sizeof(self.own))
        for id, secret in secrets.items():
            if len(id) != ID_BYTES or len(secret) > NAME_BYTES:
                raise ValueError(f"a key of {len(secret)} bytes with an id of {len(id)}, wanted at most {NAME_BYTES} and {ID_BYTES}")
            key = &self.keys[self.count]  # self.count < MAX_KEYS
            key.place = self.count
            memcpy(&key.id, <const uint8_t *>id, ID_BYTES)
            hmac_sha256_prepare(secret, len(secret), name, key.inner, key.outer)
            self.count += 1

    cdef int find_places(self, Mapping mapping) except -1:
        """Look up where the State has what was taken of each key; `add_signers` has put it there."""
        cdef State *state = current_state(&mapping.parts, mapping.parts.head.commit)
        cdef uint32_t i, k
        for i in range(self.count):
            for k in range(<uint32_t>state.keys):
                if state.signers[k].key == self.keys[i].id:
                    self.keys[i].place = k
                    break
            else:
                raise ValueError(f"the mapping knows no key {id_bytes(self.keys[i].id).hex()}")
        return 0

    def check(self, bytes packet not None) -> str:
        """For tests and tools: why a packet is refused, empty where it is taken; numbers are noted here, in no mapping."""
        return REASONS[<int>check_signature(self.keys, self.count, self.own, packet, <uint32_t>len(packet))]


cdef bytes id_bytes(uint32_t id):
    return (<const uint8_t *>&id)[:ID_BYTES]


def read_signers(Mapping mapping not None) -> dict[bytes, int]:
    """The highest number that was taken of each key, by its id."""
    cdef State state
    cdef uint32_t k
    mapping.copy_state(&state)
    return {id_bytes(state.signers[k].key): state.signers[k].newest for k in range(<uint32_t>state.keys)}


def add_signers(Mapping mapping not None, dict newest not None, wanted) -> None:
    """Put keys that the mapping lacks into it, with the highest number taken of each before: nothing up to it is taken again.

    For a relay that does not receive yet. Where there is no room, one gives way that is not `wanted`.
    """
    cdef State *state = current_state(&mapping.parts, mapping.parts.head.commit)
    cdef Signer *signer
    cdef uint32_t k
    cdef bytes id
    for id, number in newest.items():
        if state.keys < MAX_KEYS:
            k = <uint32_t>state.keys
        else:
            k = next(k for k in range(MAX_KEYS) if id_bytes(state.signers[k].key) not in wanted)
        signer = &state.signers[k]
        signer.newest, signer.seen = number, ~<uint64_t>0 if number else 0
        memcpy(&signer.key, <const uint8_t *>id, ID_BYTES)
        state.keys = max(state.keys, <uint64_t>k + 1)


def sha256(bytes data not None, bint plain=False) -> bytes:
    """For tests: the digest, by `plain` C or as this processor does it best."""
    global sha256_blocks
    cdef uint8_t[DIGEST_BYTES] digest
    if plain:
        sha256_blocks = sha256_in_c
    try:
        sha256_finish(sha256_start, 0, data, len(data), digest)
    finally:
        sha256_init()
    return digest[:DIGEST_BYTES]
