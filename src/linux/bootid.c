/* SPDX-License-Identifier: Apache-2.0
 *
 * One line of a file.
 */
#include "linux/bootid.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"

int bootid_read(char ret[BOOTID_MAX])
{
    CLEANUP(buf_done) struct buf text = {.ceiling = 256};
    int r = file_load(AT_FDCWD, "/proc/sys/kernel/random/boot_id", &text);

    if (r == 0)
        snprintf(ret, BOOTID_MAX, "%.*s", (int)strcspn(buf_text(&text), "\n"), buf_text(&text));
    return r;
}
