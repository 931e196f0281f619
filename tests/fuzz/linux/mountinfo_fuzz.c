/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a list of mounts: what is told of one is absolute, and no longer than what was given.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "linux/mountinfo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int check(void *ctx, const struct mount *m)
{
    const char *rest = mountinfo_below(m->point, m->root);

    assert(m->root[0] == '/' && m->point[0] == '/');
    assert(strlen(m->root) + strlen(m->point) + strlen(m->type) + strlen(m->options) < *(size_t *)ctx);
    assert(!rest || *rest == '\0' || *rest == '/');
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    assert(mountinfo_each((const char *)data, size, check, &size) == 0);
    return 0;
}
