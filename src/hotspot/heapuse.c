/* SPDX-License-Identifier: Apache-2.0
 *
 * The diagnostic command, or the counters if the JVM doesn't have it.
 */
#include "hotspot/heapuse.h"

#include <errno.h>

#include "base/mem.h"
#include "hotspot/counters.h"
#include "hotspot/diagnostics.h"
#include "hotspot/heapinfo.h"
#include "hotspot/jvmheap.h"

enum { ANSWER_MAX = 256 * 1024 };

static uint64_t counted(const struct jvm *j)
{
    CLEANUP(counters_done) struct counters c = {0};
    struct jvmheap heap;
    struct err ignored;

    if (counters_read(&j->proc, &c, &ignored) < 0)
        return 0;
    jvmheap_read(&c.perf, &heap);
    return heap.used > 0 ? (uint64_t)heap.used : 0;
}

int heapuse_get(const struct jvm *j, const struct attach_wait *wait, uint64_t *ret_bytes, struct err *e)
{
    CLEANUP(buf_done) struct buf answer = {.ceiling = ANSWER_MAX};
    int r = attach_ask(j, ATTACH_JCMD(DIAGNOSTIC_HEAP_INFO), wait, &answer, e);

    if (r < 0 && r != -EPROTO && r != -EMSGSIZE)
        return r;
    if (r < 0 || heapinfo_used(buf_text(&answer), ret_bytes) < 0)
        *ret_bytes = counted(j);
    return 0;
}
