# cython: language_level=3, boundscheck=False, wraparound=False
"""How signals stand to their limits, in the mapping (see standings.pxd)."""

import os

from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memset

from speeddata.plan cimport KIND_BOOLEAN, KIND_DOUBLE, KIND_FLOAT
from speeddata.relay.atomics cimport fence, load64, store64
from speeddata.relay.mapping cimport EDGES, MAX_LIMITED, Beyond, Limited, Side, Standing, current_standing

EDGE_NAMES = ("low", "high")


cdef uint64_t key_of(str name):
    """FNV-1a, never 0."""
    cdef uint64_t key = <uint64_t>0xCBF29CE484222325
    cdef bytes text = name.encode()
    cdef uint8_t letter
    for letter in text:
        key = (key ^ letter) * <uint64_t>0x100000001B3
    return key or 1


def signal_key(str name not None) -> int:
    return key_of(name)


cdef Limited *place_of(Limited *limited, uint64_t key) noexcept nogil:
    cdef int k
    for k in range(MAX_LIMITED):
        if limited[k].key == key:
            return &limited[k]
    return NULL


cdef Limited *claim(Limited *limited, uint64_t key, uint64_t epoch) except? NULL:
    cdef Limited *place = place_of(limited, key)
    if place != NULL:
        return place
    place = place_of(limited, 0)
    if place != NULL:
        memset(place, 0, sizeof(Limited))
        place.epoch = epoch or int.from_bytes(os.urandom(8), "little") >> 1 | 1
        store64(&place.key, key)
    return place


cdef void copy_standing(Side *side, Standing *out) noexcept nogil:
    """Copy the Standing that counts; again when another was noted meanwhile (two would overwrite it)."""
    cdef uint64_t turn
    while True:
        turn = load64(&side.turn)
        out[0] = side.standings[turn & 1]
        fence()
        if load64(&side.turn) == turn:
            return


cdef dict show_beyond(const Beyond *b):
    cdef object value = b.whole
    cdef object limit = b.limit
    if b.kind == KIND_DOUBLE or b.kind == KIND_FLOAT:
        value = b.real
    elif limit.is_integer():
        limit = int(limit)
    if b.kind == KIND_BOOLEAN:
        value = bool(value)
    return {"time": b.time_ns, "value": value, "limit": limit, "kind": b.kind}


cdef int put_beyond(Beyond *out, dict shown) except -1:
    out.time_ns, out.limit, out.kind, out.pad = shown["time"], shown["limit"], shown["kind"], 0
    out.real = out.whole = 0
    if out.kind == KIND_DOUBLE or out.kind == KIND_FLOAT:
        out.real = shown["value"]
    else:
        out.whole = shown["value"]
    return 0


cdef list read_standings(Limited *limited):
    cdef Standing s
    cdef int edge, k
    found = []
    for k in range(MAX_LIMITED):
        if load64(&limited[k].key) == 0:
            continue
        for edge in range(EDGES):
            copy_standing(&limited[k].sides[edge], &s)
            if s.rises:
                found.append({
                    "key": limited[k].key,
                    "epoch": limited[k].epoch,
                    "side": EDGE_NAMES[edge],
                    "seen": load64(&limited[k].sides[edge].seen),
                    "rises": s.rises,
                    "level": s.level,
                    "highest": s.highest,
                    "since": [s.since_ns[0], s.since_ns[1]],
                    "records": [s.records[0], s.records[1]],
                    "last": show_beyond(&s.last),
                    "worst": show_beyond(&s.worst),
                })
    return found


cdef int restore_standings(Limited *limited, list standings) except -1:
    cdef Limited *place
    cdef Side *side
    cdef Standing *s
    for one in standings:
        place = claim(limited, key_of(one["signal"]), one["epoch"])
        if place == NULL:
            break
        side = &place.sides[<int>EDGE_NAMES.index(one["side"])]
        s = current_standing(side)
        s.rises, s.level, s.highest = one["rises"], one["level"], one["highest"]
        s.since_ns[0], s.since_ns[1] = one["since"]
        s.records[0], s.records[1] = one["records"]
        put_beyond(&s.last, one["last"])
        put_beyond(&s.worst, one["worst"])
        side.seen = one["seen"]
    return 0


cdef bint acknowledge_rises(Limited *limited, str name, str edge, uint64_t epoch, uint64_t rises):
    cdef Limited *place = place_of(limited, key_of(name))
    cdef Side *side
    if place == NULL or place.epoch != epoch:
        return False
    side = &place.sides[<int>EDGE_NAMES.index(edge)]
    if rises > side.seen:
        store64(&side.seen, rises)
    return True
