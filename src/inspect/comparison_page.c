/* SPDX-License-Identifier: Apache-2.0
 */
#include "inspect/comparison_page.h"

#include <errno.h>

#include "base/mem.h"
#include "inspect/analysis_frame.h"

int comparison_page(const struct comparison *c, struct buf *ret, struct err *e)
{
    CLEANUP(buf_done) struct buf title = {0};
    CLEANUP(html_done) struct html h = {0};

    if (buf_printf(&title, "%s \xe2\x86\x92 %s", c->heap[0].name, c->heap[1].name) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    analysis_frame_begin(&h, buf_text(&title));
    html_begin(&h, "header");
    html_begin(&h, "h1");
    comparison_html_sentence(&h, c);
    html_end(&h);
    comparison_html_facts(&h, c);
    html_end(&h);
    comparison_html_sections(&h, c);
    return analysis_frame_end(&h, ret, e);
}
