/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The body of a PROPFIND (RFC 4918, 9.1): which properties are asked for.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum property {
    PROPERTY_TYPE = 1,          /* resourcetype */
    PROPERTY_SIZE = 2,          /* getcontentlength */
    PROPERTY_MODIFIED = 4,      /* getlastmodified */
    PROPERTY_CREATED = 8,       /* creationdate */
    PROPERTY_ETAG = 16,         /* getetag */
    PROPERTY_NAME = 32,         /* displayname */
    PROPERTY_CONTENT_TYPE = 64, /* getcontenttype */
};

struct property_row {
    enum property property;
    const char *name; /* in DAV: */
};
extern const struct property_row PROPERTY_ROWS[]; /* ends with name NULL */

struct propfind {
    bool names;        /* propname: no values */
    bool all;          /* allprop, or names: what an item lacks is left out */
    unsigned wanted;   /* a set of enum property */
    struct buf others; /* elements of properties that we don't have, as they are repeated in the answer: XML */
};

enum { PROPFIND_MAX = 32 * 1024, PROPFIND_OTHERS_MAX = 8 * 1024, PROPFIND_DEPTH_MAX = 16 };

/* No body: all properties. 0; -EBADMSG: not well-formed, no propfind, a DOCTYPE, deeper than PROPFIND_DEPTH_MAX, or too
 * many others; -ENOMEM. ret is untouched on failure. */
int propfind_parse(const void *body, size_t size, struct propfind *ret);
void propfind_done(struct propfind *p);

/* Appends text, escaped for elements and attributes; what no XML may hold becomes U+FFFD. 0, -ENOMEM, -EMSGSIZE. */
int propfind_escape(struct buf *out, const char *text);
