/* SPDX-License-Identifier: Apache-2.0
 *
 * sendfile64 in the place of libc's: the linker, and in a dynamic program the loader, find ours first.
 */
#include "net/http_sendfile.h"

#include <errno.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

ssize_t sendfile64(int out, int in, off64_t *offset, size_t size)
{
    ssize_t n = syscall(SYS_sendfile, out, in, offset, size);
    struct stat st;

    /* For a file that is copied, 0 is the usual end. */
    if (n == 0 && size > 0 && fstat(out, &st) == 0 && S_ISSOCK(st.st_mode)) {
        errno = EIO;
        return -1;
    }
    return n;
}

void http_sendfile_replace(void)
{
}
