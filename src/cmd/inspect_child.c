/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage inspect-child: analyses evidence in a sandbox (ship/analysis_request.h). Not for users.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/inspect.h"
#include "core/core_read.h"
#include "inspect/analysis_page.h"
#include "inspect/block_map.h"
#include "inspect/core_report.h"
#include "inspect/dump_file.h"
#include "inspect/heap_question.h"
#include "inspect/heap_report.h"
#include "inspect/recording_report.h"
#include "inspect/thread_report.h"
#include "linux/cpulimit.h"
#include "linux/oomscore.h"
#include "ship/analysis_request.h"
#include "ship/content.h"

struct child_options {
    struct inspect_view v;
};

const struct opt INSPECT_CHILD_OPTIONS[] = {
    INSPECT_VIEW_OPTIONS(struct child_options, v),
    {OPT_FLAG, 0, "bold", NULL, NULL, offsetof(struct child_options, v.bold), "a terminal's bold"},
    {OPT_SIZE, 0, "ceiling", "SIZE", "0", offsetof(struct child_options, v.ceiling), "of private memory"},
    {OPT_FLAG, 0, "page", NULL, NULL, offsetof(struct child_options, v.page), "a page of HTML"},
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

static ssize_t write_answer(void *cookie, const char *data, size_t size)
{
    (void)cookie;
    return sandboxed_write(data, size) < 0 ? -1 : (ssize_t)size;
}

/* Takes the object. */
static int write_json(json_t *json, FILE *out, struct err *e)
{
    int r = 0;

    if (!json)
        return err_set(e, -ENOMEM, "out of memory");
    if (json_dumpf(json, out, JSON_INDENT(2) | JSON_ENSURE_ASCII) < 0 || putc('\n', out) == EOF)
        r = err_set(e, -EIO, "cannot write the answer");
    json_decref(json);
    return r;
}

/* Takes the object. */
static int write_page(json_t *json, FILE *out, struct err *e)
{
    CLEANUP(buf_done) struct buf page = {0};
    int r = json ? analysis_page(json, &page, e) : err_set(e, -ENOMEM, "out of memory");

    if (r == 0 && fwrite(page.data, 1, page.size, out) != page.size)
        r = err_set(e, -EIO, "cannot write the answer");
    json_decref(json);
    return r;
}

/* ship/analysis_request.h */
static int write_both(json_t *json, FILE *out, struct err *e)
{
    int r = write_json(json_incref(json), out, e);

    if (r == 0 && putc('\0', out) == EOF)
        r = err_set(e, -EIO, "cannot write the answer");
    if (r == 0)
        return write_page(json, out, e);
    json_decref(json);
    return r;
}

/* --- the kinds of evidence ------------------------------------------------------------------------------------------
 */

/* What is to be shown of which dump. */
struct inspection {
    const struct inspect_view *view;
    const char *name;
    const struct dump_file *file;
    const struct heap_limits *limits;
    FILE *out;
};

static unsigned rows(const struct inspection *i)
{
    return i->view->top > 1000 ? 1000 : (unsigned)i->view->top;
}

static int inspect_heap(const struct inspection *i, struct err *e)
{
    const struct heap_report_view view = {
        .top = rows(i), .threads = i->view->threads || i->view->page, .bold = i->view->bold};
    const struct heap_question question = {.path = i->view->path,
                                           .tree = i->view->tree,
                                           .strings = i->view->strings,
                                           .top = rows(i),
                                           .json = i->view->json};
    struct heap_report report;
    int r = heap_report_make(&report, i->file->data, i->file->size, i->limits, e);

    if (r < 0)
        return r;
    report.name = i->name;
    if (heap_question_asked(&question))
        r = heap_question_answer(&report, &question, i->out, e);
    else if (i->view->page && i->view->json)
        r = write_both(heap_report_json(&report, &view), i->out, e);
    else if (i->view->page)
        r = write_page(heap_report_json(&report, &view), i->out, e);
    else if (i->view->json)
        r = write_json(heap_report_json(&report, &view), i->out, e);
    else
        heap_report_print(&report, &view, i->out);
    heap_report_done(&report);
    return r;
}

static int inspect_threads(const struct inspection *i, struct err *e)
{
    const struct thread_report_view view = {.top = rows(i), .threads = i->view->threads, .bold = i->view->bold};
    struct thread_report report;
    int r = i->view->page ? err_set(e, -FAULT_USAGE, "--html is for heap dumps, and this is a thread dump")
                          : thread_report_make(&report, i->file->data, i->file->size, e);

    if (r < 0)
        return r;
    report.name = i->name;
    if (i->view->json)
        r = write_json(thread_report_json(&report, &view), i->out, e);
    else
        thread_report_print(&report, &view, i->out);
    thread_report_done(&report);
    return r;
}

static bool is_core(const void *data, size_t size)
{
    return content_of(data, size) == CONTENT_CORE;
}

static int inspect_core(const struct inspection *i, struct err *e)
{
    CLEANUP(core_read_done) struct core_read core = {0};
    const struct core_view view = {.name = i->name, .top = rows(i), .threads = i->view->threads, .bold = i->view->bold};
    int r = core_read(i->file->data, i->file->size, &core, e);

    if (r < 0)
        return r;
    if (i->view->page)
        return err_set(e, -FAULT_USAGE, "--html is for heap dumps, and this is a core");
    if (i->view->json)
        return write_json(core_report_json(&core, &view), i->out, e);
    core_report_print(&core, &view, i->out);
    return 0;
}

static int inspect_recording(const struct inspection *i, struct err *e)
{
    const struct recording_view view = {.name = i->name, .top = rows(i), .bold = i->view->bold};
    struct jfr_recording recording;
    int r = i->view->page ? err_set(e, -FAULT_USAGE, "--html is for heap dumps, and this is a flight recording")
                          : jfr_recording_read(i->file->data, i->file->size, &recording, e);

    if (r < 0)
        return r;
    if (i->view->json)
        r = write_json(recording_report_json(&recording, &view), i->out, e);
    else
        recording_report_print(&recording, &view, i->out);
    jfr_recording_done(&recording);
    return r;
}

/* The first that knows it; what none knows may be a heap dump, which says best what is wrong with it. */
static const struct {
    bool (*probe)(const void *data, size_t size);
    int (*inspect)(const struct inspection *i, struct err *e);
} KINDS[] = {
    {is_core, inspect_core},
    {recording_probe, inspect_recording},
    {thread_dumps_probe, inspect_threads},
};

static int show(const struct inspection *i, struct err *e)
{
    bool asked = i->view->path || i->view->tree || i->view->strings;

    for (size_t k = 0; k < ARRAY_SIZE(KINDS); k++)
        if (KINDS[k].probe(i->file->data, i->file->size))
            return asked ? err_set(e, -FAULT_USAGE, "--path, --tree and --strings are for heap dumps")
                         : KINDS[k].inspect(i, e);
    return inspect_heap(i, e);
}

/* A dump as the descriptors from *fd on: a file, or the channel and the memory of a block server. */
struct input {
    int fd;
    bool blocks;
    struct block_geometry geometry;
    uint64_t size;
};

static int find_input(int *fd, struct input *ret, struct err *e)
{
    struct input in = {.fd = *fd};
    struct stat st;
    int r;

    if (fstat(in.fd, &st) < 0)
        return err_set(e, -FAULT_USAGE, "salvage starts this command itself");
    in.blocks = S_ISSOCK(st.st_mode);
    if (in.blocks && (r = block_map_geometry(in.fd, &in.geometry, e)) < 0)
        return r;
    in.size = in.blocks ? in.geometry.size : (uint64_t)st.st_size;
    *fd += in.blocks ? 2 : 1;
    *ret = in;
    return 0;
}

static int map_input(const struct input *in, struct dump_file *ret, struct err *e)
{
    struct block_map map;
    int r;

    if (!in->blocks)
        return dump_file_map(in->fd, ret, e);
    if ((r = block_map_new(in->fd, in->fd + 1, &in->geometry, &map, e)) == 0)
        *ret = (struct dump_file){map.data, (size_t)map.size};
    return r;
}

static int analyse(const struct inspect_view *v, const struct input *in, const char *name,
                   const struct heap_limits *limits, struct err *e)
{
    CLEANUP(dump_file_close) struct dump_file file = {0};
    struct inspection i = {.view = v, .name = name, .file = &file, .limits = limits};
    int r = map_input(in, &file, e);

    if (r < 0)
        return r;
    dump_file_watch(&file, sandboxed_progress);
    if (!(i.out = fopencookie(NULL, "w", (cookie_io_functions_t){.write = write_answer})))
        return err_set(e, -ENOMEM, "out of memory");
    r = show(&i, e);
    return fclose(i.out) == 0 || r < 0 ? r : err_set(e, -EIO, "cannot write the answer");
}

/* Addresses for the dump and for twice as much as there is memory. */
static struct sandbox limits_for(const struct input *in, uint64_t ceiling)
{
    uint64_t memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);

    return (struct sandbox){.memory = ceiling && ceiling < memory ? ceiling : memory,
                            .address_space = 2 * memory + in->size + BLOCK_BYTES_MAX};
}

static unsigned processors(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
    unsigned limit = (cpulimit_get("/") + 999) / 1000;

    return limit > 0 && (int)limit < count ? limit : (unsigned)count;
}

static int run(int argc, char **argv)
{
    struct child_options o = {0};
    struct sandbox limits;
    struct input in = {0};
    struct heap_limits heap;
    CLEANUP_FREE char **names = NULL;
    struct err e = {0};
    int count = opt_parse(INSPECT_CHILD_OPTIONS, &(struct opt_argv){argc, argv}, &o, &names, &e), fd = SANDBOXED_FIRST,
        r;

    if (count != 1)
        return command_error(-FAULT_USAGE, ANALYSIS_COMMAND ": salvage starts this command itself");
    if ((r = find_input(&fd, &in, &e)) < 0)
        return command_fail(r, &e);
    limits = limits_for(&in, o.v.ceiling);
    oomscore_offer();    /* only this analysis is lost */
    json_object_seed(1); /* jansson would open /dev/urandom */
    heap = (struct heap_limits){.threads = processors(),
                                .memory = o.v.memory / 4 * 3, /* the rest is for what is no large array */
                                .fd = o.v.memory ? fd++ : -1,
                                .verify = o.v.verify,
                                .release = in.blocks ? NULL : dump_file_release};
    if ((r = sandboxed_enter(&limits, (unsigned)(fd - SANDBOXED_FIRST), &e)) < 0)
        return command_fail(r, &e);
    r = analyse(&o.v, &in, names[0], &heap, &e);
    sandboxed_exit(r, &e);
}

const struct command CMD_INSPECT_CHILD = {
    .name = ANALYSIS_COMMAND,
    .args = "",
    .summary = "analyses for inspect, in a sandbox",
    .hidden = true,
    .run = run,
};
