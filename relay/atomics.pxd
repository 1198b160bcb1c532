"""Words that two threads, or two processes, share. One of them writes each; the other reads."""

from libc.stdint cimport uint32_t, uint64_t

cdef extern from * nogil:
    """
    #include <stdint.h>
    #define speeddata_load(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
    #define speeddata_store(p, value) __atomic_store_n((p), (value), __ATOMIC_RELEASE)
    #define speeddata_fence() __atomic_thread_fence(__ATOMIC_SEQ_CST)
    """
    uint64_t load64 "speeddata_load"(const uint64_t *p)
    uint32_t load32 "speeddata_load"(const uint32_t *p)
    void store64 "speeddata_store"(uint64_t *p, uint64_t value)
    void store32 "speeddata_store"(uint32_t *p, uint32_t value)
    # A full fence: between publishing a thing and asking whether somebody sleeps, and the other way round.
    void fence "speeddata_fence"()
