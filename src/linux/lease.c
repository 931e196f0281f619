/* SPDX-License-Identifier: Apache-2.0
 *
 * Takes a read lease and returns it. If a process opens the file for writing in between, its open(2) waits some
 * microseconds for the lease (with O_NONBLOCK it fails with EWOULDBLOCK, fcntl(2) "Leases"), and the kernel sends us a
 * signal. By default that is SIGIO, which would end the process; so SIGURG is set, which is ignored by default: each
 * time, because returning a lease resets it (fs/locks.c, lease_modify). A signal below SIGRTMIN has no queue that could
 * be full, for which the kernel would send SIGIO instead.
 */
#include "linux/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

enum lease lease_probe(int fd)
{
    if (fcntl(fd, F_SETSIG, SIGURG) < 0)
        return LEASE_UNKNOWN; /* never risk SIGIO */
    if (fcntl(fd, F_SETLEASE, F_RDLCK) < 0)
        return errno == EAGAIN ? LEASE_WRITER : LEASE_UNKNOWN;
    fcntl(fd, F_SETLEASE, F_UNLCK);
    return LEASE_NO_WRITER;
}
