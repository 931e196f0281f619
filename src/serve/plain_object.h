/* SPDX-License-Identifier: Apache-2.0
 *
 * An object of the server's store, decoded while it is read (plain_reader.h), wherever it lies.
 */
#pragma once

#include "serve/plain_reader.h"
#include "serve/serve.h"

struct plain_object {
    struct plain_reader *reader; /* of what is compressed */
    uint64_t at;                 /* of what is not */
    int fd;                      /* of a root; -1 */
    void *source;                /* of a store elsewhere */
};

/* info: from stat. After a failure there is nothing to close. */
int plain_object_open(struct serve *s, const char *key, const struct object_info *info, struct plain_object *ret,
                      struct err *e);

/* From the beginning to the end, or at most size bytes (UINT64_MAX: all of it). -ENOMEM. */
int plain_object_begin(struct plain_object *o, uint64_t size);

/* The next bytes; 0: the end. As plain_reader_read. */
ssize_t plain_object_read(struct plain_object *o, void *data, size_t size);
void plain_object_close(struct plain_object *o);
