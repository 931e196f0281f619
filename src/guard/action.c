/* SPDX-License-Identifier: Apache-2.0
 *
 * Parses one item after the other, and restores the list on an error.
 */
#include "guard/action.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

const struct action_word ACTION_WORDS[] = {
    [ACTION_STATS] = {"stats", "stats", 5000, "memory.stat, limits, pressure, smaps_rollup, the largest processes"},
    [ACTION_HISTOGRAM] = {"histogram", "histogram", 30000, "a JVM's class histogram"},
    [ACTION_THREADS] = {"threads", "threads", 10000, "a JVM's thread dump"},
    [ACTION_NATIVE] = {"native", "native", 10000, "a JVM's native memory, if it tracks that (VM.native_memory)"},
    [ACTION_HEAP_DUMP] = {"heap-dump", "heap-dump[:live]", 600000, "a JVM's heap dump"},
    [ACTION_CORE] = {"core", "core[@pause=TIME]", 600000, "a core file of the process, which lives on"},
    [ACTION_GET] = {"get", "get:URL", 30000, "what an HTTP server answers"},
    [ACTION_SIGNAL] = {"signal", "signal:NAME", 5000, "a signal to the process, if it handles that"},
    [ACTION_EXEC] = {"exec", "exec:COMMAND", 60000, "a command of yours"},
    [ACTION_KINDS] = {.name = NULL},
};

static const struct {
    const char *name;
    int number;
} SIGNALS[] = {
    {"HUP", SIGHUP},   {"INT", SIGINT},   {"QUIT", SIGQUIT},     {"ILL", SIGILL},     {"TRAP", SIGTRAP},
    {"ABRT", SIGABRT}, {"BUS", SIGBUS},   {"FPE", SIGFPE},       {"USR1", SIGUSR1},   {"SEGV", SIGSEGV},
    {"USR2", SIGUSR2}, {"PIPE", SIGPIPE}, {"ALRM", SIGALRM},     {"TERM", SIGTERM},   {"CHLD", SIGCHLD},
    {"CONT", SIGCONT}, {"TSTP", SIGTSTP}, {"TTIN", SIGTTIN},     {"TTOU", SIGTTOU},   {"URG", SIGURG},
    {"XCPU", SIGXCPU}, {"XFSZ", SIGXFSZ}, {"PROF", SIGPROF},     {"WINCH", SIGWINCH}, {"IO", SIGIO},
    {"PWR", SIGPWR},   {"SYS", SIGSYS},   {"VTALRM", SIGVTALRM}, {"KILL", SIGKILL},   {"STOP", SIGSTOP},
};

enum {
    REALTIME_MIN = 34, /* 32 and 33 belong to the threads library */
    REALTIME_MAX = 64,
    NAME_LENGTH_MAX = 32,
    TIME_LENGTH_MAX = 64,
    LIMIT_MIN_MS = 100,
    LIMIT_MAX_MS = 24 * 3600 * 1000,
    PAUSE_MAX_MS = 60 * 1000
};

static const char BLANKS[] = " \t", PAUSE[] = "pause=";

/* The parts of an item. */
struct item {
    char name[NAME_LENGTH_MAX];
    char time[TIME_LENGTH_MAX];
    bool has_time, has_argument;
    char argument[ACTION_ARGUMENT_MAX];
};

static int unknown_action(const char *name, struct err *e)
{
    const char *names[ACTION_KINDS + 1], *near;

    for (unsigned i = 0; i <= ACTION_KINDS; i++)
        names[i] = ACTION_WORDS[i].name;
    near = text_nearest(name, names);
    if (near)
        return err_set(e, -FAULT_USAGE, "there is no action \"%s\": did you mean %s?", name, near);
    return err_set(e, -FAULT_USAGE,
                   "there is no action \"%s\", but stats, histogram, threads, native, heap-dump[:live], core, get:URL, "
                   "signal:NAME and exec:COMMAND (in which \\, is a comma)",
                   name);
}

/* The size of the item: up to a ',' without a backslash before it, or to the end. */
static size_t item_size(const char *text)
{
    size_t size = 0;

    while (text[size] && text[size] != ',')
        size += text[size] == '\\' && text[size + 1] == ',' ? 2 : 1;
    return size;
}

/* Copies without the backslash of "\,". False: no room. */
static bool copy_argument(char *out, size_t room, const char *text, size_t size)
{
    size_t used = 0;

    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\\' && i + 1 < size && text[i + 1] == ',')
            i++;
        if (used + 1 >= room)
            return false;
        out[used++] = text[i];
    }
    out[used] = '\0';
    return true;
}

static bool copy_span(char *out, size_t room, const char *text, size_t size)
{
    if (size >= room)
        return false;
    memcpy(out, text, size);
    out[size] = '\0';
    return true;
}

static bool has_control(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return true;
    return false;
}

/* text[size] has no blanks around it; *ret is zero. */
static int split_item(const char *text, size_t size, struct item *ret, struct err *e)
{
    size_t colon = 0, at = 0;

    if (size == 0)
        return err_set(e, -FAULT_USAGE, "an action is empty: one ',' too many, or no text");
    while (colon < size && text[colon] != ':')
        colon++;
    while (at < colon && text[at] != '@')
        at++;
    ret->has_time = at < colon;
    ret->has_argument = colon < size;
    if (!copy_span(ret->name, sizeof(ret->name), text, at))
        return err_set(e, -FAULT_USAGE, "there is no action \"%.*s...\"", NAME_LENGTH_MAX, text);
    if (ret->has_time && !copy_span(ret->time, sizeof(ret->time), text + at + 1, colon - at - 1))
        return err_set(e, -FAULT_USAGE, "\"%.*s\": its time is too long", (int)colon, text);
    if (!ret->has_argument)
        return 0;
    colon++;
    while (colon < size && strchr(BLANKS, text[colon]))
        colon++;
    if (!copy_argument(ret->argument, sizeof(ret->argument), text + colon, size - colon))
        return err_set(e, -FAULT_USAGE, "what stands behind \"%s:\" is longer than %d bytes", ret->name,
                       ACTION_ARGUMENT_MAX - 1);
    if (has_control(ret->argument))
        return err_set(e, -FAULT_USAGE, "\"%s:%s\": a control character is in it", ret->name, ret->argument);
    return 0;
}

static int read_live(const struct item *i, struct action *a, struct err *e)
{
    if (!i->has_argument)
        return 0;
    if (text_starts(i->argument, "live@"))
        return err_set(e, -FAULT_USAGE, "\"%s:%s\": the time stands behind the name: %s@%s:live", i->name, i->argument,
                       i->name, i->argument + strlen("live@"));
    if (!text_eq(i->argument, "live"))
        return err_set(e, -FAULT_USAGE, "\"%s:%s\": did you mean %s:live?", i->name, i->argument, i->name);
    a->live = true;
    return 0;
}

static int read_url(const struct item *i, struct action *a, struct err *e)
{
    const char *host = strstr(i->argument, "://");
    size_t length;

    if (!text_starts(i->argument, "http://") && !text_starts(i->argument, "https://"))
        return err_set(e, -FAULT_USAGE, "\"get:%s\": write get:http://HOST/... or get:https://HOST/...", i->argument);
    host += strlen("://");
    length = strcspn(host, "/?#");
    if (length == 0)
        return err_set(e, -FAULT_USAGE, "\"get:%s\": there is no host in it", i->argument);
    if (memchr(host, '@', length))
        return err_set(e, -FAULT_USAGE, "get: every user can see a name or password in a URL: remove it");
    if (strpbrk(i->argument, BLANKS))
        return err_set(e, -FAULT_USAGE, "\"get:%s\": a blank in a URL is written %%20", i->argument);
    memcpy(a->argument, i->argument, sizeof(a->argument));
    return 0;
}

/* "USR2", "SIGUSR2", "12", "RTMIN+3". 0: there is none. */
static int find_signal(const char *name)
{
    uint64_t number;

    if (text_parse_uint(name, REALTIME_MAX, &number) == 0)
        return number < 32 || number >= REALTIME_MIN ? (int)number : 0;
    if (text_starts(name, "SIG"))
        name += 3;
    if (text_eq(name, "RTMIN"))
        return REALTIME_MIN;
    if (text_starts(name, "RTMIN+") &&
        text_parse_uint(name + strlen("RTMIN+"), REALTIME_MAX - REALTIME_MIN, &number) == 0)
        return REALTIME_MIN + (int)number;
    for (size_t i = 0; i < ARRAY_SIZE(SIGNALS); i++)
        if (text_eq(name, SIGNALS[i].name))
            return SIGNALS[i].number;
    return 0;
}

static int read_signal(const struct item *i, struct action *a, struct err *e)
{
    int number = find_signal(i->argument);

    if (number == 0)
        return err_set(e, -FAULT_USAGE, "\"signal:%s\": there is no such signal: for example signal:USR2, signal:QUIT",
                       i->argument);
    if (number == SIGKILL || number == SIGSTOP)
        return err_set(e, -FAULT_USAGE, "\"signal:%s\": no process can handle that signal, so it makes no evidence",
                       i->argument);
    a->signal = number;
    return 0;
}

static int read_argument(const struct item *i, struct action *a, struct err *e)
{
    bool needed = a->kind == ACTION_GET || a->kind == ACTION_SIGNAL || a->kind == ACTION_EXEC;

    if (needed && !*i->argument)
        return err_set(e, -FAULT_USAGE, "\"%s\": write %s", i->name, ACTION_WORDS[a->kind].form);
    switch (a->kind) {
    case ACTION_HEAP_DUMP:
        return read_live(i, a, e);
    case ACTION_GET:
        return read_url(i, a, e);
    case ACTION_SIGNAL:
        return read_signal(i, a, e);
    case ACTION_EXEC:
        memcpy(a->argument, i->argument, sizeof(a->argument));
        return 0;
    default:
        break;
    }
    if (i->has_argument)
        return err_set(e, -FAULT_USAGE, "\"%s:%s\": %s takes nothing behind a ':'", i->name, i->argument, i->name);
    return 0;
}

/* Only for core: a JVM can't be made to keep a pause. */
static int read_pause(const struct item *i, const char *text, struct action *a, struct err *e)
{
    if (a->kind != ACTION_CORE)
        return err_set(e, -FAULT_USAGE, "\"%s@%s\": only core has a pause", i->name, i->time);
    if (text_parse_duration(text, &a->pause_ms) < 0 || a->pause_ms > PAUSE_MAX_MS)
        return err_set(e, -FAULT_USAGE, "\"%s@%s\": not a pause from 0 to 60s: for example %s@pause=100ms", i->name,
                       i->time, i->name);
    return 0;
}

static int read_limit(const struct item *i, const char *text, struct action *a, struct err *e)
{
    if (text_parse_duration(text, &a->limit_ms) < 0 || a->limit_ms < LIMIT_MIN_MS || a->limit_ms > LIMIT_MAX_MS)
        return err_set(e, -FAULT_USAGE, "\"%s@%s\": not a time from 100ms to 24h: for example %s@30s", i->name, i->time,
                       i->name);
    return 0;
}

/* "30s", "pause=100ms", "30s@pause=100ms". */
static int read_times(const struct item *i, struct action *a, struct err *e)
{
    bool limited = false, paused = false;
    const char *at = i->time;

    for (;; at++) {
        char word[TIME_LENGTH_MAX];
        size_t size = strcspn(at, "@");
        bool pause = strncmp(at, PAUSE, strlen(PAUSE)) == 0, *given = pause ? &paused : &limited;
        int r;

        copy_span(word, sizeof(word), at, size);
        if (*given)
            return err_set(e, -FAULT_USAGE, "\"%s@%s\": %s is given twice", i->name, i->time,
                           pause ? "the pause" : "the time");
        *given = true;
        r = pause ? read_pause(i, word + strlen(PAUSE), a, e) : read_limit(i, word, a, e);
        at += size;
        if (r < 0 || !*at)
            return r;
    }
}

static int read_item(const struct item *i, struct action *ret, struct err *e)
{
    struct action a = {.kind = ACTION_STATS};
    int r = 0;

    while (a.kind < ACTION_KINDS && !text_eq(ACTION_WORDS[a.kind].name, i->name))
        a.kind++;
    if (a.kind == ACTION_KINDS)
        return unknown_action(i->name, e);
    a.limit_ms = ACTION_WORDS[a.kind].limit_ms;
    a.pause_ms = a.kind == ACTION_CORE ? ACTION_PAUSE_MS : 0;
    if (i->has_time)
        r = read_times(i, &a, e);
    if (r == 0)
        r = read_argument(i, &a, e);
    if (r == 0)
        *ret = a;
    return r;
}

static int add_items(const char *text, struct actions *list, struct err *e)
{
    for (;; text++) {
        struct item item = {.has_time = false};
        size_t size, left;
        int r;

        text += strspn(text, BLANKS);
        size = left = item_size(text);
        while (size > 0 && strchr(BLANKS, text[size - 1]))
            size--;
        r = split_item(text, size, &item, e);
        if (r == 0 && list->count == ACTION_MAX)
            r = err_set(e, -FAULT_USAGE, "more than %d actions", ACTION_MAX);
        if (r == 0)
            r = read_item(&item, &list->item[list->count], e);
        if (r < 0)
            return r;
        list->count++;
        text += left;
        if (!*text)
            return 0;
    }
}

int action_add(const char *text, struct actions *list, struct err *e)
{
    unsigned before = list->count;
    int r = add_items(text, list, e);

    if (r < 0)
        list->count = before;
    return r;
}

static void print_argument(const char *argument, char *out, size_t room)
{
    size_t used = 0;

    for (; *argument && used + 2 < room; argument++) {
        if (*argument == ',')
            out[used++] = '\\';
        out[used++] = *argument;
    }
    out[used] = '\0';
}

static void print_signal(int number, char *out, size_t room)
{
    for (size_t i = 0; i < ARRAY_SIZE(SIGNALS); i++)
        if (SIGNALS[i].number == number) {
            snprintf(out, room, "%s", SIGNALS[i].name);
            return;
        }
    if (number >= REALTIME_MIN)
        snprintf(out, room, "RTMIN+%d", number - REALTIME_MIN);
    else
        snprintf(out, room, "%d", number);
}

static const char *print_time(uint64_t ms, const char *before, char out[TIME_LENGTH_MAX])
{
    snprintf(out, TIME_LENGTH_MAX, "@%s%" PRIu64 "%s", before, ms % 1000 ? ms : ms / 1000, ms % 1000 ? "ms" : "s");
    return out;
}

const char *action_print(const struct action *a, char *out)
{
    const struct action_word *w = &ACTION_WORDS[a->kind];
    char argument[2 * ACTION_ARGUMENT_MAX] = "", time[TIME_LENGTH_MAX] = "", pause[TIME_LENGTH_MAX] = "";

    if (a->limit_ms != w->limit_ms)
        print_time(a->limit_ms, "", time);
    if (a->kind == ACTION_CORE && a->pause_ms != ACTION_PAUSE_MS)
        print_time(a->pause_ms, PAUSE, pause);
    if (a->kind == ACTION_SIGNAL)
        print_signal(a->signal, argument, sizeof(argument));
    else if (a->live)
        snprintf(argument, sizeof(argument), "live");
    else
        print_argument(a->argument, argument, sizeof(argument));
    snprintf(out, ACTION_TEXT_MAX, "%s%s%s%s%s", w->name, time, pause, *argument ? ":" : "", argument);
    return out;
}
