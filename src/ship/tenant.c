/* SPDX-License-Identifier: Apache-2.0
 *
 * The tenant by path and owner.
 */
#include "ship/tenant.h"

#include <string.h>
#include <xxhash.h>

#include "base/text.h"

uint64_t tenant_of_namespace(const char *name)
{
    return XXH3_64bits(name, strlen(name));
}

struct fair_key tenant_of(const struct layout *layout, const char *root, const char *path, uint64_t owner)
{
    struct fair_key k = {.tenant = owner};
    const char *below = text_starts(path, root) ? path + strlen(root) : "";
    struct layout_names n;
    size_t size;

    if (layout && layout_read(layout, root, path, &n) && n.name[LAYOUT_NAMESPACE][0])
        k.tenant = tenant_of_namespace(n.name[LAYOUT_NAMESPACE]);
    below += strspn(below, "/");
    size = strcspn(below, "/");
    if (below[size] == '/')
        k.part = XXH3_64bits(below, size);
    return k;
}

struct fair_key tenant_of_pod(const char *namespace, const char *part)
{
    return (struct fair_key){.tenant = XXH3_64bits(namespace, strlen(namespace)),
                             .part = XXH3_64bits(part, strlen(part))};
}
