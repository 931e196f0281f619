/* SPDX-License-Identifier: Apache-2.0
 *
 * Any answer of a server: the namespace that is taken from it is one part of a key.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "probe/server_rights.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct server_rights s = {0};

    if (!server_rights_read((const char *)data, size, &s))
        return 0;
    assert(strlen(s.name) < SERVER_NAME_MAX && strlen(s.namespace) < SERVER_NAME_MAX);
    assert(!strpbrk(s.writes, "/*?, ") && s.writes[0] != '.');
    return 0;
}
