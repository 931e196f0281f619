/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as an order, a report and offers: what is read is well-formed, and can be written and read again.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ship/capture_protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_order(const struct capture_order *o)
{
    assert(*o->namespace && !strpbrk(o->namespace, "/. ") && capture_is_name(o->pod) && !strpbrk(o->container, "/. "));
    assert(o->what < CAPTURE_WHATS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    CLEANUP_FREE struct capture_offers *offers = calloc(2, sizeof(*offers));
    CLEANUP(buf_done) struct buf written = {0};
    struct capture_order order;
    struct capture_report report, again;
    struct err e;

    assert(offers);
    if (capture_order_read(text, size, &order, &e) == 0)
        check_order(&order);
    if (capture_report_read(text, size, &report, &e) == 0) {
        assert(capture_report_write(&report, &written) == 0);
        assert(capture_report_read(written.data, written.size, &again, &e) == 0);
        assert(again.state == report.state && strcmp(again.key, report.key) == 0);
        buf_clear(&written);
    }
    if (capture_offers_read(text, size, &offers[0], &e) == 0) {
        for (unsigned i = 0; i < offers->count; i++)
            check_order(&offers->item[i].order);
        assert(capture_offers_write(&offers[0], &written) == 0);
        assert(capture_offers_read(written.data, written.size, &offers[1], &e) == 0);
        assert(offers[0].count == offers[1].count);
    }
    return 0;
}
