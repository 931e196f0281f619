/* SPDX-License-Identifier: Apache-2.0
 *
 * A struct as a JSON object, by a table of fields: encoding, decoding, freeing and the generated docs walk the same
 * table. A path has at most one dot: "where.pod" is "pod" in the object "where".
 */
#pragma once

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum json_field_kind {
    FIELD_CUSTOM,   /* by encode and decode only */
    FIELD_CONSTANT, /* the text of constant; another text is refused */
    FIELD_TEXT,     /* char *; left out if NULL or "" */
    FIELD_CHARS,    /* char[]; left out if "". Decoded by a decode of the field's only */
    FIELD_COUNT,    /* uint64_t; 0 is a number like any other */
    FIELD_NONZERO,  /* uint64_t; left out if 0 */
    FIELD_KNOWN,    /* uint64_t; left out if UINT64_MAX */
    FIELD_INT,      /* int; left out if INT_MIN */
    FIELD_UNSIGNED, /* unsigned; left out if 0 */
    FIELD_TRUE,     /* bool; left out if false */
    FIELD_TIME,     /* int64_t ns since 1970, as text to the millisecond; left out if 0 */
    FIELD_MILLIS,   /* uint64_t us, as a number of ms; left out if 0 */
};

enum { JSON_FIELD_TEXT_MAX = 4096 }; /* bytes; longer texts are cut */

struct json_field {
    const char *path;
    const char *type, *help; /* for the docs */
    enum json_field_kind kind;
    bool needed; /* decoding fails without it, and if it is an empty text */
    size_t offset;
    const char *constant;
    /* In the place of what the kind does. at: base + offset. encode: 1 with *ret, 0 if it is left out, -ENOMEM.
     * decode: 0, -EBADMSG, -ENOMEM. */
    int (*encode)(const void *at, json_t **ret);
    int (*decode)(const json_t *value, void *at);
};

/* Tables end with path NULL. below: only fields whose path begins so ("process."), with the rest for a name; "" all.
 * *ret is the caller's (json_decref). Bytes that are not UTF-8 become U+FFFD. 0 or -ENOMEM. */
int json_fields_encode(const struct json_field *table, const void *base, const char *below, json_t **ret);

/* Strict about types; fields that are not in the table are passed over. base: zeroed; on failure it holds what was
 * decoded so far. 0, -ENOMEM; -ENOENT without a needed field, -EBADMSG for a wrong value: *ret_bad is the field then.
 */
int json_fields_decode(const struct json_field *table, const json_t *root, void *base,
                       const struct json_field **ret_bad);

/* Frees what FIELD_TEXT points to. */
void json_fields_done(const struct json_field *table, void *base);
