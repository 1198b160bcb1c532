"""One message of a batch: a packet, or several that the kernel joined, validated and brought to where they belong.

What it does is a function of the slot and the State alone, so that a successor which does it again comes to the same.
"""

from libc.stdint cimport uint32_t

from speeddata.relay.mapping cimport Books, State
from speeddata.relay.receiver cimport Receiving

# Walk packets by a version of the schema from here on.
cdef void use_version(Receiving *r, Books *books, uint32_t version) noexcept nogil

# Take the packets in slot `i` into the block and the books of `state`, and queue them for the full-rate stream; those
# that are refused are counted and set aside.
cdef void take_message(Receiving *r, State *state, unsigned int i) noexcept nogil
