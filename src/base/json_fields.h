/* SPDX-License-Identifier: Apache-2.0
 *
 * Converts a struct to and from a JSON object by a table of fields, which encoding, decoding, freeing and the generated
 * docs walk. A path has at most one dot: "where.pod" is "pod" in the object "where".
 */
#pragma once

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum json_field_kind {
    FIELD_CUSTOM,   /* only by the field's encode and decode */
    FIELD_CONSTANT, /* the text `constant`; decoding refuses another text */
    FIELD_TEXT,     /* char *; left out if NULL or "" */
    FIELD_CHARS,    /* char[]; left out if "". Decoded only by the field's decode */
    FIELD_COUNT,    /* uint64_t; 0 is written, too */
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
    /* Replace the default of the kind. at: base + offset. encode: 1 with *ret, 0 to leave it out, -ENOMEM. decode: 0,
     * -EBADMSG, -ENOMEM. */
    int (*encode)(const void *at, json_t **ret);
    int (*decode)(const json_t *value, void *at);
};

/* Tables end with path NULL. below: only fields with this path prefix ("process."), named by the rest of their path;
 * "": all. The caller owns *ret (json_decref). Bytes that are not UTF-8 become U+FFFD. 0 or -ENOMEM. */
int json_fields_encode(const struct json_field *table, const void *base, const char *below, json_t **ret);

/* Strict about types; ignores fields that are not in the table. base: zeroed by the caller; on failure it has what was
 * decoded so far. 0, -ENOMEM; -ENOENT: a needed field is missing, -EBADMSG: a wrong value; both with the field in
 * *ret_bad. */
int json_fields_decode(const struct json_field *table, const json_t *root, void *base,
                       const struct json_field **ret_bad);

/* Frees the texts of FIELD_TEXT fields. */
void json_fields_done(const struct json_field *table, void *base);
