/* SPDX-License-Identifier: Apache-2.0
 *
 * A day is 24 hours, whatever the calendar says.
 */
#include "base/rate.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { DIGITS_MAX = 20 };

static const uint64_t PER_MAX_MS = 366ull * 24 * 3600 * 1000;

static const struct {
    const char *name;
    uint64_t ms;
} SPANS[] = {
    {"minute", 60000}, {"hour", 3600000},      {"day", 24ull * 3600000}, {"week", 7ull * 24ull * 3600000},
    {"h", 3600000},    {"d", 24ull * 3600000}, /* never printed */
};

static int parse_span(const char *text, uint64_t *ret_ms)
{
    for (size_t i = 0; i < ARRAY_SIZE(SPANS); i++)
        if (text_eq(text, SPANS[i].name)) {
            *ret_ms = SPANS[i].ms;
            return 0;
        }
    return text_parse_duration(text, ret_ms);
}

int rate_parse(const char *text, struct rate *ret, struct err *e)
{
    size_t digits = strspn(text, "0123456789");
    char count_text[DIGITS_MAX];
    uint64_t count, per_ms;

    if (text_eq(text, "none")) {
        *ret = (struct rate){0};
        return 0;
    }
    if (digits > 0 && !text[digits])
        return err_set(e, -FAULT_USAGE, "\"%s\" has no period: for example %s/day", text, text);
    if (digits == 0 || digits >= sizeof(count_text) || text[digits] != '/' ||
        parse_span(text + digits + 1, &per_ms) < 0 || per_ms == 0 || per_ms > PER_MAX_MS)
        return err_set(e, -FAULT_USAGE, "\"%s\" is not a rate: for example 3/day, 1/hour, 5/12h, or none", text);
    memcpy(count_text, text, digits);
    count_text[digits] = '\0';
    if (text_parse_uint(count_text, RATE_COUNT_MAX, &count) < 0 || count == 0)
        return err_set(e, -FAULT_USAGE, "\"%s\": from 1 to %d times, or none for no limit", text, RATE_COUNT_MAX);
    *ret = (struct rate){.count = (unsigned)count, .per_ms = per_ms};
    return 0;
}

const char *rate_print(const struct rate *r, char *out)
{
    if (r->count == 0) {
        snprintf(out, RATE_TEXT_MAX, "none");
        return out;
    }
    for (size_t i = 0; i < ARRAY_SIZE(SPANS); i++)
        if (r->per_ms == SPANS[i].ms) {
            snprintf(out, RATE_TEXT_MAX, "%u/%s", r->count, SPANS[i].name);
            return out;
        }
    snprintf(out, RATE_TEXT_MAX, "%u/%" PRIu64 "%s", r->count, r->per_ms % 1000 ? r->per_ms : r->per_ms / 1000,
             r->per_ms % 1000 ? "ms" : "s");
    return out;
}
