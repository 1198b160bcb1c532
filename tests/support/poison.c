/* Preloaded behind AddressSanitizer: what recvmmsg has not filled of a buffer is out of bounds until the next call.

The relay receives into slots of one mapping, in which the sanitizer knows of no bounds of its own. */

#define _GNU_SOURCE
#include <stddef.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

void __asan_poison_memory_region(void const volatile *place, size_t size);
void __asan_unpoison_memory_region(void const volatile *place, size_t size);

int recvmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags, struct timespec *timeout)
{
    unsigned int i;
    int got;
    for (i = 0; i < count; i++)
        __asan_unpoison_memory_region(messages[i].msg_hdr.msg_iov->iov_base, messages[i].msg_hdr.msg_iov->iov_len);
    got = syscall(SYS_recvmmsg, fd, messages, count, flags, timeout);
    for (i = 0; i < count; i++) {
        struct iovec *slot = messages[i].msg_hdr.msg_iov;
        size_t length = (int)i < got ? messages[i].msg_len : 0;
        if (length < slot->iov_len)
            __asan_poison_memory_region((char *)slot->iov_base + length, slot->iov_len - length);
    }
    return got;
}
