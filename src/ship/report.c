/* SPDX-License-Identifier: Apache-2.0
 *
 * The same event for watch, guard and the foreground commands.
 */
#include "ship/report.h"

#include "base/log.h"
#include "base/mem.h"

void report_shipped(const struct plan *plan, const struct manifest *m, bool already, double seconds)
{
    CLEANUP_FREE char *url = sink_object_url(&plan->sink, m->key);
    char pause[PAUSE_TEXT_MAX];

    if (already)
        log_event(EVENT_ALREADY_STORED, LOG_STR("key", m->key), LOG_STR("url", url));
    else
        log_event(EVENT_SHIPPED, LOG_STR("key", m->key), LOG_STR("url", url), LOG_UINT("bytes", m->size),
                  LOG_UINT("stored", m->stored_size), LOG_REAL("seconds", seconds), LOG_STR("cause", m->cause),
                  LOG_STR("partial", m->partial), LOG_STR("pause", m->pause.by ? pause_print(&m->pause, pause) : NULL),
                  LOG_STR("verified", m->verified), LOG_STR("summary", m->summary));
}
