/* SPDX-License-Identifier: Apache-2.0
 *
 * One write to /proc.
 */
#include "linux/oomscore.h"

#include <fcntl.h>

#include "base/file.h"
#include "base/mem.h"

void oomscore_offer(void)
{
    static const char most[] = "1000";
    CLEANUP_FD int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    if (fd >= 0)
        file_write(fd, most, sizeof(most) - 1);
}
