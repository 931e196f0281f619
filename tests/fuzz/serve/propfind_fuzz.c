/* SPDX-License-Identifier: Apache-2.0
 *
 * Any body of a PROPFIND: what is taken can be repeated in an answer, which is XML again, and asks for the same.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "serve/propfind.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const struct propfind *p)
{
    CLEANUP(buf_done) struct buf body = {0};
    CLEANUP(propfind_done) struct propfind again = {0};

    assert(buf_printf(&body, "<D:propfind xmlns:D=\"DAV:\"><D:prop>%s</D:prop></D:propfind>", buf_text(&p->others)) ==
           0);
    assert(propfind_parse(body.data, body.size, &again) == 0);
    assert(strcmp(buf_text(&again.others), buf_text(&p->others)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct propfind p;

    if (propfind_parse(data, size, &p) < 0)
        return 0;
    if (p.others.size > 0)
        check_again(&p);
    propfind_done(&p);
    return 0;
}
