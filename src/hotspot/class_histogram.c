/* SPDX-License-Identifier: Apache-2.0
 *
 * A row: a number with a colon or without, instances, bytes, and the rest of the line.
 */
#include "hotspot/class_histogram.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/text.h"

enum { DIGITS_MAX = 18, NAME_BYTES_MAX = 65536 };

static void skip_blanks(const char **at, const char *end)
{
    while (*at < end && (**at == ' ' || **at == '\t'))
        (*at)++;
}

static bool take_number(const char **at, const char *end, uint64_t *ret)
{
    unsigned digits = 0;

    skip_blanks(at, end);
    *ret = 0;
    for (; *at < end && isdigit((unsigned char)**at); (*at)++, digits++) {
        if (digits == DIGITS_MAX)
            return false;
        *ret = *ret * 10 + (uint64_t)(**at - '0');
    }
    return digits > 0;
}

/* The name of an array's element by its letter (JVMS 4.3.2). */
static const char *primitive(char letter)
{
    static const char *const names[] = {['B'] = "byte", ['C'] = "char", ['D'] = "double", ['F'] = "float",
                                        ['I'] = "int",  ['J'] = "long", ['S'] = "short",  ['Z'] = "boolean"};

    return letter > 0 && (size_t)letter < ARRAY_SIZE(names) ? names[(size_t)letter] : NULL;
}

/* "[[I" as "int[][]", "[Ljava.lang.String;" as "java.lang.String[]"; others as they are. */
static void take_name(const char *text, size_t size, char out[HISTOGRAM_NAME_MAX])
{
    size_t arrays = 0, used;
    const char *name = NULL;

    while (arrays < size && arrays < 8 && text[arrays] == '[')
        arrays++;
    if (arrays > 0 && size == arrays + 1)
        name = primitive(text[arrays]);
    if (name) {
        snprintf(out, HISTOGRAM_NAME_MAX, "%s", name);
    } else if (arrays > 0 && size > arrays + 2 && text[arrays] == 'L' && text[size - 1] == ';') {
        snprintf(out, HISTOGRAM_NAME_MAX, "%.*s", (int)(size - arrays - 2), text + arrays + 1);
    } else {
        snprintf(out, HISTOGRAM_NAME_MAX, "%.*s", (int)size, text);
        return;
    }
    for (used = strlen(out); arrays > 0 && used + 2 < HISTOGRAM_NAME_MAX; arrays--, used += 2)
        memcpy(out + used, "[]", sizeof("[]"));
}

static bool take_row(const char *at, const char *end, struct histogram_row *ret)
{
    uint64_t number;
    const char *module;
    size_t size;

    if (!take_number(&at, end, &number))
        return false;
    at += at < end && *at == ':';
    if (!take_number(&at, end, &ret->instances) || !take_number(&at, end, &ret->bytes))
        return false;
    skip_blanks(&at, end);
    module = memmem(at, (size_t)(end - at), " (", 2);
    size = (size_t)((module ? module : end) - at);
    while (size > 0 && isspace((unsigned char)at[size - 1]))
        size--;
    if (size == 0 || size > NAME_BYTES_MAX)
        return false;
    take_name(at, size, ret->name);
    return *ret->name != '\0';
}

static int by_bytes(const void *a, const void *b)
{
    const struct histogram_row *x = a, *y = b;

    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return strcmp(x->name, y->name);
}

int histogram_read(const char *text, size_t size, struct histogram *ret)
{
    CLEANUP(histogram_done) struct histogram h = {0};
    const char *end = text + size;

    assert(text && ret);
    while (text < end && h.count < HISTOGRAM_ROWS_MAX) {
        const char *line_end = memchr(text, '\n', (size_t)(end - text));
        struct histogram_row row;

        line_end = line_end ? line_end : end;
        if (take_row(text, line_end, &row)) {
            if (array_reserve(&h.row, h.count + 1, &h.capacity, sizeof(*h.row), HISTOGRAM_ROWS_MAX) < 0)
                return -ENOMEM;
            h.row[h.count++] = row;
            h.instances += row.instances;
            h.bytes += row.bytes;
        }
        text = line_end + (line_end < end);
    }
    if (h.count > 0)
        qsort(h.row, h.count, sizeof(*h.row), by_bytes);
    *ret = h;
    h = (struct histogram){0};
    return 0;
}

void histogram_done(struct histogram *h)
{
    free(h->row);
    *h = (struct histogram){0};
}

struct named {
    const struct histogram_row *row;
};

static int by_name(const void *a, const void *b)
{
    const struct named *x = a, *y = b;

    return strcmp(x->row->name, y->row->name);
}

/* The rows by name. NULL without memory. */
static struct named *sort_names(const struct histogram *h)
{
    struct named *list = calloc(h->count + 1, sizeof(*list));

    if (!list)
        return NULL;
    for (size_t i = 0; i < h->count; i++)
        list[i].row = &h->row[i];
    qsort(list, h->count, sizeof(*list), by_name);
    return list;
}

static int by_change(const void *a, const void *b)
{
    const struct histogram_change *x = a, *y = b;
    int64_t left = llabs(x->bytes), right = llabs(y->bytes);

    if (left != right)
        return left < right ? 1 : -1;
    return strcmp((x->after ? x->after : x->before)->name, (y->after ? y->after : y->before)->name);
}

static void put_change(struct histogram_change *c, const struct histogram_row *before,
                       const struct histogram_row *after)
{
    c->before = before;
    c->after = after;
    c->bytes = (int64_t)(after ? after->bytes : 0) - (int64_t)(before ? before->bytes : 0);
    c->instances = (int64_t)(after ? after->instances : 0) - (int64_t)(before ? before->instances : 0);
}

int histogram_compare(const struct histogram *before, const struct histogram *after,
                      struct histogram_change **ret_changes, size_t *ret_count)
{
    CLEANUP_FREE struct named *old = sort_names(before), *new = sort_names(after);
    CLEANUP_FREE struct histogram_change *list = calloc(before->count + after->count + 1, sizeof(*list));
    size_t i = 0, k = 0, count = 0;

    if (!old || !new || !list)
        return -ENOMEM;
    while (i < before->count || k < after->count) {
        int order = i == before->count ? 1 : k == after->count ? -1 : strcmp(old[i].row->name, new[k].row->name);

        put_change(&list[count++], order <= 0 ? old[i].row : NULL, order >= 0 ? new[k].row : NULL);
        i += order <= 0;
        k += order >= 0;
    }
    qsort(list, count, sizeof(*list), by_change);
    *ret_changes = TAKE_PTR(list);
    *ret_count = count;
    return 0;
}

int histogram_summary(const void *data, size_t size, struct summary *ret)
{
    CLEANUP(histogram_done) struct histogram h = {0};
    char all[TEXT_SIZE_MAX], largest[TEXT_SIZE_MAX];
    int r = histogram_read(size ? data : "", size, &h);

    assert(ret);
    if (r < 0)
        return r;
    if (h.count == 0)
        return -EBADMSG;
    snprintf(ret->sentence, sizeof(ret->sentence), "%s in %" PRIu64 " objects of %zu classes; most: %.120s %s",
             text_format_size(h.bytes, all), h.instances, h.count, h.row[0].name,
             text_format_size(h.row[0].bytes, largest));
    for (size_t i = 0; i < h.count && i < SUMMARY_ROWS_MAX; i++, ret->top_count++) {
        ret->top[i] = (struct summary_row){.count = h.row[i].instances, .bytes = h.row[i].bytes};
        snprintf(ret->top[i].name, sizeof(ret->top[i].name), "%.*s", SUMMARY_NAME_MAX - 1, h.row[i].name);
    }
    return 0;
}
