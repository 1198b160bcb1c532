"""What is borrowed from Linux, by header; only the fields and names that are used."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from posix.types cimport mode_t, off_t

cdef extern from "<errno.h>" nogil:
    int errno
    enum: EAGAIN, EINTR, EEXIST, ENOSPC, EDQUOT, EFBIG, ENOENT, EMSGSIZE, EINVAL, EIO, ELOOP, ESTALE

cdef extern from "<time.h>" nogil:
    struct timespec:
        long tv_sec
        long tv_nsec
    struct tm:
        int tm_sec, tm_min, tm_hour, tm_mday, tm_mon, tm_year
    enum: CLOCK_REALTIME, CLOCK_MONOTONIC
    int clock_gettime(int clock, timespec *out)
    int nanosleep(const timespec *time, timespec *rest)
    tm *gmtime_r(const long *seconds, tm *out)

cdef extern from "<sys/time.h>" nogil:
    struct timeval:
        long tv_sec
        long tv_usec

cdef extern from "<sys/uio.h>" nogil:
    struct iovec:
        void *iov_base
        size_t iov_len
    ssize_t pwritev(int fd, const iovec *parts, int count, off_t offset)

cdef extern from "<arpa/inet.h>" nogil:
    uint32_t ntohl(uint32_t value)
    uint16_t ntohs(uint16_t value)

cdef extern from "<netinet/in.h>" nogil:
    struct in_addr:
        uint32_t s_addr
    struct sockaddr_in:
        uint16_t sin_family
        uint16_t sin_port
        in_addr sin_addr

cdef extern from "<sys/socket.h>" nogil:
    struct msghdr:
        void *msg_name
        unsigned int msg_namelen
        iovec *msg_iov
        size_t msg_iovlen
        void *msg_control
        size_t msg_controllen
        int msg_flags
    struct mmsghdr:
        msghdr msg_hdr
        unsigned int msg_len
    struct cmsghdr:
        size_t cmsg_len
        int cmsg_level
        int cmsg_type
    enum: MSG_DONTWAIT, MSG_WAITFORONE, MSG_TRUNC, SOL_SOCKET, SO_MEMINFO, SO_RCVTIMEO, SCM_TIMESTAMPNS
    int setsockopt(int fd, int level, int name, const void *value, unsigned int length)
    int getsockopt(int fd, int level, int name, void *value, unsigned int *length)
    cmsghdr *CMSG_FIRSTHDR(msghdr *header)
    cmsghdr *CMSG_NXTHDR(msghdr *header, cmsghdr *previous)
    unsigned char *CMSG_DATA(cmsghdr *header)
    size_t CMSG_LEN(size_t length)
    int recvmmsg(int fd, mmsghdr *messages, unsigned int count, int flags, timespec *timeout)
    int sendmmsg(int fd, mmsghdr *messages, unsigned int count, int flags)

cdef extern from "<netinet/udp.h>" nogil:
    enum: SOL_UDP, UDP_SEGMENT, UDP_GRO

cdef extern from "<poll.h>" nogil:
    struct pollfd:
        int fd
        short events
        short revents
    enum: POLLIN
    int ppoll(pollfd *fds, unsigned long count, const timespec *timeout, const void *signals)

cdef extern from "<sys/eventfd.h>" nogil:
    int eventfd_write(int fd, uint64_t value)
    int eventfd_read(int fd, uint64_t *value)

cdef extern from "<sys/mman.h>" nogil:
    void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
    int munmap(void *address, size_t length)
    int mlock(const void *address, size_t length)
    int madvise(void *address, size_t length, int advice)
    enum: PROT_READ, PROT_WRITE, MAP_SHARED, MAP_NORESERVE, MADV_POPULATE_WRITE
    void *MAP_FAILED

cdef extern from "<fcntl.h>" nogil:
    enum: O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_EXCL, O_CLOEXEC, O_NOFOLLOW

cdef extern from "<unistd.h>" nogil:
    ssize_t pread(int fd, void *data, size_t count, off_t offset)
    ssize_t pwrite(int fd, const void *data, size_t count, off_t offset)
    int close(int fd)
    int syncfs(int fd)

cdef extern from "<stdio.h>" nogil:
    enum: RENAME_NOREPLACE
    int snprintf(char *out, size_t size, const char *format, ...)

# Calls that begin again when a signal interrupts them.
cdef extern from * nogil:
    """
    #include <errno.h>
    #include <fcntl.h>
    #include <stdio.h>
    #include <unistd.h>
    #define SPEEDDATA_AGAIN(call) int result; do result = (call); while (result < 0 && errno == EINTR); return result
    static inline int speeddata_openat(int folder, const char *path, int flags, mode_t mode)
        { SPEEDDATA_AGAIN(openat(folder, path, flags, mode)); }
    static inline int speeddata_fdatasync(int fd) { SPEEDDATA_AGAIN(fdatasync(fd)); }
    static inline int speeddata_fsync(int fd) { SPEEDDATA_AGAIN(fsync(fd)); }
    static inline int speeddata_ftruncate(int fd, off_t length) { SPEEDDATA_AGAIN(ftruncate(fd, length)); }
    static inline int speeddata_unlinkat(int folder, const char *path, int flags)
        { SPEEDDATA_AGAIN(unlinkat(folder, path, flags)); }
    static inline int speeddata_linkat(int folder, const char *old, int new_folder, const char *name, int flags)
        { SPEEDDATA_AGAIN(linkat(folder, old, new_folder, name, flags)); }
    static inline int speeddata_renameat2(int folder, const char *old, int new_folder, const char *name, unsigned int flags)
        { SPEEDDATA_AGAIN(renameat2(folder, old, new_folder, name, flags)); }
    """
    int openat "speeddata_openat"(int folder, const char *path, int flags, mode_t mode)
    int fdatasync "speeddata_fdatasync"(int fd)
    int fsync "speeddata_fsync"(int fd)
    int ftruncate "speeddata_ftruncate"(int fd, off_t length)
    int unlinkat "speeddata_unlinkat"(int folder, const char *path, int flags)
    int linkat "speeddata_linkat"(int folder, const char *old, int new_folder, const char *new, int flags)
    int renameat2 "speeddata_renameat2"(int folder, const char *old, int new_folder, const char *new, unsigned int flags)

cdef extern from "<sys/random.h>" nogil:
    ssize_t getrandom(void *out, size_t length, unsigned int flags)


cdef inline int64_t clock_ns(int clock) noexcept nogil:
    cdef timespec now
    clock_gettime(clock, &now)
    return <int64_t>now.tv_sec * 1_000_000_000 + now.tv_nsec

cdef inline void pause(int64_t ns) noexcept nogil:
    cdef timespec time
    time.tv_sec, time.tv_nsec = ns // 1_000_000_000, ns % 1_000_000_000
    nanosleep(&time, NULL)
