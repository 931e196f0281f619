/* SPDX-License-Identifier: Apache-2.0
 *
 * Any JSON as a digest: the sections are whole, and have no element that its text could have brought.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/json_read.h"
#include "base/mem.h"
#include "inspect/digest_html.h"
#include "text_count.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_auto_t *d = json_read_object((const char *)data, size, 1024 * 1024);
    CLEANUP(html_done) struct html h = {0};

    if (!d)
        return 0;
    json_object_set_new(d, "schema", json_string("salvage.digest/1"));
    assert(digest_known(d));
    digest_html_classes(&h, d);
    digest_html_threads(&h, d);
    digest_html_contents(&h, d);
    assert(h.failed == 0 && h.depth == 0);
    assert(times(buf_text(&h.out), "<section") == times(buf_text(&h.out), "</section>"));
    assert(times(buf_text(&h.out), "<script") == 0 && times(buf_text(&h.out), "<section") <= 3);
    return 0;
}
