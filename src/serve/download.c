/* SPDX-License-Identifier: Apache-2.0
 *
 * Objects of a root, to their readers.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "serve/root.h"
#include "serve/route.h"

void download_object(struct request *r)
{
    CLEANUP_FD int fd = -1;
    struct stat st;

    if (!request_may(r, RIGHT_READ))
        return;
    fd = root_open(r->serve->root_fd, r->key, O_RDONLY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        exchange_answer_text(r->exchange, 404, "not found");
        return;
    }
    exchange_answer_file(r->exchange, 200, TAKE_FD(fd), 0, (uint64_t)st.st_size);
}
