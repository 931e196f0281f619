/* SPDX-License-Identifier: Apache-2.0
 *
 * Read by printing again: what differs is none of our names.
 */
#include "ship/crash_name.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { TIME_DIGITS = 13, SIGNAL_MAX = 64 };

static const struct {
    const char *begins, *ends;
} FILES[CRASH_FILE_END] = {{"core.", ""}, {"crash-", ".json"}, {"hs_err_pid", ".log"}};

void crash_name_print(const struct crash_name *n, enum crash_file which, char ret[CRASH_FILE_NAME_MAX])
{
    assert(which < CRASH_FILE_END);
    snprintf(ret, CRASH_FILE_NAME_MAX, "%s%" PRIu64 "-%013" PRId64 ",%s,%d%s%s", FILES[which].begins, n->pid,
             n->time_ms, n->cause, n->signal, n->sensitive ? ",sensitive" : "", FILES[which].ends);
}

void crash_name_plain(const struct crash_name *n, enum crash_file which, char ret[CRASH_FILE_NAME_MAX])
{
    assert(which < CRASH_FILE_END);
    if (which == CRASH_FILE_RECORD)
        snprintf(ret, CRASH_FILE_NAME_MAX, "crash.json");
    else
        snprintf(ret, CRASH_FILE_NAME_MAX, which == CRASH_FILE_CORE ? "core.%" PRIu64 : "hs_err_pid%" PRIu64 ".log",
                 n->pid);
}

/* Digits up to a character. NULL: there are none, or too many. */
static const char *read_number(const char *at, char end, uint64_t most, uint64_t *ret)
{
    char text[24];
    size_t size = strspn(at, "0123456789");

    if (size == 0 || size >= sizeof(text) || at[size] != end)
        return NULL;
    memcpy(text, at, size);
    text[size] = '\0';
    return text_parse_uint(text, most, ret) < 0 ? NULL : at + size + 1;
}

static bool read_words(const char *at, const char *ends, struct crash_name *n)
{
    size_t cause = strcspn(at, ",");
    uint64_t signal;

    if (cause == 0 || cause >= sizeof(n->cause) || at[cause] != ',' ||
        strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789-") != cause)
        return false;
    memcpy(n->cause, at, cause);
    at += cause + 1;
    n->sensitive = strchr(at, ',') != NULL;
    if (!read_number(at, n->sensitive ? ',' : *ends, SIGNAL_MAX, &signal))
        return false;
    n->signal = (int)signal;
    return true;
}

static bool read_as(const char *name, enum crash_file which, struct crash_name *ret)
{
    struct crash_name n = {0};
    char again[CRASH_FILE_NAME_MAX];
    uint64_t time_ms;
    const char *at = text_behind(name, FILES[which].begins);

    if (!text_starts(name, FILES[which].begins) || !at || !(at = read_number(at, '-', INT32_MAX, &n.pid)) ||
        strspn(at, "0123456789") != TIME_DIGITS || !(at = read_number(at, ',', INT64_MAX, &time_ms)))
        return false;
    n.time_ms = (int64_t)time_ms;
    if (!read_words(at, FILES[which].ends, &n))
        return false;
    crash_name_print(&n, which, again);
    if (!text_eq(again, name))
        return false;
    *ret = n;
    return true;
}

bool crash_name_read(const char *name, struct crash_name *ret, enum crash_file *ret_which)
{
    for (int i = 0; i < CRASH_FILE_END; i++)
        if (read_as(name, (enum crash_file)i, ret)) {
            *ret_which = (enum crash_file)i;
            return true;
        }
    return false;
}
