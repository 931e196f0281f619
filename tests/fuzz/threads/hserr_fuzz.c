/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a crash log: texts that end, a cause that may stand in a key, and facts that lie in it.
 */
#include "../origin_check.h"
#include "threads/hserr.h"
#include "threads/hserr_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct origin o = {0};
    struct summary s = {0};
    struct hserr_log log;

    hserr_origin((const char *)data, size, &o);
    origin_check(&o);
    if (hserr_summary(data, size, &s) == 0)
        assert(memchr(s.sentence, '\0', sizeof(s.sentence)));
    hserr_read((const char *)data, size, &log);
    assert(log.heap.count <= HSERR_LINES_MAX && log.native_frames.count <= HSERR_LINES_MAX);
    assert(log.frame.size <= size && (log.frame.size == 0 || memchr(log.frame.text, '\n', log.frame.size) == NULL));
    return 0;
}
