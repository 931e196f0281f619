/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever the service answers: every reader refuses it, or gives entries with names.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/az/az_xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct az_listing *l)
{
    if (l->count > 100000 || (l->next && !*l->next))
        abort();
    for (size_t i = 0; i < l->count; i++)
        if (!l->entry[i].name || !*l->entry[i].name || l->entry[i].size > INT64_MAX)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(az_listing_done) struct az_listing blobs = {0}, blocks = {0};
    const char *xml = (const char *)data;
    struct az_error e = {0};
    int read = 0; /* by how many readers */

    read += az_xml_blobs(xml, size, &blobs) == 0;
    read += az_xml_uncommitted_blocks(xml, size, &blocks) == 0;
    read += az_xml_error(xml, size, &e) == 0;
    check(&blobs);
    check(&blocks);
    if (read > 1 || (*e.message && !*e.code))
        abort();
    return 0;
}
