/* SPDX-License-Identifier: Apache-2.0
 *
 * The log's time is the scheduler's clock (local_clock): the CPU's counter since boot, which stops during suspend, and
 * which NTP does not adjust. So it is CLOCK_MONOTONIC without NTP's correction, which adds up to a minute in a month.
 * CLOCK_BOOTTIME includes suspend; CLOCK_MONOTONIC_RAW is rounded so that it is off by seconds a day.
 */
#include "linux/kmsg.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

/* An estimate of the scheduler's clock. */
static int64_t kernel_usec(void)
{
    static const double FREQ_UNIT = 1e-6 / 65536;
    struct timex ntp = {0};
    struct timespec t;
    int64_t usec;

    clock_gettime(CLOCK_MONOTONIC, &t);
    usec = (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
    if (adjtimex(&ntp) < 0) /* forbidden in some containers, even to read */
        return usec;
    return usec - (int64_t)((double)usec * (double)ntp.freq * FREQ_UNIT);
}

int kmsg_open(const char *path, bool oldest, struct kmsg *ret, struct err *e)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT)
        return err_set(
            e, -FAULT_UNREADABLE,
            "no kernel log: there is no %s; in a container, mount the host's, and allow access to the device", path);
    /* A container's device cgroup refuses with EPERM, even for root. */
    if (fd < 0 && (errno == EPERM || errno == EACCES))
        return err_set(e, -FAULT_UNREADABLE,
                       "no permission to read the kernel log, %s: needs root or CAP_SYSLOG (sysctl "
                       "kernel.dmesg_restrict), and in a container access to the device",
                       path);
    if (fd < 0 || (!oldest && lseek(fd, 0, SEEK_END) < 0))
        return err_set(e, -FAULT_UNREADABLE, "the kernel log, %s, cannot be read: %m", path);
    *ret = (struct kmsg){.fd = TAKE_FD(fd)};
    return 0;
}

void kmsg_done(struct kmsg *k)
{
    mem_close_ptr(&k->fd);
    k->fd = -1;
}

/* No record can be from the future; and a record that was waited for is from now. */
static void set_clock(struct kmsg *k, uint64_t usec)
{
    int64_t ahead = (int64_t)usec - kernel_usec();

    if (ahead > k->ahead_usec || k->awaited)
        k->ahead_usec = ahead;
    k->awaited = false;
}

int kmsg_read(struct kmsg *k, struct kmsgrecord *ret)
{
    char data[KMSGRECORD_MAX];

    assert(k->fd >= 0);
    for (;;) {
        ssize_t n = read(k->fd, data, sizeof(data));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            k->awaited = true;
            return 0;
        }
        if (n < 0)
            return -errno;
        if (n == 0) /* never of /dev/kmsg, only in tests */
            return 0;
        if (kmsgrecord_parse(data, (size_t)n, ret) < 0 || ret->usec > INT64_MAX)
            continue;
        set_clock(k, ret->usec);
        return 1;
    }
}

int64_t kmsg_wall_ns(const struct kmsg *k, uint64_t usec)
{
    int64_t age_usec = kernel_usec() + k->ahead_usec - (int64_t)usec;

    return clock_wall_ns() - age_usec * 1000;
}
