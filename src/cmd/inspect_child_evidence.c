/* SPDX-License-Identifier: Apache-2.0
 *
 * Small evidence in the process that analyses, and what is no evidence that it knows.
 */
#include <errno.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "cmd/inspect_child.h"
#include "inspect/evidence_report.h"

static int show_evidence(const struct inspection *i, const struct evidence_report *report, struct err *e)
{
    if (i->view->json)
        return inspection_write_json(json_incref(report->json), i->out, e);
    return fwrite(report->text.data, 1, report->text.size, i->out) == report->text.size
               ? 0
               : err_set(e, -EIO, "cannot write the answer");
}

static struct evidence_view view_of(const struct inspection *i)
{
    return (struct evidence_view){.name = i->name, .top = inspection_rows(i->view), .bold = i->view->bold};
}

int inspection_evidence(const struct inspection *i, struct err *e)
{
    CLEANUP(evidence_report_done) struct evidence_report report = {0};
    const char *kind = evidence_report_kind(i->file->data, i->file->size);
    const struct evidence_view view = view_of(i);
    int r = i->view->page ? err_set(e, -FAULT_USAGE, "--html is for heap dumps, and this is none")
                          : evidence_report_make(kind, i->file->data, i->file->size, &view, &report, e);

    return r < 0 ? r : show_evidence(i, &report, e);
}

int inspection_compare_histograms(const struct inspection i[2], struct err *e)
{
    CLEANUP(evidence_report_done) struct evidence_report report = {0};
    const void *const data[] = {i[0].file->data, i[1].file->data};
    const size_t size[] = {i[0].file->size, i[1].file->size};
    const struct evidence_view view[] = {view_of(&i[0]), view_of(&i[1])};
    int r = i->view->page ? err_set(e, -FAULT_USAGE, "--html is for heap dumps, and these are class histograms")
                          : evidence_report_compare(data, size, view, &report, e);

    return r < 0 ? r : show_evidence(i, &report, e);
}

/* What unpacks it, by its first bytes; NULL. zstd and gzip are unpacked before. */
static const char *foreign_packer(const void *data, size_t size)
{
    static const struct {
        const char *magic;
        size_t size;
        const char *command;
    } packers[] = {{"\xfd"
                    "7zXZ",
                    5, "xz -d"},
                   {"BZh", 3, "bzip2 -d"},
                   {"\x04\x22\x4d\x18", 4, "lz4 -d"},
                   {"PK\3\4", 4, "unzip"},
                   {"7z\xbc\xaf", 4, "7z x"}};

    for (size_t i = 0; i < ARRAY_SIZE(packers); i++)
        if (size >= packers[i].size && memcmp(data, packers[i].magic, packers[i].size) == 0)
            return packers[i].command;
    return NULL;
}

int inspection_refuse(const struct inspection *i, struct err *e)
{
    const char *packer = foreign_packer(i->file->data, i->file->size);

    if (packer)
        return err_set(e, -FAULT_FORMAT, "it is compressed by %.*s: unpack it first: %s", (int)strcspn(packer, " "),
                       packer, packer);
    return err_set(
        e, -FAULT_FORMAT,
        "it is nothing that inspect reads: heap dumps (hprof, phd, heapsnapshot), thread dumps, javacores, crash "
        "logs (hs_err), class histograms, flight recordings, cores, oom-kill.json, jvm-end.json, manifests");
}
