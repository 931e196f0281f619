/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages are formatted in a local buffer and then made printable: an argument may be the old message, and file names
 * may contain anything. errno is preserved, so that a caller can still return it.
 */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

/* Longer than a message, so that text_printable marks one that is cut. */
enum { RAW_MAX = sizeof(((struct err *)0)->msg) + 8 };

int err_setv(struct err *e, int code, const char *format, va_list args)
{
    int saved = errno;
    char raw[RAW_MAX];

    if (!e)
        return code;
    if (vsnprintf(raw, sizeof(raw), format, args) < 0)
        raw[0] = '\0';
    text_printable(raw, e->msg, sizeof(e->msg));
    errno = saved;
    return code;
}

int err_set(struct err *e, int code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    code = err_setv(e, code, format, args);
    va_end(args);
    return code;
}

int err_prefix(struct err *e, int code, const char *format, ...)
{
    int saved = errno, length;
    char raw[RAW_MAX];
    va_list args;

    if (!e)
        return code;
    va_start(args, format);
    length = vsnprintf(raw, sizeof(raw), format, args);
    va_end(args);
    if (length < 0)
        length = 0;
    if ((size_t)length < sizeof(raw))
        snprintf(raw + length, sizeof(raw) - (size_t)length, "%s%s", length > 0 ? ": " : "", e->msg);
    text_printable(raw, e->msg, sizeof(e->msg));
    errno = saved;
    return code;
}
