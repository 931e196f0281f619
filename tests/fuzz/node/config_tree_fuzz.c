/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text as YAML: a tree within its ceilings, or one error.
 */
#include <stdint.h>
#include <stdlib.h>

#include "node/config_tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count(const struct config_node *n, unsigned depth)
{
    size_t sum = 1;

    if (depth > CONFIG_DEPTH_MAX || (n->kind == CONFIG_TEXT) != (n->text != NULL))
        abort();
    for (size_t i = 0; i < n->count; i++) {
        if ((n->kind == CONFIG_MAP) != (n->entry[i].key != NULL))
            abort();
        sum += count(n->entry[i].value, depth + 1);
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config_errors errors = {0};
    struct config_node *n = NULL;

    if (config_tree_read((const char *)data, size, &n, &errors) < 0) {
        if (n || errors.count == 0)
            abort();
        return 0;
    }
    if (errors.count > 0 || count(n, 0) > CONFIG_NODES_MAX)
        abort();
    config_tree_free(n);
    return 0;
}
