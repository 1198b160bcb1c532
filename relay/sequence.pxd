"""Senders told apart; gap, duplicate and reorder accounting by a sequence number, per sender, in a window of 64 numbers.

`gaps` counts numbers that were jumped over; a record that comes late is counted in `reordered`, so what is missing for
good is gaps - reordered. A number far behind means that the sender started anew.
"""

from libc.stdint cimport int32_t, int64_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset

from speeddata.relay.mapping cimport SENDERS, Books, Sender, State

cdef enum:
    WINDOW = 64

cdef inline Sender *find_sender(State *state, uint32_t address, uint16_t port, uint64_t batch) noexcept nogil:
    """The sender's entry; the one that was silent longest makes room for a new one."""
    cdef Sender *sender = state.senders
    cdef uint64_t k
    for k in range(state.known):  # <= SENDERS
        if state.senders[k].address == address and state.senders[k].port == port:
            state.senders[k].touched = batch
            return &state.senders[k]
        if state.senders[k].touched < sender.touched:
            sender = &state.senders[k]
    if state.known < SENDERS:
        sender = &state.senders[state.known]
        state.known += 1
    else:
        state.forgotten += 1
    memset(sender, 0, sizeof(Sender))
    sender.address, sender.port, sender.touched = address, port, batch
    return sender

cdef inline void follow(Sender *sender, int64_t number, bint narrow, Books *books) noexcept nogil:
    """Account for one number; `narrow` ones are 32 bits and wrap."""
    # Unsigned subtraction wraps, as the numbers do.
    cdef int64_t ahead = <int64_t>(<uint64_t>number - <uint64_t>sender.newest)
    if narrow:
        ahead = <int32_t>ahead
    if sender.seen == 0 or ahead <= -WINDOW:
        sender.newest, sender.seen = number, 1
    elif ahead > 0:
        books.gaps += ahead - 1
        sender.gaps += ahead - 1
        sender.seen = 1 if ahead >= WINDOW else sender.seen << ahead | 1
        sender.newest = number
    elif sender.seen >> -ahead & 1:
        books.duplicates += 1
        sender.duplicates += 1
    else:
        sender.seen |= <uint64_t>1 << -ahead
        books.reordered += 1
        sender.reordered += 1
