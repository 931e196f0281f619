/* SPDX-License-Identifier: Apache-2.0
 *
 * A growing buffer with a ceiling. data is always NUL-terminated once anything was added, so text can be
 * read as a string. Not for evidence, which flows through fixed blocks (codec/blocks.h).
 */
#pragma once

#include <stddef.h>

struct buf {
    char *data; /* owned; NULL while empty */
    size_t size;
    size_t capacity;
    size_t ceiling; /* bytes; 0 stands for BUF_CEILING */
};

enum { BUF_CEILING = 16 * 1024 * 1024 };

/* All return 0, -ENOMEM, or -EMSGSIZE beyond the ceiling; on failure the buffer is as before. */
int buf_add(struct buf *b, const void *data, size_t size);
int buf_add_text(struct buf *b, const char *text);
int buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The text so far, "" if there is none. Borrowed. */
const char *buf_text(const struct buf *b);

/* Transfers the text to the caller as a malloc'ed string ("" if empty); the buffer is then empty. NULL without
 * memory. */
char *buf_take(struct buf *b);

void buf_clear(struct buf *b);             /* empty, memory kept */
void buf_drop(struct buf *b, size_t size); /* takes the first bytes away, memory kept */
void buf_done(struct buf *b);

/* For secrets: all its room at once, so that no copies are left behind when it grows (0 or -ENOMEM; the buffer is empty
 * before); and buf_done that wipes. */
int buf_make_room(struct buf *b, size_t size);
void buf_wipe(struct buf *b);
