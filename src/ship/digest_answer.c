/* SPDX-License-Identifier: Apache-2.0
 *
 * The child has read foreign bytes: its answer is foreign, too.
 */
#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/json_read.h"
#include "base/mem.h"
#include "ship/digest_request.h"
#include "ship/digest_stage.h"
#include "ship/evidence_summary.h"

void digest_answer_done(struct digest_answer *a)
{
    buf_done(&a->json);
}

static int bad(struct err *e)
{
    return err_set(e, -FAULT_FORMAT, "its digest is no answer");
}

static void take_rows(const json_t *rows, struct summary *s)
{
    size_t count = json_array_size(rows);

    for (; s->top_count < count && s->top_count < SUMMARY_ROWS_MAX; s->top_count++) {
        const json_t *row = json_array_get(rows, s->top_count);
        json_int_t objects = json_integer_value(json_object_get(row, "count")),
                   bytes = json_integer_value(json_object_get(row, "bytes"));

        snprintf(s->top[s->top_count].name, SUMMARY_NAME_MAX, "%s", json_read_text(row, "name"));
        s->top[s->top_count].count = objects > 0 ? (uint64_t)objects : 0;
        s->top[s->top_count].bytes = bytes > 0 ? (uint64_t)bytes : 0;
    }
}

/* Our writer writes nothing else. */
static bool is_plain(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((text[i] < ' ' && text[i] != '\n') || text[i] > '~')
            return false;
    return true;
}

int digest_answer_parse(const struct buf *text, struct digest_answer *ret, struct err *e)
{
    const char *line_end = text->size > 0 ? memchr(text->data, '\n', text->size) : NULL;
    size_t head = line_end ? (size_t)(line_end - text->data) : 0, rest = line_end ? text->size - head - 1 : 0;
    json_auto_t *root = json_read_object(text->data, head, DIGEST_HEAD_MAX);
    struct summary s = {0};

    assert(ret && !ret->json.data);
    if (!root || !is_plain(text->data, text->size))
        return bad(e);
    snprintf(s.sentence, sizeof(s.sentence), "%s", json_read_text(root, "summary"));
    take_rows(json_object_get(root, "top"), &s);
    if (rest > 0 && (line_end[1] != '{' || text->data[text->size - 1] != '\n'))
        return bad(e);
    if (rest > 0 && buf_add(&ret->json, line_end + 1, rest) < 0)
        return err_set(e, -ENOMEM, "out of memory for the digest");
    summary_make_printable(&s);
    ret->summary = s;
    return 0;
}
