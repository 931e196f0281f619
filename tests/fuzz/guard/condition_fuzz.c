/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text as a condition or a cap, evaluated on any reading: what is taken is printed as what is taken again, and what
 * holds also holds for one who has fired.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/rate.h"
#include "guard/condition.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The next value from the input: known or not. */
static struct reading_value take(const uint8_t **data, size_t *size)
{
    struct reading_value v = {0};
    uint8_t bytes[9] = {0};
    size_t count = *size < sizeof(bytes) ? *size : sizeof(bytes);

    memcpy(bytes, *data, count);
    *data += count;
    *size -= count;
    memcpy(&v.value, bytes, sizeof(v.value));
    v.known = bytes[8] & 1;
    if (bytes[8] & 2) /* small ones meet the marks more often */
        v.value %= 20000;
    return v;
}

static void evaluate(const struct condition *c, const uint8_t *data, size_t size)
{
    struct reading r = {0};
    struct reading_value *const values[] = {
        &r.own,       &r.used,          &r.limit,   &r.room,     &r.growth, &r.psi[0].some, &r.psi[0].full,
        &r.heap_left, &r.growth_native, &r.dump_ms, &r.pressure, &r.heap,   &r.gc,          &r.events,
    };
    enum condition_verdict first, held;
    char explained[CONDITION_EXPLAIN_MAX];

    for (size_t i = 0; i < ARRAY_SIZE(values); i++)
        *values[i] = take(&data, &size);
    r.psi[0].window_ms = c->term[0].window_ms;
    first = condition_evaluate(c, &r, false, NULL);
    held = condition_evaluate(c, &r, true, NULL);
    assert(held >= first || held == CONDITION_UNKNOWN);
    assert(first != CONDITION_TRUE || held == CONDITION_TRUE);
    condition_explain(c, &r, explained);
    assert(*explained && strlen(explained) < sizeof(explained) - 1);
}

static void read_rate(const char *text)
{
    struct rate r, again;
    char printed[RATE_TEXT_MAX];

    if (rate_parse(text, &r, NULL) < 0)
        return;
    assert(rate_parse(rate_print(&r, printed), &again, NULL) == 0);
    assert(r.count == again.count && r.per_ms == again.per_ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = memchr(data, '\0', size);
    size_t length = end ? (size_t)(end - data) : size;
    CLEANUP_FREE char *text = malloc(length + 1);
    char printed[CONDITION_TEXT_MAX];
    struct condition c, again;
    struct err e = {0};

    assert(text);
    memcpy(text, data, length);
    text[length] = '\0';
    read_rate(text);
    if (condition_parse(text, &c, &e) < 0) {
        assert(*e.msg);
        return 0;
    }
    assert(c.count > 0 && c.count <= CONDITION_TERMS_MAX);
    condition_print(&c, printed);
    assert(strlen(printed) < sizeof(printed) - 1);
    assert(condition_parse(printed, &again, NULL) == 0 && again.count == c.count);
    for (unsigned i = 0; i < c.count; i++) {
        assert(c.term[i].what == again.term[i].what && c.term[i].value == again.term[i].value);
        assert(c.term[i].value > 0 || c.term[i].what == CONDITION_OOM_IN_DUMP);
        assert(c.term[i].window_ms == again.term[i].window_ms);
    }
    if (end)
        evaluate(&c, end + 1, size - length - 1);
    return 0;
}
