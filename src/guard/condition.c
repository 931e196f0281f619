/* SPDX-License-Identifier: Apache-2.0
 *
 * Parsing. A term is NAME SIGN VALUE; the sign is part of the table, so that the error can name a wrong one.
 */
#include "guard/condition.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

const struct condition_word CONDITION_WORDS[] = {
    {CONDITION_MEMORY, "memory", ">=", "memory>=90%", "memory>=N%|SIZE",
     "share of the lowest limit (the container's, its pod's), or the container's own bytes; inactive file cache "
     "does not count"},
    {CONDITION_NEED, "need", ">=", "need>=95%", "need>=N%",
     "the same share without clean file pages: what the kernel can't reclaim before it kills"},
    {CONDITION_GROWTH, "growth", ">=", "growth>=10M/s", "growth>=SIZE/s", "memory grows at least this fast"},
    {CONDITION_OOM_IN, "oom-in", "<=", "oom-in<=8s", "oom-in<=TIME|dump",
     "time to the limit at the present speed; dump: the time that a heap dump of this process takes on this machine, "
     "with margin"},
    {CONDITION_PRESSURE, "pressure", "=", "pressure=critical", "pressure=low|medium|critical",
     "cgroup v1's memory.pressure_level, at least"},
    {CONDITION_PSI_SOME, "psi.some", ">=", "psi.some>=20%/10s", "psi.some>=N%/TIME",
     "share of TIME in which some task waited for memory"},
    {CONDITION_PSI_FULL, "psi.full", ">=", "psi.full>=10%/10s", "psi.full>=N%/TIME",
     "share of TIME in which all tasks waited for memory"},
    {CONDITION_HEAP, "heap", ">=", "heap>=90%", "heap>=N%",
     "a JVM's old generation after its last collection, as a share of its maximum"},
    {CONDITION_GC, "gc", ">=", "gc>=50%", "gc>=N%", "a JVM's share of time in garbage collection"},
    {CONDITION_THREADS, "threads", ">=", "threads>=90%", "threads>=N%",
     "threads and processes of the cgroup, or of one above it with less room, as a share of its pids.max"},
    {CONDITION_EVENT, "event", ":", "event:oom", "event:high|max|oom|oom-kill|oom-group-kill",
     "the kernel counted one (memory.events)"},
    {.name = NULL},
};

static const char SIGNS[] = "<>=:";
static const char BLANKS[] = " \t";
static const char *const PRESSURES[] = {"low", "medium", "critical", NULL};                     /* from READING_LOW */
static const char *const EVENTS[] = {"high", "max", "oom", "oom-kill", "oom-group-kill", NULL}; /* bit by bit */

enum { TERM_MAX = 64, WINDOW_MIN_MS = 500, WINDOW_MAX_MS = 600 * 1000, OOM_IN_MAX_MS = 24 * 3600 * 1000 };

/* One term taken apart, without blanks around its parts. */
struct parts {
    char whole[TERM_MAX];
    char name[TERM_MAX];
    char sign[TERM_MAX];
    char value[TERM_MAX];
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void copy_span(char *out, const char *text, size_t size)
{
    memcpy(out, text, size);
    out[size] = '\0';
}

/* Drops blanks that separate nothing: "90 %", "10 M / s". Those between two words stay. */
static void squash(char *value)
{
    char *to = value;

    for (const char *at = value; *at;) {
        size_t blanks = strspn(at, BLANKS);
        char before = to > value ? to[-1] : '\0', after = at[blanks];

        if (blanks > 0 && !strchr("%/", before) && !strchr("%/", after) && !(is_digit(before) && is_letter(after)))
            *to++ = ' ';
        at += blanks;
        if (*at)
            *to++ = *at++;
    }
    *to = '\0';
}

static void take_apart(const char *text, size_t size, struct parts *ret)
{
    size_t name, sign;
    const char *at;

    copy_span(ret->whole, text, size);
    name = strcspn(ret->whole, SIGNS);
    at = ret->whole + name;
    while (name > 0 && strchr(BLANKS, ret->whole[name - 1]))
        name--;
    copy_span(ret->name, ret->whole, name);
    sign = strspn(at, SIGNS);
    copy_span(ret->sign, at, sign);
    at += sign;
    at += strspn(at, BLANKS);
    copy_span(ret->value, at, strlen(at));
    squash(ret->value);
}

static int unknown_word(const struct parts *p, struct err *e)
{
    const char *names[ARRAY_SIZE(CONDITION_WORDS)], *near;
    size_t count = 0;

    for (const struct condition_word *w = CONDITION_WORDS; w->name; w++)
        names[count++] = w->name;
    names[count] = NULL;
    near = text_nearest(p->name, names);
    if (near)
        return err_set(e, -FAULT_USAGE, "\"%s\": there is no \"%s\": did you mean %s?", p->whole, p->name, near);
    return err_set(
        e, -FAULT_USAGE,
        "\"%s\": there is no \"%s\", but memory, need, growth, oom-in, pressure, psi.some, psi.full, heap, gc, "
        "threads and event",
        p->whole, p->name);
}

static int wrong_value(const struct parts *p, const struct condition_word *w, const char *what, struct err *e)
{
    return err_set(e, -FAULT_USAGE, "\"%s\": \"%s\" is not %s: for example %s", p->whole, p->value, what, w->example);
}

/* "92.5%" in hundredths of a per cent, above 0 and up to 100 %. */
static bool read_share(const char *text, uint64_t *ret)
{
    uint64_t share = 0, weight = READING_WHOLE / 100;

    if (!is_digit(*text))
        return false;
    for (; is_digit(*text); text++) {
        share = share * 10 + (uint64_t)(*text - '0') * weight;
        if (share > READING_WHOLE)
            return false;
    }
    if (*text == '.') {
        if (!is_digit(*++text))
            return false;
        for (; is_digit(*text); text++) {
            weight /= 10;
            if (weight == 0)
                return false;
            share += (uint64_t)(*text - '0') * weight;
        }
    }
    if (!text_eq(text, "%") || share == 0 || share > READING_WHOLE)
        return false;
    *ret = share;
    return true;
}

/* With a unit, and at most INT64_MAX. */
static bool read_size(const char *text, uint64_t *ret)
{
    uint64_t size;

    if (!*text || is_digit(text[strlen(text) - 1]) || text_parse_size(text, &size) < 0)
        return false;
    if (size == 0 || size > INT64_MAX)
        return false;
    *ret = size;
    return true;
}

static int read_memory(const struct parts *p, const struct condition_word *w, struct condition_term *t, struct err *e)
{
    if (read_share(p->value, &t->value))
        t->what = CONDITION_MEMORY;
    else if (read_size(p->value, &t->value))
        t->what = CONDITION_SIZE;
    else
        return wrong_value(p, w, "a share (more than 0% and up to 100%, two decimals) or a size with its unit (400M)",
                           e);
    return 0;
}

static int read_growth(const struct parts *p, const struct condition_word *w, struct condition_term *t, struct err *e)
{
    char size[TERM_MAX];
    size_t length = strlen(p->value);

    if (text_ends(p->value, "/s")) {
        copy_span(size, p->value, length - 2);
        if (read_size(size, &t->value))
            return 0;
    }
    return wrong_value(p, w, "a size a second", e);
}

static int read_oom_in(const struct parts *p, const struct condition_word *w, struct condition_term *t, struct err *e)
{
    if (text_eq(p->value, "dump")) {
        t->what = CONDITION_OOM_IN_DUMP;
        return 0;
    }
    if (text_parse_duration(p->value, &t->value) < 0 || t->value == 0 || t->value > OOM_IN_MAX_MS)
        return wrong_value(p, w, "a time (up to 24h) or \"dump\"", e);
    return 0;
}

static int read_psi(const struct parts *p, const struct condition_word *w, struct condition_term *t, struct err *e)
{
    char share[TERM_MAX];
    size_t length = strcspn(p->value, "/");

    copy_span(share, p->value, length);
    if (p->value[length] != '/' || !read_share(share, &t->value) ||
        text_parse_duration(p->value + length + 1, &t->window_ms) < 0)
        return wrong_value(p, w, "a share of a time", e);
    if (t->window_ms < WINDOW_MIN_MS || t->window_ms > WINDOW_MAX_MS)
        return wrong_value(p, w, "a share of a time from 500ms to 10m", e);
    return 0;
}

static int read_name(const struct parts *p, const struct condition_word *w, const char *const *names, unsigned *ret,
                     struct err *e)
{
    const char *near;

    for (unsigned i = 0; names[i]; i++)
        if (text_eq(names[i], p->value)) {
            *ret = i;
            return 0;
        }
    near = text_nearest(p->value, names);
    if (near)
        return err_set(e, -FAULT_USAGE, "\"%s\": there is no \"%s\": did you mean %s%s%s?", p->whole, p->value, w->name,
                       w->sign, near);
    return err_set(e, -FAULT_USAGE, "\"%s\": there is no \"%s\": write %s", p->whole, p->value, w->form);
}

static int read_event(struct parts *p, const struct condition_word *w, struct condition_term *t, struct err *e)
{
    unsigned bit = 0;
    int r;

    for (char *c = p->value; *c; c++) /* the kernel writes oom_kill */
        if (*c == '_')
            *c = '-';
    r = read_name(p, w, EVENTS, &bit, e);
    t->value = 1u << bit;
    return r;
}

static int read_pressure(const struct parts *p, const struct condition_word *w, struct condition_term *t, struct err *e)
{
    unsigned index = 0;
    int r = read_name(p, w, PRESSURES, &index, e);

    t->value = READING_LOW + index;
    return r;
}

static int read_value(struct parts *p, const struct condition_word *w, struct condition_term *t, struct err *e)
{
    t->what = w->what;
    switch (t->what) {
    case CONDITION_MEMORY:
    case CONDITION_SIZE:
        return read_memory(p, w, t, e);
    case CONDITION_GROWTH:
        return read_growth(p, w, t, e);
    case CONDITION_OOM_IN:
    case CONDITION_OOM_IN_DUMP:
        return read_oom_in(p, w, t, e);
    case CONDITION_PRESSURE:
        return read_pressure(p, w, t, e);
    case CONDITION_PSI_SOME:
    case CONDITION_PSI_FULL:
        return read_psi(p, w, t, e);
    case CONDITION_EVENT:
        return read_event(p, w, t, e);
    case CONDITION_NEED:
    case CONDITION_HEAP:
    case CONDITION_GC:
    case CONDITION_THREADS:
        break;
    }
    return read_share(p->value, &t->value) ? 0
                                           : wrong_value(p, w, "a share, more than 0% and up to 100%, two decimals", e);
}

/* text[size] has no blanks around it. */
static int parse_term(const char *text, size_t size, struct condition_term *ret, struct err *e)
{
    const struct condition_word *w = CONDITION_WORDS;
    struct parts p;

    if (size == 0)
        return err_set(e, -FAULT_USAGE, "a condition is empty: one ',' too many, or no text");
    if (size >= TERM_MAX)
        return err_set(e, -FAULT_USAGE, "\"%.*s...\": too long for a condition", TERM_MAX, text);
    take_apart(text, size, &p);
    while (w->name && !text_eq(w->name, p.name))
        w++;
    if (!w->name)
        return unknown_word(&p, e);
    if (!*p.sign && *p.value == '\0')
        return err_set(e, -FAULT_USAGE,
                       "\"%s\": %s needs a value: write '%s', in quotes (the shell interprets < and >)", p.whole,
                       p.name, w->example);
    if (strpbrk(p.value, "<>="))
        return err_set(e, -FAULT_USAGE, "\"%s\": a ',' is missing between two conditions", p.whole);
    if (!*p.value)
        return err_set(e, -FAULT_USAGE, "\"%s\": a value is missing: for example %s", p.whole, w->example);
    if (!text_eq(w->sign, p.sign))
        return err_set(e, -FAULT_USAGE, "\"%s\": did you mean %s%s%s?", p.whole, w->name, w->sign, p.value);
    return read_value(&p, w, ret, e);
}

int condition_parse(const char *text, struct condition *ret, struct err *e)
{
    struct condition c = {0};
    int r;

    for (;; text++) {
        size_t size, left;

        text += strspn(text, BLANKS);
        size = left = strcspn(text, ",");
        while (size > 0 && strchr(BLANKS, text[size - 1]))
            size--;
        if (c.count == CONDITION_TERMS_MAX)
            return err_set(e, -FAULT_USAGE, "more than %d conditions in one: give several", CONDITION_TERMS_MAX);
        r = parse_term(text, size, &c.term[c.count], e);
        if (r < 0)
            return r;
        c.count++;
        text += left;
        if (!*text)
            break;
    }
    *ret = c;
    return 0;
}
