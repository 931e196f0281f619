/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever a file server shows as a listing: no name leads out of the folder.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/http/autoindex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int truth)
{
    if (!truth)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(autoindex_done) struct autoindex a = {0};

    if (autoindex_decode((const char *)data, size, &a) < 0)
        require(!a.entry && a.count == 0);
    for (size_t i = 0; i < a.count; i++) {
        const char *name = a.entry[i].name;

        require(*name && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0);
        for (const char *c = name; *c; c++)
            require((unsigned char)*c >= ' ' && *c != 0x7f);
    }
    return 0;
}
