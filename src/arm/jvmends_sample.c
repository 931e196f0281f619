/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory and threads of living JVMs, from /proc/PID/status.
 */
#include <stdlib.h>
#include <string.h>

#include "arm/jvmends_internal.h"
#include "arm/near_limit.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "linux/threadroom.h"

enum { GROWN = 16 }; /* a sixteenth more threads: compared with the limits again */

/* "VmRSS:	  120 kB" in bytes, "Threads:	12" as it is. */
static uint64_t value_of(const char *status, const char *name, uint64_t unit)
{
    const char *at = strstr(status, name);

    return at ? strtoull(at + strlen(name), NULL, 10) * unit : 0;
}

static void sample(struct watched_jvm *w)
{
    CLEANUP(buf_done) struct buf status = {0};
    const char *text;

    jvmends_has_counters(w);
    if (file_load(w->proc.fd, "status", &status) < 0 || !strstr(text = buf_text(&status), "\nVmRSS:"))
        return;
    w->sample = (struct jvmend_sample){.time_ns = clock_wall_ns(),
                                       .threads = value_of(text, "\nThreads:", 1),
                                       .rss = value_of(text, "\nVmRSS:", 1024),
                                       .rss_anon = value_of(text, "\nRssAnon:", 1024),
                                       .swap = value_of(text, "\nVmSwap:", 1024)};
}

/* Asking for the limits costs more than counting the threads. */
static void compare_threads(struct watched_jvm *w)
{
    uint64_t threads = w->sample.threads;
    struct threadroom room;

    if (w->taken || threads < w->compared + w->compared / GROWN + 1)
        return;
    w->compared = threads;
    threadroom_get("/proc", &w->proc, &room);
    w->taken = near_limit_is(&room, threads);
    if (w->taken)
        near_limit_take(&w->trace, &room, w->root, w->below);
}

void jvmends_sample(struct jvmends *e)
{
    jvmends_read_files(e);
    for (size_t i = 0; i < e->count; i++)
        if (!e->item[i]->ended_ms) {
            sample(e->item[i]);
            compare_threads(e->item[i]);
        }
}
