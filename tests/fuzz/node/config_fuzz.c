/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text as a configuration: errors, or rules with destinations.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "node/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(config_free_ptr) struct config *c = NULL;
    struct config_errors errors = {0};

    if (config_read((const char *)data, size, &c, &errors) < 0) {
        if (c || errors.count == 0)
            abort();
        return 0;
    }
    if (errors.count > 0 || c->destinations == 0 || c->rules == 0)
        abort();
    for (size_t i = 0; i < c->rules; i++)
        if (!c->rule[i].to || strpbrk(c->rule[i].name, "/ \n"))
            abort();
    return 0;
}
