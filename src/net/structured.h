/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Structured field values (RFC 9651): items and dictionaries, of which integers, booleans and byte
 * sequences have a meaning for us. Other types are checked and passed over, parameters too; inner lists are refused.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum structured_type { STRUCTURED_OTHER, STRUCTURED_INTEGER, STRUCTURED_BOOLEAN, STRUCTURED_BYTES };

struct structured {
    enum structured_type type;
    int64_t integer; /* -999999999999999 … 999999999999999 */
    bool boolean;
    const char *base64; /* BYTES: what stands between the colons. Borrowed from the field */
    size_t base64_size;
};

/* A field that is one item. 0 or -EBADMSG: then the field counts as not there (RFC 9651, 4.2). */
int structured_item(const char *field, struct structured *ret);

/* A field that is one item of that kind; false also without the field (NULL). An integer below 0 is refused. */
bool structured_uint(const char *field, uint64_t *ret);
bool structured_boolean(const char *field, bool *ret);

/* The members of a dictionary, one by one: 1, 0 at its end, or -EBADMSG: then what came before it does not count
 * either. key: borrowed from the field, *key_size bytes; the last of equal keys counts. */
struct structured_reader {
    const char *at;
    bool begun;
};
int structured_next(struct structured_reader *r, const char **key, size_t *key_size, struct structured *ret);

/* The bytes of a byte sequence, at most size: how many, or -EBADMSG. */
int structured_bytes(const struct structured *s, unsigned char *out, size_t size);
