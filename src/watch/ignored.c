/* SPDX-License-Identifier: Apache-2.0
 *
 * A short list of hashes.
 */
#include "watch/ignored.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "base/log.h"
#include "ship/kind.h"

enum { GLOB_MAX = 64 };

const char *ignored_glob(const char *name, char *out, size_t size)
{
    const char *dot = strrchr(name, '.');

    if (kind_is_proposed(name))
        snprintf(out, size, "%s", kind_of_name(name)->glob);
    else if (!dot || dot == name || !dot[1])
        snprintf(out, size, "*");
    else if (strspn(dot + 1, "0123456789") == strlen(dot + 1))
        snprintf(out, size, "*.N");
    else
        snprintf(out, size, "*%s", dot);
    return out;
}

void ignored_add(struct ignored *i, const char *folder, const char *name)
{
    char glob[GLOB_MAX];
    uint64_t hash;

    i->files++;
    ignored_glob(name, glob, sizeof(glob));
    hash = XXH3_64bits_withSeed(folder, strlen(folder), XXH3_64bits(glob, strlen(glob)));
    for (size_t k = 0; k < i->count; k++)
        if (i->seen[k] == hash)
            return;
    if (i->count == IGNORED_MAX)
        return;
    i->seen[i->count++] = hash;
    log_event(EVENT_IGNORED, LOG_STR("dir", folder), LOG_STR("names", glob), LOG_STR("name", name));
}
