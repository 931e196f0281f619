/* SPDX-License-Identifier: Apache-2.0
 *
 * Line by line; a section's lines follow its title and end with an empty line.
 */
#include "threads/hserr_read.h"

#include <string.h>

#include "base/mem.h"
#include "place/origin.h"

struct reader {
    struct hserr_log *log;
    struct hserr_lines *section; /* that the line belongs to; NULL: none */
    bool frame_is_next;
};

/* "Current thread (0x00007f):  JavaThread "main" [_thread_in_native, id=7, stack(...)]" */
static struct piece thread_of(struct piece line)
{
    struct piece name = piece_behind(line, "\""), kind;

    if (name.text)
        return piece_until(name, "\" ");
    kind = piece_trim(piece_behind(line, "): "));
    return kind.text ? piece_until(kind, " [") : piece_behind(line, "Current thread is ");
}

static void set(struct piece *to, struct piece value)
{
    if (to->size == 0)
        *to = piece_trim(value);
}

static struct hserr_lines *section_of(struct hserr_log *log, struct piece line)
{
    const struct {
        const char *title;
        struct hserr_lines *lines;
    } sections[] = {
        {"Native frames:", &log->native_frames},
        {"Java frames:", &log->java_frames},
        {"Heap:", &log->heap},
        {"Heap", &log->heap}, /* JDK 6 */
    };

    for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
        if (sections[i].lines->count == 0 && piece_begins(line, sections[i].title) &&
            (sections[i].title[4] || line.size == strlen("Heap")))
            return sections[i].lines;
    return NULL;
}

static void add_line(struct hserr_lines *to, struct piece line)
{
    if (to->count < HSERR_LINES_MAX)
        to->line[to->count++] = line;
    else
        to->more = true;
}

/* "# Core dump will be written. Default location: …", "# Failed to write core dump. …", "# CreateCoredumpOnCrash turned
 * off, no core file dumped" */
static bool is_about_core(struct piece line)
{
    return piece_behind(line, "ore dump").text || piece_behind(line, "core file").text ||
           piece_behind(line, "CreateCoredumpOnCrash").text;
}

static void read_comment(struct reader *r, struct piece line)
{
    struct piece words = piece_trim(piece_behind(line, "#"));
    struct hserr_log *log = r->log;

    if (r->frame_is_next)
        set(&log->frame, words);
    else if (piece_begins(words, "SIG") && piece_behind(line, "(sent by kill)").text)
        log->by_kill = true;
    else if (piece_begins(words, "Native memory allocation "))
        set(&log->allocation, piece_until(words, ". Error detail"));
    else if (is_about_core(words))
        set(&log->core, words);
    r->frame_is_next = piece_begins(words, "Problematic frame:");
}

static void read_fact(struct hserr_log *log, struct piece line)
{
    const struct {
        const char *words;
        struct piece *to;
        const char *stop;
    } facts[] = {
        {"VM state:", &log->vm_state, "("},    {"VM_Operation ", &log->operation, NULL},
        {"siginfo:", &log->signal_info, NULL}, {"elapsed time: ", &log->elapsed, NULL}, /* a line of its own to JDK 8 */
        {"jvm_args: ", &log->options, NULL},   {"java_command: ", &log->java_command, NULL},
    };

    if (piece_begins(line, "Current thread"))
        set(&log->thread, thread_of(line));
    else if (piece_begins(line, "Time: "))
        set(&log->elapsed, piece_behind(line, "elapsed time: "));
    for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
        struct piece value =
            piece_begins(line, facts[i].words) ? piece_behind(line, facts[i].words) : (struct piece){0};

        if (value.size)
            set(facts[i].to, facts[i].stop ? piece_until(value, facts[i].stop) : value);
    }
}

/* Behind the stacks: the code of compiled methods, the locks of a lightweight locking JVM. */
static bool ends_section(struct piece line)
{
    return piece_trim(line).size == 0 || piece_begins(line, "-----") || piece_begins(line, "Lock stack of ");
}

static void read_line(struct reader *r, struct piece line)
{
    struct hserr_lines *next;

    if (piece_begins(line, "#")) {
        read_comment(r, line);
        return;
    }
    r->frame_is_next = false;
    if ((next = section_of(r->log, line))) { /* JDK 25 leaves no empty line between the stacks */
        r->section = next;
    } else if (ends_section(line)) {
        r->section = NULL;
    } else if (r->section) {
        add_line(r->section, line);
    } else {
        read_fact(r->log, line);
    }
}

void hserr_read(const char *text, size_t size, struct hserr_log *ret)
{
    struct hserr_log log = {0};
    struct reader r = {.log = &log};
    const char *at = text, *end = text + size;
    struct piece line;

    while (origin_line(&at, end, &line.text, &line.size))
        read_line(&r, line);
    *ret = log;
}
