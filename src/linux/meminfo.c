/* SPDX-License-Identifier: Apache-2.0
 *
 * "MemTotal:       24683548 kB"
 */
#include "linux/meminfo.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { NUMBER_MAX = 32 };

int meminfo_bytes(const char *text, const char *name, uint64_t *ret)
{
    size_t length = strlen(name);

    for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n') {
        char number[NUMBER_MAX];
        uint64_t kib;

        if (strncmp(at, name, length) != 0 || at[length] != ':')
            continue;
        at += length + 1;
        at += strspn(at, " ");
        snprintf(number, sizeof(number), "%.*s", (int)strspn(at, "0123456789"), at);
        if (text_parse_uint(number, INT64_MAX / 1024, &kib) < 0)
            return -EINVAL;
        *ret = kib * 1024;
        return 0;
    }
    return -EINVAL;
}
