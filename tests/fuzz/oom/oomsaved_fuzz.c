/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a saved kernel log. Each kill is written as JSON.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "oom/oomsaved.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_kill(void *ctx, struct oomkill *k, bool zoned, bool yearless)
{
    CLEANUP(buf_done) struct buf json = {0};

    (void)ctx;
    (void)zoned;
    (void)yearless;
    assert(k->source && k->process.pid != OOMKILL_UNKNOWN);
    assert(k->stat_count <= OOMKILL_STATS_MAX && k->task_count <= OOMKILL_TASKS_MAX && k->task_count <= k->task_total);
    assert(oomkill_encode(k, false, &json) == 0);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct oomsaved *s = oomsaved_new(on_kill, NULL);
    const char *at = (const char *)data, *end = at + size;

    assert(s);
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t length = stop ? (size_t)(stop - at) : (size_t)(end - at);

        assert(oomsaved_line(s, at, length) == 0);
        at += length + 1;
    }
    assert(oomsaved_end(s) == 0);
    oomsaved_free(s);
    return 0;
}
