/* SPDX-License-Identifier: Apache-2.0
 */
#include "inspect/evidence_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/text.h"
#include "inspect/report_parts.h"

enum { LINE_BYTES_MAX = 2048 };

static void note(struct evidence_writer *w, int r)
{
    if (r < 0 && w->failed == 0)
        w->failed = r;
}

void evidence_field(struct evidence_writer *w, const char *field, json_t *value)
{
    note(w, json_object_set_new(w->to->json, field, value) < 0 ? -ENOMEM : 0);
}

void evidence_line(struct evidence_writer *w, const char *head, const char *format, ...)
{
    char printable[LINE_BYTES_MAX];
    CLEANUP_FREE char *text = NULL;
    va_list args;
    int n;

    va_start(args, format);
    n = vasprintf(&text, format, args);
    va_end(args);
    if (n < 0) {
        text = NULL;
        note(w, -ENOMEM);
        return;
    }
    note(w, buf_printf(&w->to->text, "  %s%-11s%s%s\n", w->view->bold ? "\033[1m" : "", head,
                       w->view->bold ? "\033[0m" : "", text_printable(text, printable, sizeof(printable))));
}

void evidence_fact(struct evidence_writer *w, const char *field, const char *head, const char *text)
{
    if (!text || !*text)
        return;
    evidence_field(w, field, report_text(text));
    evidence_line(w, head, "%s", text);
}

void evidence_title(struct evidence_writer *w, const char *words)
{
    char printable[LINE_BYTES_MAX];

    if (words && *words)
        note(w, buf_printf(&w->to->text, "%s%s", w->to->text.size ? " · " : "",
                           text_printable(words, printable, sizeof(printable))));
}

void evidence_end_title(struct evidence_writer *w)
{
    note(w, buf_add_text(&w->to->text, "\n"));
}

void evidence_sentence(struct evidence_writer *w, const char *sentence)
{
    char printable[LINE_BYTES_MAX];

    if (!sentence || !*sentence)
        return;
    evidence_field(w, "sentence", report_text(sentence));
    note(w, buf_printf(&w->to->text, "  %s\n", text_printable(sentence, printable, sizeof(printable))));
}

void evidence_classes(struct evidence_writer *w, const struct summary_row *row, size_t count)
{
    json_t *list = json_array();
    char size[TEXT_SIZE_MAX];

    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list, json_pack("{so so so}", "class", report_text(row[i].name), "count",
                                              report_number(row[i].count), "bytes", report_number(row[i].bytes)));
        if (i < w->view->top)
            evidence_line(w, i == 0 ? "CLASSES" : "", "%10s  %s (%" PRIu64 ")", text_format_size(row[i].bytes, size),
                          row[i].name, row[i].count);
    }
    evidence_field(w, "classes", list);
}
