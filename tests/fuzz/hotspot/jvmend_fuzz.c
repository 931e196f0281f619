/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a record of a JVM's end, and as the counters that such a record is made of: what is written from them
 * begins like a record, and is read back.
 */
#include <stdint.h>

#include "../origin_check.h"
#include "base/mem.h"
#include "hotspot/jvmend.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct jvmend end = {.pid = 7, .command = "java", .version = "17", .ended_ns = 1, .status = 1 << 8};
    CLEANUP(buf_done) struct buf record = {0};
    struct origin any = {0}, ours = {0};
    struct hsperf h;

    jvmend_origin((const char *)data, size, &any);
    origin_check(&any);
    if (hsperf_init(&h, data, size) < 0)
        return 0;
    end.counters = &h;
    if (jvmend_write(&end, &record) < 0)
        return 0; /* too long */
    assert(strncmp(buf_text(&record), JVMEND_BEGINS, strlen(JVMEND_BEGINS)) == 0);
    jvmend_origin(buf_text(&record), record.size, &ours);
    origin_check(&ours);
    assert(strcmp(ours.cause, "exit") == 0 && ours.pid == 7);
    return 0;
}
