/* SPDX-License-Identifier: Apache-2.0
 *
 * Before the parenthesis is the method, in it the place.
 */
#include "threads/thread_frame.h"

#include <ctype.h>
#include <string.h>

#include "threads/thread_dump.h"

static size_t copy(char *out, size_t at, const char *text, size_t size)
{
    if (size > THREAD_TEXT_MAX - at)
        size = THREAD_TEXT_MAX - at;
    if (size)
        memcpy(out + at, text, size);
    return at + size;
}

/* "Stuck$$Lambda/0x0000000009041000.run" without the address. */
static size_t address_size(const char *at, size_t size)
{
    size_t n = 3;

    if (size < 4 || memcmp(at, "/0x", 3) != 0)
        return 0;
    while (n < size && isxdigit((unsigned char)at[n]))
        n++;
    return n > 3 && (n == size || at[n] == '.') ? n : 0;
}

/* "java.base/java.lang.Thread.run", "app//com.shop.Cart.add"; "java/lang/Thread.run" of javacores has no module. */
static size_t prefix_size(const char *method, size_t size)
{
    const char *slash = memchr(method, '/', size), *last;
    size_t left;

    if (!slash)
        return 0;
    last = memrchr(method, '/', size);
    left = size - (size_t)(last - method);
    /* Behind a module is a class with its package, so a dot comes before the first slash or two dots after the last. */
    if (memchr(method, '.', (size_t)(slash - method)) || (slash + 1 < method + size && slash[1] == '/') ||
        memchr(last, '.', left) != memrchr(last, '.', left))
        return (size_t)(last + 1 - method);
    return 0;
}

static size_t copy_method(char *out, const char *method, size_t size)
{
    size_t at = 0, plain = 0;
    char clean[THREAD_TEXT_MAX];

    for (size_t i = 0; i < size && plain < sizeof(clean);) {
        size_t skip = address_size(method + i, size - i);

        if (skip == 0)
            clean[plain++] = method[i++];
        i += skip;
    }
    if (plain == 0)
        return 0;
    at = prefix_size(clean, plain);
    plain = copy(out, 0, clean + at, plain - at);
    for (size_t i = 0; i < plain; i++)
        if (out[i] == '/')
            out[i] = '.';
    return plain;
}

size_t thread_frame_clean(const char *frame, size_t size, char *out)
{
    static const char compiled[] = "(Compiled Code)";
    const char *open = memchr(frame, '(', size), *place, *at;
    size_t n, left;

    if (!open)
        return copy_method(out, frame, size);
    n = copy_method(out, frame, (size_t)(open - frame));
    place = open + 1;
    left = size - (size_t)(place - frame);
    if ((at = memmem(place, left, compiled, sizeof(compiled) - 1)))
        left = (size_t)(at - place);
    else if (left && place[left - 1] == ')')
        left--;
    if ((at = memrchr(place, '/', left))) {
        left -= (size_t)(at + 1 - place);
        place = at + 1;
    }
    n = copy(out, n, "(", 1);
    n = copy(out, n, place, left);
    return copy(out, n, ")", 1);
}
