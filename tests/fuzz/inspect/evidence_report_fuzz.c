/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as small evidence: a report is text without control characters and a JSON object, and two histograms can
 * be compared.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "inspect/evidence_report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct evidence_report *r)
{
    CLEANUP_FREE char *json = json_dumps(r->json, JSON_ENSURE_ASCII);

    assert(json && r->text.size > 0 && strlen(r->text.data) == r->text.size && !strchr(r->text.data, '\033'));
    assert(r->text.data[r->text.size - 1] == '\n' && json_string_value(json_object_get(r->json, "schema")));
}

static void compare(const uint8_t *data, size_t size, const struct evidence_view *view)
{
    CLEANUP(evidence_report_done) struct evidence_report report = {0};
    const void *const both[] = {data, data + size / 2};
    const size_t sizes[] = {size / 2, size - size / 2};
    struct err e = {0};

    if (evidence_report_compare(both, sizes, (const struct evidence_view[]){*view, *view}, &report, &e) == 0)
        check(&report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(evidence_report_done) struct evidence_report report = {0};
    const struct evidence_view view = {.name = "name", .top = 3};
    const char *kind = evidence_report_kind(data, size);
    struct err e = {0};

    if (kind && evidence_report_make(kind, data, size, &view, &report, &e) == 0)
        check(&report);
    compare(data, size, &view);
    return 0;
}
