"""What follows a failed fdatasync: such a segment is never trusted again, what it did not cover is written into another.

    blocks since the last fdatasync that succeeded --read back, checksums--> a new segment --fdatasync--> the old one is cut

Reading back gives what the kernel still holds in memory; the checksums of the index tell where it does not. Killed at any
instant, a successor goes on from what the Store says: `rescue_us` is begun anew, `cut_us` is cut.
"""

from libc.stdint cimport uint8_t

from speeddata.relay.container cimport Container
from speeddata.relay.mapping cimport Parts, Store

# Copy into `fresh`, which is open, the blocks of `c` since its last fdatasync that still are what they were; a block with its
# frame is at most `room` bytes, of `scratch`. `new.pending` tells their records.
cdef int copy_blocks(const Container *c, const Store *old, Container *fresh, Store *new, uint8_t *scratch,
                     size_t room) noexcept nogil

# Move what `c`'s open segment has not on the disk into a new one, and go on there. `scratch` holds a block with its frame
# (`room` bytes). On an error (an errno) nothing is changed but that the new one is gone.
cdef int rescue(const Parts *parts, Container *c, uint8_t *scratch, size_t room) noexcept nogil

# End the open segment at what is known to be on the disk: the rest is counted lost, and not left in the archive.
cdef void give_up(const Parts *parts, Container *c) noexcept nogil

# What a killed relay left of a rescue: cut the segment that was still to be cut, drop the one that was being made.
cdef void resume_rescue(const Parts *parts, Container *c) noexcept nogil
