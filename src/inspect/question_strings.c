/* SPDX-License-Identifier: Apache-2.0
 *
 * --strings: Strings whose text matches, and what holds each. Texts are read in one pass; the expression is the user's,
 * the texts are anybody's, so that time and matches have a ceiling.
 */
#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/mem.h"
#include "inspect/heap_objects.h"
#include "inspect/heap_question.h"
#include "inspect/heap_survey.h"
#include "inspect/report_parts.h"
#include "inspect/root_search.h"
#include "inspect/suspect_path.h"

enum { CLOCK_EVERY = 256, STEPS_MAX = 12 };

struct match {
    uint32_t array;
    char *text;
};

struct search {
    const struct heap_report *r;
    regex_t expression;
    struct match match[STRINGS_MATCHES_MAX];
    size_t kept, most;
    uint64_t count, read, until_ms;
    bool too_long;
};

static void on_array(void *ctx, uint32_t node, uint32_t type, const struct heap_array *a)
{
    struct search *s = ctx;
    char *text;

    (void)type;
    if (s->too_long || !graph_bit(&s->r->waste.is_text, node))
        return;
    if (s->read++ % CLOCK_EVERY == 0 && clock_mono_ms() > s->until_ms) {
        s->too_long = true;
        return;
    }
    text = heap_characters(a, graph_bit(&s->r->waste.is_utf16, node), STRINGS_TEXT_MAX);
    if (text && regexec(&s->expression, text, 0, NULL, 0) == 0) {
        s->count++;
        if (s->kept < s->most) {
            s->match[s->kept++] = (struct match){node, text};
            return;
        }
    }
    free(text);
}

static bool wants_none(void *ctx, uint32_t type)
{
    (void)ctx;
    (void)type;
    return false;
}

static json_t *match_json(struct search *s, struct heap *h, const struct root_search *roots, const struct match *m)
{
    char **path = NULL;
    size_t count = 0;
    json_t *steps = json_array(), *o;
    int r = heap_path_texts(h, &s->r->threads, roots, m->array, &path, &count);
    size_t first = count > STEPS_MAX ? count - STEPS_MAX : 0;

    /* without the array itself: the String is what people look for */
    for (size_t i = first; r == 0 && i + 1 < count; i++)
        json_array_append_new(steps, report_text(path[i]));
    o = json_pack("{so so so}", "id",
                  report_id(h, roots->from[m->array] < h->objects ? roots->from[m->array] : m->array), "text",
                  report_text(m->text), "path", steps);
    for (size_t i = 0; i < count; i++)
        free(path[i]);
    free(path);
    return o;
}

static int answer(struct search *s, json_t **ret)
{
    struct root_search roots = {0};
    json_t *rows;
    int r = root_search_run(s->r->heap, &roots);

    if (r < 0)
        return r;
    rows = json_array();
    for (size_t i = 0; i < s->kept; i++)
        json_array_append_new(rows, match_json(s, s->r->heap, &roots, &s->match[i]));
    root_search_done(&roots);
    *ret = json_pack("{ss so so sb so}", "schema", "salvage.answer/1", "read", report_number(s->read), "count",
                     report_number(s->count), "complete", !s->too_long, "matches", rows);
    return 0;
}

int question_strings(struct heap_report *r, const struct heap_question *q, json_t **ret, struct err *e)
{
    CLEANUP_FREE struct search *s = calloc(1, sizeof(*s));
    const struct survey_part part = {s, wants_none, NULL, on_array};
    int result;

    if (!s)
        return err_set(e, -ENOMEM, "out of memory");
    if (strlen(q->strings) > STRINGS_PATTERN_MAX || regcomp(&s->expression, q->strings, REG_EXTENDED | REG_NOSUB) != 0)
        return err_set(e, -FAULT_USAGE, "--strings: it is no extended regular expression, or a long one");
    s->r = r;
    s->most = q->top < STRINGS_MATCHES_MAX ? q->top : STRINGS_MATCHES_MAX;
    s->until_ms = clock_mono_ms() + STRINGS_MS_MAX;
    result = heap_survey(r->heap, &r->retained, &part, 1);
    regfree(&s->expression);
    if (result == 0)
        result = answer(s, ret);
    for (size_t i = 0; i < s->kept; i++)
        free(s->match[i].text);
    return result < 0 ? err_set(e, result, "out of memory for the texts") : 0;
}
