/* SPDX-License-Identifier: Apache-2.0 */
#include "store/az/az_xml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/xml_walk.h"

enum { BLOBS_MAX = 10000, BLOCKS_MAX = 100000 };

static void entry_done(struct az_entry *x)
{
    free(x->name);
    *x = (struct az_entry){0};
}

void az_listing_done(struct az_listing *l)
{
    while (l->count > 0)
        entry_done(&l->entry[--l->count]);
    free(l->entry);
    free(l->next);
    *l = (struct az_listing){0};
}

/* Its first line: then the service repeats its request's id and time. */
static int keep_message(struct az_error *e, const char *text)
{
    CLEANUP_FREE char *line = strndup(text, strcspn(text, "\r\n"));

    if (!line)
        return -ENOMEM;
    text_printable(line, e->message, sizeof(e->message));
    return 0;
}

static int error_element(void *ctx, const char *path, const char *text)
{
    struct az_error *e = ctx;

    if (text_eq(path, "/Error/Code"))
        text_printable(text, e->code, sizeof(e->code));
    else if (text_eq(path, "/Error/Message") || (text_eq(path, "/Error/AuthenticationErrorDetail") && *text))
        return keep_message(e, text);
    return 0;
}

int az_xml_error(const char *xml, size_t size, struct az_error *ret)
{
    struct az_error e = {0};
    int r = xml_walk(xml, size, "Error", error_element, &e);

    if (r == 0 && !*e.code)
        r = -EBADMSG;
    if (r == 0)
        *ret = e;
    return r;
}

/* A listing in the making. */
struct walk {
    struct az_listing listing;
    struct az_entry entry; /* the one that the walk is in */
};

static void walk_done(struct walk *w)
{
    az_listing_done(&w->listing);
    entry_done(&w->entry);
}

static int keep(char **field, const char *text)
{
    char *copy = strdup(text);

    if (!copy)
        return -ENOMEM;
    free(*field);
    *field = copy;
    return 0;
}

/* The entry is complete. One without a name is none. */
static int add_entry(struct walk *w, size_t most)
{
    struct az_listing *l = &w->listing;
    int r;

    if (!w->entry.name || !*w->entry.name) {
        entry_done(&w->entry);
        return 0;
    }
    if ((r = array_reserve(&l->entry, l->count + 1, &l->capacity, sizeof(*l->entry), most)) < 0)
        return r == -ENOMEM ? r : -EBADMSG;
    l->entry[l->count++] = w->entry;
    w->entry = (struct az_entry){0};
    return 0;
}

static int read_size(const char *text, uint64_t *ret)
{
    return text_parse_uint(text, INT64_MAX, ret) < 0 ? -EBADMSG : 0;
}

#define BLOBS "/EnumerationResults/Blobs"

static int blob_element(void *ctx, const char *path, const char *text)
{
    struct walk *w = ctx;

    if (text_eq(path, BLOBS "/Blob/Name") || text_eq(path, BLOBS "/BlobPrefix/Name"))
        return keep(&w->entry.name, text);
    if (text_eq(path, BLOBS "/Blob/Properties/Content-Length"))
        return read_size(text, &w->entry.size);
    if (text_eq(path, BLOBS "/Blob/Properties/Last-Modified"))
        (void)clock_parse_http(text, &w->entry.time_ns); /* stays 0 if malformed */
    if (text_eq(path, BLOBS "/Blob") || text_eq(path, BLOBS "/BlobPrefix"))
        return add_entry(w, BLOBS_MAX);
    if (text_eq(path, "/EnumerationResults/NextMarker") && *text)
        return keep(&w->listing.next, text);
    return 0;
}

#define BLOCK "/BlockList/UncommittedBlocks/Block"

static int block_element(void *ctx, const char *path, const char *text)
{
    struct walk *w = ctx;

    if (text_eq(path, BLOCK "/Name"))
        return keep(&w->entry.name, text);
    if (text_eq(path, BLOCK "/Size"))
        return read_size(text, &w->entry.size);
    return text_eq(path, BLOCK) ? add_entry(w, BLOCKS_MAX) : 0;
}

static int read_listing(const char *xml, size_t size, const char *root, xml_element_fn element, struct az_listing *ret)
{
    CLEANUP(walk_done) struct walk w = {0};
    int r = xml_walk(xml, size, root, element, &w);

    if (r == 0) {
        *ret = w.listing;
        w.listing = (struct az_listing){0};
    }
    return r;
}

int az_xml_blobs(const char *xml, size_t size, struct az_listing *ret)
{
    return read_listing(xml, size, "EnumerationResults", blob_element, ret);
}

int az_xml_uncommitted_blocks(const char *xml, size_t size, struct az_listing *ret)
{
    return read_listing(xml, size, "BlockList", block_element, ret);
}
