/* SPDX-License-Identifier: Apache-2.0
 *
 * What has our schema claims to be one; a later schema is for later versions to judge. Files larger than a manifest can
 * be are none.
 */
#include "serve/upload_manifest.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json_read.h"
#include "base/mem.h"
#include "base/text.h"
#include "ship/manifest.h"

static bool claims_to_be_one(const struct buf *text)
{
    json_t *root = json_read_object(buf_text(text), text->size, MANIFEST_MAX);
    const char *schema = json_string_value(json_object_get(root, "schema"));
    bool claims = text_eq(schema, MANIFEST_SCHEMA);

    json_decref(root);
    return claims;
}

/* It has the key as its shipper has it: relative to the prefix of the store's URL. */
static bool names_its_neighbour(const char *named, const char *key)
{
    size_t size = strlen(key) - strlen(MANIFEST_SUFFIX), named_size = strlen(named);

    return named_size <= size && memcmp(key + size - named_size, named, named_size) == 0 &&
           (named_size == size || key[size - named_size - 1] == '/');
}

int upload_manifest_check_text(const struct buf *text, const char *key, struct err *e)
{
    CLEANUP(manifest_done) struct manifest m = {0};
    int r;

    if (!text_ends(key, MANIFEST_SUFFIX) || text->size > MANIFEST_MAX || !claims_to_be_one(text))
        return 0;
    if ((r = manifest_decode(buf_text(text), text->size, &m, e)) < 0)
        return r;
    if (!names_its_neighbour(m.key, key))
        return err_set(e, -FAULT_FORMAT, "this manifest names another object than the one beside it");
    return 0;
}

int upload_manifest_check(int fd, const char *key, struct err *e)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = MANIFEST_MAX};
    struct stat st;
    int r;

    if (!text_ends(key, MANIFEST_SUFFIX))
        return 0;
    if (fstat(fd, &st) < 0 || lseek(fd, 0, SEEK_SET) < 0)
        return err_set(e, -errno, "the upload cannot be read again: %s", strerror(errno));
    if (st.st_size > MANIFEST_MAX)
        return 0;
    if ((r = file_load_fd(fd, &text)) < 0)
        return err_set(e, r, "the upload cannot be read again: %s", strerror(-r));
    return upload_manifest_check_text(&text, key, e);
}
