/* SPDX-License-Identifier: Apache-2.0
 *
 * Any two JSON objects, with a NUL between them, as heaps to be compared: the page is whole, the text has no byte that
 * a terminal obeys, and the JSON has the growth that the rows say.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/mem.h"
#include "inspect/analysis.h"
#include "inspect/comparison.h"
#include "inspect/comparison_page.h"

enum { JSON_MAX = 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_rows(const struct comparison_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        assert(rows->row[i].name);
        for (unsigned side = 0; side < 2; side++)
            assert(rows->row[i].count[side] <= INT64_MAX && rows->row[i].bytes[side] <= INT64_MAX &&
                   rows->row[i].retained[side] <= INT64_MAX);
    }
}

static void check_text(const struct comparison *c)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    assert(out);
    comparison_print(c, 8, false, out);
    assert(fclose(out) == 0);
    assert(!memchr(text, '\033', size) && !memchr(text, '\0', size));
    free(text);
}

static void check(const struct comparison *c)
{
    json_auto_t *json = comparison_json(c);
    CLEANUP(buf_done) struct buf page = {0};
    struct err e = {0};

    check_rows(&c->classes);
    check_rows(&c->packages);
    check_rows(&c->loaders);
    for (size_t i = 0; i < c->suspects; i++)
        assert(compared_suspect_json(&c->suspect[i]));
    assert(json && json_array_size(json_object_get(json, "classes")) == c->classes.count);
    assert(comparison_page(c, &page, &e) == 0);
    assert(strlen(page.data) == page.size && strcmp(page.data + page.size - strlen("</html>\n"), "</html>\n") == 0);
    check_text(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size ? memchr(data, '\0', size) : NULL;
    size_t first = end ? (size_t)(end - data) : 0;
    json_auto_t *a = end ? json_read_object((const char *)data, first, JSON_MAX) : NULL;
    json_auto_t *b = end ? json_read_object((const char *)end + 1, size - first - 1, JSON_MAX) : NULL;
    CLEANUP(comparison_done) struct comparison c = {0};
    struct err e = {0};

    if (!a || !b)
        return 0;
    if (!comparison_can(a))
        json_object_set_new(a, "schema", json_string("salvage.analysis/1"));
    if (!comparison_can(b))
        json_object_set_new(b, "schema", json_string("salvage.analysis/1"));
    assert(comparison_make(a, b, &c, &e) == 0);
    check(&c);
    return 0;
}
