/* SPDX-License-Identifier: Apache-2.0
 *
 * Metrics as text: https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md (1.0).
 */
#include "base/openmetrics.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/counters.h"
#include "base/text.h"

enum { LABEL_MAX = 128 };

static void add(struct openmetrics *m, const char *text)
{
    if (m->result == 0)
        m->result = buf_add_text(&m->text, text);
}

void openmetrics_family(struct openmetrics *m, const char *name, enum metric_type type, const char *unit,
                        const char *help)
{
    static const char *const TYPES[] = {[METRIC_GAUGE] = "gauge", [METRIC_COUNTER] = "counter", [METRIC_INFO] = "info"};

    assert(!unit || text_ends(name, unit));
    m->family = name;
    m->type = type;
    if (m->result == 0)
        m->result = buf_printf(&m->text, "# TYPE %s %s\n", name, TYPES[type]);
    if (m->result == 0 && unit)
        m->result = buf_printf(&m->text, "# UNIT %s %s\n", name, unit);
    if (m->result == 0)
        m->result = buf_printf(&m->text, "# HELP %s %s\n", name, help);
}

/* Backslash, quote and line end are escaped, other control characters and what is not UTF-8 replaced. */
static void add_label(struct openmetrics *m, const char *label, const char *value)
{
    char printable[LABEL_MAX];

    add(m, "{");
    add(m, label);
    add(m, "=\"");
    for (const char *c = text_printable(value, printable, sizeof(printable)); *c; c++) {
        if (*c == '\\' || *c == '"')
            add(m, "\\");
        add(m, (const char[]){*c, '\0'});
    }
    add(m, "\"}");
}

static void begin_sample(struct openmetrics *m, const char *label, const char *value)
{
    static const char *const ENDS[] = {[METRIC_GAUGE] = "", [METRIC_COUNTER] = "_total", [METRIC_INFO] = "_info"};

    assert(m->family);
    add(m, m->family);
    add(m, ENDS[m->type]);
    if (label)
        add_label(m, label, value);
}

void openmetrics_uint(struct openmetrics *m, const char *label, const char *value_of_label, uint64_t value)
{
    begin_sample(m, label, value_of_label);
    if (m->result == 0)
        m->result = buf_printf(&m->text, " %" PRIu64 "\n", value);
}

void openmetrics_real(struct openmetrics *m, const char *label, const char *value_of_label, double value)
{
    begin_sample(m, label, value_of_label);
    if (m->result == 0)
        m->result = buf_printf(&m->text, " %.3f\n", value);
}

void openmetrics_time(struct openmetrics *m, const char *label, const char *value_of_label, int64_t wall_ns)
{
    openmetrics_real(m, label, value_of_label, (double)wall_ns / 1e9);
}

int openmetrics_end(struct openmetrics *m)
{
    add(m, "# EOF\n");
    return m->result;
}

void openmetrics_done(struct openmetrics *m)
{
    buf_done(&m->text);
}

/* All of the table, so that an alert on a rate sees the first one, too. */
static void add_events(struct openmetrics *m)
{
    openmetrics_family(m, "salvage_events", METRIC_COUNTER, NULL,
                       "Events by name, as in the log (docs/events.md): failed, gave-up, discarded ...");
    for (enum event i = 0; i < EVENT_END; i++)
        openmetrics_uint(m, "event", event_find(i)->name, counters_of(i).count);
    openmetrics_family(m, "salvage_event_last_timestamp_seconds", METRIC_GAUGE, "seconds",
                       "When an event occurred last. Of shipped: the last success.");
    for (enum event i = 0; i < EVENT_END; i++)
        if (counters_of(i).count > 0)
            openmetrics_time(m, "event", event_find(i)->name, counters_of(i).last_ns);
}

static void add_shipped(struct openmetrics *m)
{
    struct counted_namespace rows[COUNTERS_NAMESPACES];
    unsigned count = counters_namespaces(rows);

    if (count == 0)
        return;
    openmetrics_family(m, "salvage_shipped_objects", METRIC_COUNTER, NULL, "Files that were stored and verified.");
    for (unsigned i = 0; i < count; i++)
        openmetrics_uint(m, "namespace", rows[i].name, rows[i].shipped);
    openmetrics_family(m, "salvage_shipped_bytes", METRIC_COUNTER, "bytes", "Their size in the store.");
    for (unsigned i = 0; i < count; i++)
        openmetrics_uint(m, "namespace", rows[i].name, rows[i].stored_bytes);
    openmetrics_family(m, "salvage_shipped_last_timestamp_seconds", METRIC_GAUGE, "seconds",
                       "When the last one was stored.");
    for (unsigned i = 0; i < count; i++)
        openmetrics_time(m, "namespace", rows[i].name, rows[i].last_ns);
}

static void add_gauges(struct openmetrics *m)
{
    static const struct {
        const char *name, *help;
    } GAUGES[] = {
        [GAUGE_WAITING] = {"salvage_waiting_claims", "Files that were taken and are not in the store yet."},
        [GAUGE_TARGETS] = {"salvage_guarded_targets", "Memory cgroups and processes that are guarded."},
    };

    for (enum gauge i = 0; i < GAUGE_END; i++) {
        if (gauge_get(i) == UINT64_MAX)
            continue;
        openmetrics_family(m, GAUGES[i].name, METRIC_GAUGE, NULL, GAUGES[i].help);
        openmetrics_uint(m, NULL, NULL, gauge_get(i));
    }
}

void openmetrics_common(struct openmetrics *m)
{
    counters_receive();
    openmetrics_family(m, "salvage_build", METRIC_INFO, NULL, "The program.");
    openmetrics_uint(m, "version", SALVAGE_VERSION, 1);
    openmetrics_family(m, "salvage_start_timestamp_seconds", METRIC_GAUGE, "seconds", "When the process started.");
    openmetrics_time(m, NULL, NULL, counters_start_ns());
    add_events(m);
    add_shipped(m);
    add_gauges(m);
}
