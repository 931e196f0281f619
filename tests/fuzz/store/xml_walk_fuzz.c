/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever the XML: paths begin with the root and go no deeper than the walk allows.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "store/xml_walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int check(void *ctx, const char *path, const char *text)
{
    unsigned *calls = ctx, depth = 0;

    for (const char *c = path; *c; c++)
        depth += *c == '/';
    if (!text_starts(path, "/Error") || depth == 0 || depth > 16 || !text)
        abort();
    return ++*calls > 1000 ? -1 : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned calls = 0;
    int r = xml_walk((const char *)data, size, "Error", check, &calls);

    if (r > 0 || (r == 0 && calls == 0))
        abort();
    return 0;
}
