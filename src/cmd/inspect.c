/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage inspect: what filled a heap.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/table.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "inspect/dump_file.h"
#include "inspect/heap_report.h"
#include "ship/plan.h"

struct inspect_options {
    struct plan_options plan;
    uint64_t top;
    bool threads, json;
};

static const struct opt INSPECT_OPTIONS[] = {
    {OPT_HEADING, .name = "Output"},
    {OPT_UINT, 'n', "top", "N", "8", offsetof(struct inspect_options, top), "classes that are shown"},
    {OPT_FLAG, 0, "threads", NULL, NULL, offsetof(struct inspect_options, threads),
     "the stacks of all threads, and what each keeps alive"},
    {OPT_FLAG, 0, "json", NULL, NULL, offsetof(struct inspect_options, json), "all of it as JSON"},
    PLAN_OPTIONS_PLACE(struct inspect_options, plan),
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

struct fetch {
    struct dump_stream *stream;
    struct err *e;
};

static int on_data(void *ctx, const void *data, size_t size)
{
    struct fetch *f = ctx;

    return dump_stream_feed(f->stream, data, size, f->e);
}

static int fetch(const struct inspect_options *o, const char *url, struct dump_file *ret, struct err *e)
{
    CLEANUP(sink_config_done) struct sink_config config = {0};
    struct fetch f = {.e = e};
    struct sink *sink = NULL;
    int r;

    if ((r = plan_sink_config(&config, &o->plan, url, e)) < 0)
        return r;
    if (!*text_base_name(config.url.path))
        return err_set(e, -FAULT_USAGE, "inspect: which object? `salvage ls URL` shows their names");
    CLEANUP_FREE char *key = url_take_last_part(&config.url);
    if (!key)
        return err_set(e, -ENOMEM, "out of memory");
    if ((r = dump_stream_new(&f.stream, e)) < 0)
        return r;
    if ((r = sink_open(&config, &sink, e)) == 0)
        r = sink->ops->read(sink, &(struct object_reader){.key = key, .fn = on_data, .ctx = &f}, e);
    if (r == 0)
        r = dump_stream_end(f.stream, ret, e);
    sink_close(sink);
    dump_stream_free(f.stream);
    return r;
}

static int show(const struct inspect_options *o, const struct heap_report *report, struct err *e)
{
    const struct heap_report_view view = {
        .top = o->top > 1000 ? 1000 : (unsigned)o->top, .threads = o->threads, .bold = table_colours()};
    json_auto_t *json = NULL;

    if (!o->json) {
        heap_report_print(report, &view, stdout);
    } else if (!(json = heap_report_json(report, &view))) {
        return err_set(e, -ENOMEM, "out of memory");
    } else if (json_dumpf(json, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII) < 0 || putchar('\n') == EOF) {
        return err_set(e, -EIO, "cannot write to stdout");
    }
    return fflush(stdout) == 0 ? 0 : err_set(e, -EIO, "cannot write to stdout");
}

static int run_on(const struct inspect_options *o, const char *what, struct err *e)
{
    CLEANUP(dump_file_close) struct dump_file file = {0};
    struct heap_report report;
    int r = strstr(what, "://") ? fetch(o, what, &file, e) : dump_file_open(what, &file, e);

    if (r < 0)
        return r;
    if ((r = heap_report_make(&report, file.data, file.size, e)) < 0)
        return err_prefix(e, r, "%s", what);
    report.name = text_base_name(what);
    r = show(o, &report, e);
    heap_report_done(&report);
    return r;
}

static int run(int argc, char **argv)
{
    struct inspect_options o = {0};
    CLEANUP_FREE char **operands = NULL;
    struct err e = {0};
    int count = opt_parse(INSPECT_OPTIONS, &(struct opt_argv){argc, argv}, &o, &operands, &e), r = 0;

    if (count < 0)
        return command_fail(count, &e);
    if (count != 1)
        return command_error(-FAULT_USAGE, "inspect: which heap dump? salvage inspect FILE|URL");
    r = run_on(&o, operands[0], &e);
    return r < 0 ? command_fail(r, &e) : 0;
}

const struct command CMD_INSPECT = {
    .name = "inspect",
    .args = "FILE|URL",
    .summary = "say what filled the heap of a dump, and what keeps it alive",
    .text =
        "Reads a heap dump of HotSpot's format, plain or compressed, from a file or from a store, and shows the thread "
        "that ran out of memory, the objects that keep more than a tenth of the heap alive (suspects) with the path of "
        "references from a GC root to each, and the classes with most bytes. Retained sizes are exact, by dominators.",
    .examples =
        "salvage inspect heap.hprof\n"
        "    what filled it\n"
        "salvage inspect s3://evidence/prod/shop/cart-7f9c/20261121T015605Z-java-oom-0123456789abcdef/heap.hprof.zst\n"
        "    the same, from the store\n"
        "salvage inspect heap.hprof --threads\n"
        "    with all stacks\n",
    .options = INSPECT_OPTIONS,
    .run = run,
};
