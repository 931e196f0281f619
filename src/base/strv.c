/* SPDX-License-Identifier: Apache-2.0
 *
 * One element more than count is always there, for the NULL.
 */
#include "base/strv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"

/* Takes text, also on failure. */
static int add_taken(struct strv *v, char *text)
{
    if (!text || array_reserve(&v->item, v->count + 2, &v->capacity, sizeof(*v->item), SIZE_MAX) < 0) {
        free(text);
        return -ENOMEM;
    }
    v->item[v->count++] = text;
    v->item[v->count] = NULL;
    return 0;
}

int strv_add(struct strv *v, const char *text)
{
    return add_taken(v, strdup(text));
}

int strv_printf(struct strv *v, const char *format, ...)
{
    char *text;
    va_list args;
    int n;

    va_start(args, format);
    n = vasprintf(&text, format, args);
    va_end(args);
    return n < 0 ? -ENOMEM : add_taken(v, text);
}

int strv_add_all(struct strv *v, char *const *items)
{
    size_t before = v->count;

    for (; *items; items++)
        if (strv_add(v, *items) < 0) {
            while (v->count > before)
                free(v->item[--v->count]);
            if (v->item)
                v->item[v->count] = NULL;
            return -ENOMEM;
        }
    return 0;
}

int strv_set(struct strv *v, const char *name, const char *value)
{
    size_t length = strlen(name);
    char *text;

    for (size_t i = 0; i < v->count; i++)
        if (strncmp(v->item[i], name, length) == 0 && v->item[i][length] == '=') {
            if (asprintf(&text, "%s=%s", name, value) < 0)
                return -ENOMEM;
            free(v->item[i]);
            v->item[i] = text;
            return 0;
        }
    return strv_printf(v, "%s=%s", name, value);
}

bool strv_has(const struct strv *v, const char *text)
{
    for (size_t i = 0; i < v->count; i++)
        if (strcmp(v->item[i], text) == 0)
            return true;
    return false;
}

bool strv_same(const struct strv *a, const struct strv *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->item[i], b->item[i]) != 0)
            return false;
    return true;
}

void strv_done(struct strv *v)
{
    for (size_t i = 0; i < v->count; i++)
        free(v->item[i]);
    free(v->item);
    *v = (struct strv){0};
}
