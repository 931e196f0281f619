/* SPDX-License-Identifier: Apache-2.0
 *
 * A crash log of HotSpot. Its command line has secrets: only what hotspot/jvmcommand.h shows of one is shown.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strv.h"
#include "base/text.h"
#include "hotspot/jvmcommand.h"
#include "inspect/evidence_parts.h"
#include "inspect/report_parts.h"
#include "threads/hserr.h"
#include "threads/hserr_read.h"

enum { TEXT_MAX = 1024, WORDS_MAX = 1000 };

static const char *copy(struct piece p, char out[TEXT_MAX])
{
    snprintf(out, TEXT_MAX, "%.*s", (int)(p.size < TEXT_MAX ? p.size : TEXT_MAX - 1), p.size ? p.text : "");
    return out;
}

static void fact(struct evidence_writer *w, const char *field, const char *head, struct piece p)
{
    char text[TEXT_MAX];

    evidence_fact(w, field, head, copy(p, text));
}

/* Words of options as the JVM has them: a word in the midst of a value with blanks may look like anything, and is
 * dropped. */
static bool is_option(const char *word)
{
    static const char *const begins[] = {"-X", "-D", "-ea", "-da", "-javaagent:", "-agentlib:", "-agentpath:"};

    for (size_t i = 0; i < ARRAY_SIZE(begins); i++)
        if (text_starts(word, begins[i]))
            return true;
    return text_starts(word, "--") && strchr(word, '=');
}

static int add_words(struct strv *to, struct piece words, bool options)
{
    struct piece word;

    while ((word = piece_word(&words)).size && to->count < WORDS_MAX) {
        CLEANUP_FREE char *text = strndup(word.text, word.size);

        if (!text || ((!options || is_option(text)) && strv_add(to, text) < 0))
            return -ENOMEM;
    }
    return 0;
}

static int command_of(const struct hserr_log *log, char **ret)
{
    CLEANUP(strv_done) struct strv words = {0};
    struct piece rest = log->java_command, name = piece_word(&rest);
    bool jar = name.size > 4 && memcmp(name.text + name.size - 4, ".jar", 4) == 0;

    if (log->options.size == 0 && name.size == 0)
        return 0;
    if (strv_add(&words, "java") < 0 || add_words(&words, log->options, true) < 0 ||
        (jar && strv_add(&words, "-jar") < 0) || add_words(&words, log->java_command, false) < 0)
        return -ENOMEM;
    return (*ret = jvmcommand_describe(words.count, words.item)) ? 0 : -ENOMEM;
}

static void lines(struct evidence_writer *w, const char *field, const char *head, const struct hserr_lines *l)
{
    json_t *list = json_array();
    char text[TEXT_MAX];

    for (unsigned i = 0; i < l->count; i++) {
        copy(piece_trim(l->line[i]), text);
        json_array_append_new(list, report_text(text));
        if (i < w->view->top)
            evidence_line(w, i == 0 ? head : "", "%s", text);
    }
    if (l->count > w->view->top || l->more)
        evidence_line(w, "", "…");
    evidence_field(w, field, list);
}

int crash_log_report(struct evidence_writer *w, const void *data, size_t size)
{
    CLEANUP_FREE char *command = NULL;
    CLEANUP_FREE struct hserr_log *log = malloc(sizeof(*log));
    struct summary summary = {0};
    struct origin o = {0};
    char pid[32];
    int r = log ? hserr_summary(data, size, &summary) : -ENOMEM;

    if (r < 0)
        return r;
    hserr_origin(data, size, &o);
    hserr_read(data, size, log);
    if ((r = command_of(log, &command)) < 0)
        return r;
    snprintf(pid, sizeof(pid), "pid %" PRIu64, o.pid);
    evidence_title(w, o.time);
    evidence_title(w, o.jvm);
    evidence_title(w, o.pid ? pid : "");
    evidence_end_title(w);
    evidence_sentence(w, summary.sentence);
    evidence_field(w, "time", report_text(*o.time ? o.time : NULL));
    evidence_field(w, "jvm", report_text(*o.jvm ? o.jvm : NULL));
    evidence_field(w, "pid", o.pid ? report_number(o.pid) : json_null());
    evidence_field(w, "cause", report_text(o.cause));
    evidence_fact(w, "command", "COMMAND", command);
    fact(w, "elapsed", "RAN", log->elapsed);
    evidence_fact(w, "error", "ERROR", o.detail);
    fact(w, "allocation", "ALLOCATION", log->allocation);
    fact(w, "signal_info", "SIGNAL", log->signal_info);
    evidence_field(w, "sent_by_kill", json_boolean(log->by_kill));
    fact(w, "problematic_frame", "FRAME", log->frame);
    fact(w, "vm_state", "VM STATE", log->vm_state);
    fact(w, "vm_operation", "OPERATION", log->operation);
    fact(w, "core", "CORE", log->core);
    fact(w, "thread", "THREAD", log->thread);
    lines(w, "native_frames", "NATIVE", &log->native_frames);
    lines(w, "java_frames", "JAVA", &log->java_frames);
    lines(w, "heap", "HEAP", &log->heap);
    return 0;
}
