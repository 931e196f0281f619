/* SPDX-License-Identifier: Apache-2.0
 *
 * One line waits: a following line without a prefix may be its rest. Foreign bytes.
 */
#include "oom/oomsaved.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/scan.h"
#include "base/text.h"
#include "oom/logprefix.h"
#include "oom/oomline.h"
#include "oom/oomlog.h"
#include "oom/oomtable.h"
#include "oom/oomvictim.h"

enum {
    PAGE_SIZE = 4096, /* unless the log shows another size */
    PARTS_MAX = 16,
    WRAPPED_MIN = 30,            /* a shorter line is not taken for a wrapped one */
    BACK_USEC_MAX = 1000 * 1000, /* lines of several CPUs are out of order by less than this */
    BACK_SECONDS_MAX = 60,
};

/* A line that waits for its rest. */
struct waiting {
    struct logprefix prefix;                  /* without its text */
    char text[2 * KMSGRECORD_MAX];            /* the parts, each with a NUL */
    size_t size, part[PARTS_MAX], first_size; /* first_size: with its prefix */
    unsigned count;                           /* 0: nothing waits */
};

struct oomsaved {
    struct oomlog *log;
    struct oomtable table;
    oomsaved_kill *kill;
    void *ctx;
    struct waiting waiting;
    struct kmsgrecord record;    /* the record to be fed */
    struct logprefix last;       /* prefix of the line that was fed last */
    struct logprefix killed_at;  /* prefix of the waiting kill */
    struct logprefix summary_at; /* prefix of the last "oom-kill:" line */
    uint64_t usec;
    bool prefixed; /* lines of this log have prefixes */
    char line[KMSGRECORD_MAX], joined[KMSGRECORD_MAX];
    char boot[64]; /* boot id of journalctl -o json */
    struct {       /* for is_whole */
        struct oomkill kill;
        struct oomkill_process process;
        struct oomkill_invoker invoker;
        struct oomkill_amount amount;
        struct oomline_summary summary;
        struct oomtable table;
        char cgroup[OOMKILL_PATH_MAX];
        enum oomvictim_scope scope;
        uint64_t n;
    } scratch;
};

struct oomsaved *oomsaved_new(oomsaved_kill *kill, void *ctx)
{
    struct oomsaved *s = calloc(1, sizeof(*s));

    assert(kill);
    if (!s || !(s->log = oomlog_new(PAGE_SIZE))) {
        free(s);
        return NULL;
    }
    oomlog_of_file(s->log);
    s->kill = kill;
    s->ctx = ctx;
    return s;
}

void oomsaved_free(struct oomsaved *s)
{
    if (s)
        oomlog_free(s->log);
    free(s);
}

/* --- forms ----------------------------------------------------------------------------------------------------------
 */

/* Whether the text is a complete line of a kill or its report. */
static bool is_whole(struct oomsaved *s, const char *text)
{
    oomkill_init(&s->scratch.kill);
    return oomvictim_killed(text, &s->scratch.scope, &s->scratch.process) ||
           oomvictim_chosen(text, &s->scratch.scope) || oomvictim_spared(text) ||
           oomvictim_group(text, s->scratch.cgroup) || oomvictim_reaped(text, &s->scratch.n) ||
           oomline_invoked(text, &s->scratch.invoker) || oomline_amount(text, "memory", &s->scratch.amount) ||
           oomline_amount(text, "swap", &s->scratch.amount) ||
           oomline_amount(text, "memory+swap", &s->scratch.amount) ||
           oomline_amount(text, "kmem", &s->scratch.amount) || oomline_ram(text, 1, &s->scratch.n) ||
           oomline_task_in(text, &s->scratch.kill) || oomline_stats_of(text, &s->scratch.kill) ||
           oomline_summary(text, &s->scratch.kill, &s->scratch.summary) || oomtable_header(text, &s->scratch.table) ||
           oomtable_row(text, &s->table, PAGE_SIZE, &s->scratch.process);
}

/* --- to the log -----------------------------------------------------------------------------------------------------
 */

static int give(struct oomsaved *s, struct oomkill *k, const struct logprefix *at)
{
    if (!k)
        return 0;
    k->time_ns = at->dated ? at->date.wall_ns : 0;
    k->kernel.usec = at->stamped ? at->usec : OOMKILL_UNKNOWN;
    k->kernel.sequence = OOMKILL_UNKNOWN;
    return s->kill(s->ctx, k, at->date.zoned, at->date.yearless);
}

static int close_boot(struct oomsaved *s)
{
    bool waited = oomlog_waits(s->log);

    s->table.count = 0;
    return give(s, oomlog_gap(s->log), waited ? &s->killed_at : &s->summary_at);
}

/* Both clocks only go forward, except for a new boot, or another file appended to this one. */
static bool is_new_boot(const struct oomsaved *s, const struct logprefix *at, const char *text)
{
    const int64_t back_ns = INT64_C(1000000000) * BACK_SECONDS_MAX;

    if (text_starts(text, "Linux version ") || text_starts(text, "-- Reboot --") || text_starts(text, "-- Boot "))
        return true;
    if (at->stamped && s->last.stamped)
        return at->usec + BACK_USEC_MAX < s->last.usec;
    return at->dated && s->last.dated && at->date.yearless == s->last.date.yearless &&
           at->date.wall_ns < s->last.date.wall_ns - back_ns;
}

static uint64_t usec_of(const struct oomsaved *s, const struct logprefix *at)
{
    if (at->stamped)
        return at->usec;
    if (at->dated && at->date.wall_ns > 0)
        return (uint64_t)at->date.wall_ns / 1000;
    return s->usec + 10;
}

static int feed(struct oomsaved *s, const struct logprefix *at, const char *text)
{
    struct kmsgrecord *r = &s->record;
    const char *blank = text_starts(text, "killed as a result") ? " " : ""; /* removed by a syslog daemon */
    bool waited;
    struct oomkill *done;
    int ended = is_new_boot(s, at, text) ? close_boot(s) : 0;
    size_t size = strlen(text);

    if (ended < 0 || size + 1 >= sizeof(r->text))
        return ended;
    s->usec = r->usec = usec_of(s, at);
    r->continued = oomline_is_piece(text);
    memcpy(r->text, blank, strlen(blank));
    memcpy(r->text + strlen(blank), text, size + 1);
    r->size = size + strlen(blank);
    oomtable_header(text, &s->table);
    if (text_starts(text, "oom-kill:"))
        s->summary_at = *at;
    waited = oomlog_waits(s->log);
    done = oomlog_feed(s->log, r);
    ended = give(s, done, waited ? &s->killed_at : &s->summary_at);
    if (oomlog_waits(s->log) && (!waited || done))
        s->killed_at = *at;
    if (at->stamped || at->dated)
        s->last = *at;
    return ended;
}

/* --- lines that were wrapped ----------------------------------------------------------------------------------------
 */

/* Joins the first parts to one line; true if that is a complete line. A mail program may have replaced a blank by a
 * new line. */
static bool join(struct oomsaved *s, unsigned parts, const char *between)
{
    const struct waiting *w = &s->waiting;
    size_t size = 0;

    if (s->table.count > 0 && !s->prefixed && *w->text == '[')
        return false; /* the name at the end of a row may have any length */
    for (unsigned i = 0; i < parts; i++) {
        size_t more = strlen(w->text + w->part[i]);

        if (size + more + 2 > sizeof(s->joined))
            return false;
        if (i > 0) {
            memcpy(s->joined + size, between, strlen(between));
            size += strlen(between);
        }
        memcpy(s->joined + size, w->text + w->part[i], more + 1);
        size += more;
    }
    return is_whole(s, s->joined);
}

/* How many of the parts are one line; if more than one, s->joined is that line. */
static unsigned joined_parts(struct oomsaved *s)
{
    const struct waiting *w = &s->waiting;
    unsigned best = 1;

    if (w->first_size < WRAPPED_MIN || (oomline_has_end(w->text) && is_whole(s, w->text)))
        return 1;
    for (unsigned parts = 2; parts <= w->count; parts++) {
        if (!join(s, parts, "") && !join(s, parts, " "))
            continue;
        best = parts;
        if (oomline_has_end(s->joined))
            break;
    }
    if (best > 1 && !join(s, best, ""))
        join(s, best, " ");
    return best;
}

static int feed_waiting(struct oomsaved *s)
{
    struct waiting *w = &s->waiting;
    unsigned parts = joined_parts(s);
    int r = 0;

    if (parts > 1)
        r = feed(s, &w->prefix, s->joined);
    for (unsigned i = parts > 1 ? parts : 0; i < w->count && r >= 0; i++)
        r = feed(s, &w->prefix, w->text + w->part[i]);
    w->count = 0;
    w->size = 0;
    return r;
}

static bool add_part(struct waiting *w, const char *text, size_t size)
{
    if (w->count == PARTS_MAX || w->size + size + 1 > sizeof(w->text))
        return false;
    w->part[w->count++] = w->size;
    memcpy(w->text + w->size, text, size + 1);
    w->size += size + 1;
    return true;
}

/* --- one line -------------------------------------------------------------------------------------------------------
 */

/* rsyslog writes a control character as "#012". */
static void unescape(char *text)
{
    char *to = text;

    for (const char *from = text; *from; to++) {
        bool escaped = text_starts(from, "#012");

        *to = escaped ? '\n' : *from;
        from += escaped ? 4 : 1;
    }
    *to = '\0';
}

static const char *json_text(const json_t *root, const char *name)
{
    const char *text = json_string_value(json_object_get(root, name));

    return text ? text : "";
}

/* Parses a line of journalctl -o json, and puts its text into s->line. False if it is not one. */
static bool read_json(struct oomsaved *s, struct logprefix *at, bool *ret_new_boot)
{
    json_auto_t *root = json_loads(s->line, 0, NULL);
    const char *usec, *text = json_text(root, "MESSAGE"), *boot = json_text(root, "_BOOT_ID");
    uint64_t n;

    if (!json_is_object(root) || strlen(text) >= sizeof(s->line))
        return false;
    *at = (struct logprefix){.found = true};
    at->foreign = *json_text(root, "_TRANSPORT") && !text_eq(json_text(root, "_TRANSPORT"), "kernel");
    usec = json_text(root, "_SOURCE_MONOTONIC_TIMESTAMP");
    if (scan_number(&usec, &at->usec))
        at->stamped = true;
    usec = json_text(root, "__REALTIME_TIMESTAMP");
    if (scan_number(&usec, &n) && n < INT64_MAX / 1000) {
        at->dated = at->date.zoned = true;
        at->date.wall_ns = (int64_t)n * 1000;
    }
    *ret_new_boot = *s->boot && *boot && !text_eq(s->boot, boot);
    if (*boot && strlen(boot) < sizeof(s->boot))
        memcpy(s->boot, boot, strlen(boot) + 1);
    memmove(s->line, text, strlen(text) + 1);
    at->text = s->line;
    return true;
}

/* Parses a record in the format of /dev/kmsg. */
static bool read_record(struct oomsaved *s, size_t size, struct logprefix *at)
{
    if (kmsgrecord_parse(s->line, size, &s->record) < 0)
        return false;
    *at = (struct logprefix){.found = true, .stamped = true, .usec = s->record.usec};
    at->foreign = s->record.facility != 0;
    memcpy(s->line, s->record.text, s->record.size + 1);
    s->record.facility = 0;
    at->text = s->line;
    return true;
}

/* Copies the line to s->line: NUL-terminated, without blanks at its end. */
static size_t take_line(struct oomsaved *s, const char *line, size_t size)
{
    size = size < sizeof(s->line) ? size : sizeof(s->line) - 1;
    for (size_t i = 0; i < size; i++)
        s->line[i] = (char)(line[i] ? line[i] : '?');
    while (size > 0 && strchr(" \t\r", s->line[size - 1]))
        size--;
    s->line[size] = '\0';
    return size;
}

int oomsaved_line(struct oomsaved *s, const char *line, size_t size)
{
    struct waiting *w = &s->waiting;
    struct logprefix at = {0};
    bool new_boot = false;
    int r;

    size = take_line(s, line, size);
    if ((*s->line != '{' || !read_json(s, &at, &new_boot)) && !read_record(s, size, &at))
        logprefix_read(s->line, &at);
    if (at.foreign)
        return 0;
    if (!at.found && !oomline_is_piece(at.text))
        at.text += strspn(at.text, " \t>");
    s->prefixed |= at.stamped || at.dated;
    unescape(s->line + (at.text - s->line));
    if (!at.found && w->count > 0 && *at.text && oomline_is_begun(w->text) && !oomline_is_begun(at.text) &&
        add_part(w, at.text, strlen(at.text)))
        return 0;
    if ((r = feed_waiting(s)) < 0 || (new_boot && (r = close_boot(s)) < 0))
        return r;
    w->prefix = at;
    if (!at.found) { /* has the time of the line before */
        w->prefix = s->last;
        w->prefix.foreign = false;
    }
    w->prefix.text = NULL;
    w->first_size = size;
    add_part(w, at.text, strlen(at.text));
    return 0;
}

int oomsaved_end(struct oomsaved *s)
{
    int r = feed_waiting(s);

    if (r >= 0)
        r = close_boot(s);
    s->last = (struct logprefix){0};
    s->prefixed = false;
    s->boot[0] = '\0';
    return r;
}
