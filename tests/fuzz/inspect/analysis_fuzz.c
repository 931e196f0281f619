/* SPDX-License-Identifier: Apache-2.0
 *
 * Any JSON as an analysis: the page is whole, and has no element that its text could have brought.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/json_read.h"
#include "base/mem.h"
#include "inspect/analysis.h"
#include "inspect/analysis_page.h"
#include "text_count.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_auto_t *a = json_read_object((const char *)data, size, 1024 * 1024);
    CLEANUP(buf_done) struct buf page = {0};
    CLEANUP(html_done) struct html sections = {0};
    struct err e = {0};

    if (!a)
        return 0;
    json_object_set_new(a, "schema", json_string("salvage.analysis/1"));
    assert(analysis_page(a, &page, &e) == 0);
    assert(times(page.data, "<script>") == 1 && times(page.data, "</script>") == 1 && times(page.data, "<style>") == 1);
    assert(strlen(page.data) == page.size && strcmp(page.data + page.size - strlen("</html>\n"), "</html>\n") == 0);
    analysis_html_sections(&sections, a);
    assert(sections.failed == 0 && sections.depth == 0);
    assert(times(sections.out.data, "<details") == times(sections.out.data, "</details>"));
    return 0;
}
