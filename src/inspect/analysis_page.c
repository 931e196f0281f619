/* SPDX-License-Identifier: Apache-2.0
 */
#include "inspect/analysis_page.h"

#include "base/fault.h"
#include "base/mem.h"
#include "inspect/analysis.h"
#include "inspect/analysis_frame.h"

int analysis_page(const json_t *a, struct buf *ret, struct err *e)
{
    CLEANUP(html_done) struct html h = {0};

    if (!analysis_known(a))
        return err_set(e, -FAULT_CORRUPT, "not an analysis of schema salvage.analysis/1");
    analysis_frame_begin(&h, analysis_text(a, "name"));
    html_begin(&h, "header");
    html_begin(&h, "h1");
    analysis_html_sentence(&h, a);
    html_end(&h);
    analysis_html_victim(&h, a);
    analysis_html_facts(&h, a);
    html_end(&h);
    analysis_html_sections(&h, a);
    return analysis_frame_end(&h, ret, e);
}
