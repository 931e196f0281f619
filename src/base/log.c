/* SPDX-License-Identifier: Apache-2.0
 *
 * A line is built on the stack and written by one write: nothing is allocated when memory runs out, and lines of
 * several processes do not mix. If stderr is full or closed, lines are lost and work goes on.
 */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/counters.h"
#include "base/env.h"
#include "base/file.h"
#include "base/text.h"

enum { LINE_MAX_BYTES = 8 * 1024, TAIL = 2, UNIT_MAX = 8 }; /* the tail: "}\n" */

struct line {
    char data[LINE_MAX_BYTES];
    size_t size;
    bool json;
};

static enum log_format log_format_chosen = LOG_TEXT;
static int copy_fd = -1;

void log_set_format(enum log_format format)
{
    log_format_chosen = format;
}

int log_set_copy(int fd)
{
    int flags = fd < 0 ? 0 : fcntl(fd, F_GETFL);

    if (flags < 0 || (fd >= 0 && (fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)))
        return -errno;
    copy_fd = fd;
    return 0;
}

static size_t room(const struct line *l)
{
    return sizeof(l->data) - TAIL - l->size;
}

static void add(struct line *l, const char *data, size_t size)
{
    if (size > room(l))
        return;
    memcpy(l->data + l->size, data, size);
    l->size += size;
}

/* Escapes one character for a quoted value, into out. Returns its length in text; malformed UTF-8 becomes U+FFFD. Both
 * formats use JSON's escapes. */
static size_t escape(const char *text, size_t left, char out[static UNIT_MAX], size_t *ret_size)
{
    static const char short_names[] = "b\bf\fn\nr\rt\t\"\"\\\\";
    size_t length = text_utf8_length(text, left);
    unsigned code = length > 0 ? text_control(text, length) : 0;

    for (size_t i = 0; length == 1 && short_names[i]; i += 2)
        if (short_names[i + 1] == *text) {
            out[0] = '\\';
            out[1] = short_names[i];
            *ret_size = 2;
            return 1;
        }
    if (length == 0 || code > 0xffff)
        *ret_size = (size_t)snprintf(out, UNIT_MAX, "\xef\xbf\xbd");
    else if (code)
        *ret_size = (size_t)snprintf(out, UNIT_MAX, "\\u%04x", code);
    else
        memcpy(out, text, *ret_size = length);
    return length ? length : 1;
}

static bool needs_quotes(const char *text)
{
    size_t left = strlen(text), size;
    char unit[UNIT_MAX];

    if (left == 0)
        return true;
    while (left > 0) {
        size_t step = escape(text, left, unit, &size);

        if (*text == ' ' || *text == '=' || unit[0] == '\\')
            return true;
        text += step;
        left -= step;
    }
    return false;
}

/* A value gets at most half of the room that is left, so that later values have some, too. */
static void add_text(struct line *l, const char *text)
{
    bool quoted = l->json || needs_quotes(text);
    size_t left = strlen(text), end = l->size + room(l) / 2, size;
    char unit[UNIT_MAX];

    if (quoted)
        add(l, "\"", 1);
    while (left > 0) {
        size_t step = escape(text, left, unit, &size);

        if (l->size + size + UNIT_MAX > end) {
            add(l, "...", 3);
            break;
        }
        add(l, unit, size);
        text += step;
        left -= step;
    }
    if (quoted)
        add(l, "\"", 1);
}

static void add_key(struct line *l, const char *key)
{
    if (l->json) {
        add(l, l->size > 0 ? ",\"" : "{\"", 2);
        add(l, key, strlen(key));
        add(l, "\":", 2);
    } else {
        if (l->size > 0)
            add(l, " ", 1);
        add(l, key, strlen(key));
        add(l, "=", 1);
    }
}

static void add_pair(struct line *l, const struct log_pair *p)
{
    enum { LEAST = 64 };
    char number[LEAST] = "null"; /* JSON has no infinity */

    if ((p->type == LOG_PAIR_STR && !p->value.str) || room(l) < strlen(p->key) + LEAST)
        return;
    add_key(l, p->key);
    switch (p->type) {
    case LOG_PAIR_STR:
        add_text(l, p->value.str);
        return;
    case LOG_PAIR_UINT:
        snprintf(number, sizeof(number), "%" PRIu64, p->value.uint);
        break;
    case LOG_PAIR_REAL:
        if (isfinite(p->value.real))
            snprintf(number, sizeof(number), fabs(p->value.real) < 1e15 ? "%.3f" : "%.6e", p->value.real);
        break;
    case LOG_PAIR_BOOL:
        snprintf(number, sizeof(number), "%s", p->value.boolean ? "true" : "false");
        break;
    case LOG_PAIR_END:
        break;
    }
    add(l, number, strlen(number));
}

static void send_line(int fd, bool json, const struct log_pair *head, const struct log_pair *pairs)
{
    struct line l = {.json = json};

    for (; head->type != LOG_PAIR_END; head++)
        add_pair(&l, head);
    for (; pairs->type != LOG_PAIR_END; pairs++)
        add_pair(&l, pairs);
    if (l.json)
        l.data[l.size++] = '}';
    l.data[l.size++] = '\n';
    file_write(fd, l.data, l.size);
}

void log_write(enum event event, const struct log_pair *pairs)
{
    static const char *const levels[] = {[LEVEL_INFO] = "info", [LEVEL_WARNING] = "warning", [LEVEL_ERROR] = "error"};
    const struct event_info *info = event_find(event);
    char time[CLOCK_TEXT_MAX];
    const struct log_pair head[] = {LOG_STR("time", clock_format(clock_wall_ns(), time)),
                                    LOG_STR("level", levels[info->level]),
                                    LOG_STR("event", info->name),
                                    LOG_STR("component", env_get("SALVAGE_COMPONENT")),
                                    {.type = LOG_PAIR_END}};
    int saved = errno;

    counters_event(event, pairs);
    send_line(STDERR_FILENO, log_format_chosen == LOG_JSON, head, pairs);
    if (copy_fd >= 0)
        send_line(copy_fd, true, head, pairs);
    errno = saved;
}
