/* SPDX-License-Identifier: Apache-2.0
 *
 * Any record: what is accepted is the same when it is written and read again.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "serve/upload_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(upload_record_done) struct upload_record r = {0}, again = {0};
    CLEANUP(buf_done) struct buf json = {0};

    if (upload_record_decode((const char *)data, size, &r) < 0) {
        assert(!r.key && !r.owner);
        return 0;
    }
    assert(*r.key && *r.owner && upload_record_encode(&r, &json) == 0);
    assert(upload_record_decode(buf_text(&json), json.size, &again) == 0);
    assert(strcmp(r.sha256, again.sha256) == 0 && r.length == again.length && r.complete == again.complete);
    return 0;
}
