/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever a store answers: every reader refuses it, or gives entries with keys and a way to the next page.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/s3/s3_xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int truth)
{
    if (!truth)
        abort();
}

static void check(const struct s3_listing *l, int uploads)
{
    require(l->count <= 10000 && (!l->truncated || (l->next && *l->next)));
    for (size_t i = 0; i < l->count; i++) {
        const struct s3_entry *e = &l->entry[i];

        require(e->key && *e->key && e->size <= INT64_MAX && strnlen(e->etag, sizeof(e->etag)) < sizeof(e->etag));
        require(!uploads || (e->upload_id && *e->upload_id && e->time_ns));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(s3_listing_done) struct s3_listing objects = {0}, uploads = {0};
    CLEANUP_FREE char *id = NULL;
    const char *xml = (const char *)data;
    struct s3_error e;
    char etag[72];
    int read = 0; /* by how many readers */

    if (s3xml_error(xml, size, &e) == 0) {
        read++;
        require(e.code[0] && strnlen(e.code, sizeof(e.code)) < sizeof(e.code) &&
                strnlen(e.message, sizeof(e.message)) < sizeof(e.message));
    }
    if (s3xml_upload_id(xml, size, &id) == 0) {
        read++;
        require(id && *id);
    }
    if (s3xml_completed(xml, size, etag) == 0) {
        read++;
        require(strnlen(etag, sizeof(etag)) < sizeof(etag));
    }
    read += s3xml_objects(xml, size, &objects) == 0;
    read += s3xml_uploads(xml, size, &uploads) == 0;
    check(&objects, 0);
    check(&uploads, 1);
    require(read <= 1);
    return 0;
}
