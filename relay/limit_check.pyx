# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""From the limits that schemas state to what records are held against (see limit_check.pxd)."""

import math

from libc.math cimport INFINITY, isinf
from libc.stdint cimport INT64_MAX, INT64_MIN, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from speeddata.plan cimport (
    KIND_ARRAY, KIND_BOOLEAN, KIND_DOUBLE, KIND_FLOAT, KIND_INT, KIND_LONG, KIND_NULL, KIND_UNION, CPlan, Plan, Step,
)
from speeddata.relay.doorbell cimport Bell
from speeddata.relay.limits cimport Check, Checking, Checks, Reading, is_calm, note_readings
from speeddata.relay.mapping cimport EDGE_LOW, EDGES, LEVEL_WITHIN, MAX_LIMITED, MAX_VERSIONS, Limited, current_standing
from speeddata.relay.standings cimport acknowledge_rises, claim, key_of, place_of, read_standings

from speeddata.steps import NUMBER, steps

NO_LIMITS = (None, None)


cdef double as_kind(uint8_t kind, double bound):
    """A bound as near as the type has it: what was meant to be equal to it is."""
    cdef double single = <double><float>bound
    return single if kind == KIND_FLOAT and not isinf(single) else bound


cdef int set_bounds(Check *check, limits) except -1:
    cdef int edge, level
    for edge in range(EDGES):
        warn, alarm = (NO_LIMITS if limits is None else (limits.warn[edge], limits.alarm[edge]))
        for level, bound in enumerate((alarm if warn is None else warn, alarm)):
            if bound is None:
                check.real[edge][level] = -INFINITY if edge == EDGE_LOW else INFINITY
                check.whole[edge][level] = INT64_MIN if edge == EDGE_LOW else INT64_MAX
                continue
            check.stated[edge][level] = bound
            check.real[edge][level] = as_kind(check.kind, bound)
            if check.kind not in (KIND_DOUBLE, KIND_FLOAT):
                check.whole[edge][level] = math.ceil(bound) if edge == EDGE_LOW else math.floor(bound)
    return 0


cdef uint8_t kind_of(const CPlan *plan, uint32_t i) noexcept:
    """Kind of the numbers of operation `i`; KIND_NULL where it has none that limits can be for."""
    cdef uint8_t kind = plan.ops[i].kind
    if kind == KIND_UNION and plan.ops[i].size == 2:
        i += 1
        if plan.ops[i].kind == KIND_NULL:
            i = plan.ops[i].next
        elif plan.ops[plan.ops[i].next].kind != KIND_NULL:
            return KIND_NULL
        return kind_of(plan, i)
    if kind == KIND_ARRAY:
        return kind_of(plan, i + 1)
    return kind if kind in (KIND_DOUBLE, KIND_FLOAT, KIND_LONG, KIND_INT, KIND_BOOLEAN) else KIND_NULL


cdef class LimitCheck:
    """The limits of a channel, whose versions of the schema are `plans`. By itself it is for tests and tools."""

    def __cinit__(self, list plans not None):
        cdef Plan plan
        cdef uint32_t version
        memset(&self.c, 0, sizeof(Checking))
        assert 0 < len(plans) <= MAX_VERSIONS, "at least one version of the schema"
        self.plans = plans
        named = {signal.name: None for plan in plans for signal in plan.schema.signals if signal.limits}
        self.names = {key_of(name): name for name in list(named)[:MAX_LIMITED]}
        if not self.names:
            return
        self.c.readings = <Reading *>calloc(MAX_LIMITED, sizeof(Reading))
        if self.c.readings == NULL:
            raise MemoryError
        for version, plan in enumerate(plans):
            self.compile(&self.c.versions[version], plan)
            self.c.plans[version] = &plan.c

    def __dealloc__(self):
        cdef int version
        for version in range(MAX_VERSIONS):
            free(self.c.versions[version].checks)
            free(self.c.versions[version].steps)
        free(self.c.readings)
        free(self.own)

    cdef int compile(self, Checks *out, Plan plan) except -1:
        """Find the signals of a version, those too that have limits in others only: there nothing is beyond."""
        cdef Check *check
        cdef uint32_t leaf, k
        limited = set(self.names.values())
        wanted = [
            number for number, signal in enumerate(plan.schema.signals)
            if signal.name in limited and kind_of(&plan.c, plan.c.leaves[<uint32_t>number].first) != KIND_NULL
        ]
        rows = [(type_, plan.c.ops[<uint32_t>k].next) for k, type_ in enumerate(plan.types)]
        leaves = [(None, plan.c.leaves[k].first, plan.c.leaves[k].last) for k in range(plan.c.leaf_count)]
        found = steps(rows, leaves, wanted)
        while wanted and found[len(found) - 1][1] != NUMBER:  # what follows the last of them is of no interest
            found.pop()
        out.count = <uint32_t>len(wanted)
        out.checks = <Check *>calloc(max(out.count, 1), sizeof(Check))
        out.steps = <Step *>calloc(len(found) + 1, sizeof(Step))  # the last is STEP_END, which is 0
        if out.checks == NULL or out.steps == NULL:
            raise MemoryError
        if wanted:
            for k, (fixed, kind, place) in enumerate(found):
                out.steps[k] = Step(fixed=fixed, kind=kind, place=place)
        for k, leaf in enumerate(wanted):
            check = &out.checks[k]
            check.leaf, check.kind = leaf, kind_of(&plan.c, plan.c.leaves[leaf].first)
            check.plain = plan.c.ops[plan.c.leaves[leaf].first].kind == KIND_DOUBLE
            set_bounds(check, plan.schema.signals[leaf].limits)
        return 0

    cdef int attach(self, Limited *limited, uint64_t *turns, Bell *keeper) except -1:
        """Note in these places from now on."""
        cdef uint32_t k, version
        cdef int edge
        cdef Check *check
        cdef Limited *place
        self.c.turns, self.c.keeper, self.c.beyond = turns, keeper, 0
        for key in self.names:
            place = claim(limited, key, 0)
            if place != NULL:
                for edge in range(EDGES):
                    self.c.beyond += current_standing(&place.sides[edge]).level != LEVEL_WITHIN
        for version in range(<uint32_t>len(self.plans)):
            for k in range(self.c.versions[version].count):
                check = &self.c.versions[version].checks[k]
                check.place = place_of(limited, key_of(self.plans[version].schema.signals[check.leaf].name))
        return 0

    def check(self, bytes record not None, time_ns, uint32_t version=0) -> bool:
        """Hold a record against the limits; whether something was noted. Only by itself, not where a relay has it."""
        if not self.names:
            return False
        if self.own == NULL:
            self.own = <Limited *>calloc(MAX_LIMITED, sizeof(Limited))
            if self.own == NULL:
                raise MemoryError
            self.attach(self.own, &self.turns, NULL)
        cdef const uint8_t *data = record
        if version >= <uint32_t>len(self.plans) or is_calm(&self.c, version, data, data + len(record)):
            return False
        note_readings(&self.c, version, time_ns)
        return True

    def standings(self) -> list:
        """How the signals stand that were ever beyond their limits."""
        return [] if self.own == NULL else read_standings(self.own)

    def acknowledge(self, str signal, str side, epoch, rises) -> bool:
        """Note that so many rises are acknowledged."""
        return self.own != NULL and acknowledge_rises(self.own, signal, side, epoch, rises)
