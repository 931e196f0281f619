/* SPDX-License-Identifier: Apache-2.0
 *
 * Growth by doubling, never beyond the ceiling. One byte more than the text is always allocated, for the NUL.
 */
#include "base/buf.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* Makes room for more bytes and a NUL. */
static int reserve(struct buf *b, size_t more)
{
    size_t ceiling = b->ceiling ? b->ceiling : BUF_CEILING;
    size_t need;

    if (b->size > ceiling || more > ceiling - b->size || __builtin_add_overflow(b->size + more, 1u, &need))
        return -EMSGSIZE;
    return array_reserve(&b->data, need, &b->capacity, 1, ceiling < SIZE_MAX ? ceiling + 1 : SIZE_MAX);
}

int buf_add(struct buf *b, const void *data, size_t size)
{
    int r = reserve(b, size);

    if (r < 0)
        return r;
    if (size > 0)
        memcpy(b->data + b->size, data, size);
    b->size += size;
    b->data[b->size] = '\0';
    return 0;
}

int buf_add_text(struct buf *b, const char *text)
{
    return buf_add(b, text, strlen(text));
}

int buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;
    int length, r;

    va_start(args, format);
    length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0)
        return -EMSGSIZE;
    r = reserve(b, (size_t)length);
    if (r < 0)
        return r;
    va_start(args, format);
    vsnprintf(b->data + b->size, (size_t)length + 1, format, args);
    va_end(args);
    b->size += (size_t)length;
    return 0;
}

const char *buf_text(const struct buf *b)
{
    return b->data ? b->data : "";
}

char *buf_take(struct buf *b)
{
    char *text = b->data ? b->data : calloc(1, 1);

    if (text)
        *b = (struct buf){.ceiling = b->ceiling};
    return text;
}

void buf_drop(struct buf *b, size_t size)
{
    assert(size <= b->size);
    if (size == 0)
        return;
    memmove(b->data, b->data + size, b->size - size + 1);
    b->size -= size;
}

void buf_clear(struct buf *b)
{
    b->size = 0;
    if (b->data)
        b->data[0] = '\0';
}

void buf_done(struct buf *b)
{
    free(b->data);
    *b = (struct buf){.ceiling = b->ceiling};
}

int buf_make_room(struct buf *b, size_t size)
{
    assert(!b->data && size > 0);
    if (!(b->data = calloc(1, size)))
        return -ENOMEM;
    b->capacity = size;
    return 0;
}

void buf_wipe(struct buf *b)
{
    if (b->data)
        explicit_bzero(b->data, b->capacity);
    buf_done(b);
}
