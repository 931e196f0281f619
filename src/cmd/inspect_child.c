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
#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/crash_logs.h"
#include "cmd/inspect_child.h"
#include "core/backtrace.h"
#include "core/core_read.h"
#include "inspect/analysis_page.h"
#include "inspect/block_map.h"
#include "inspect/core_report.h"
#include "inspect/evidence_report.h"
#include "inspect/heap_question.h"
#include "inspect/heap_report.h"
#include "inspect/recording_report.h"
#include "inspect/thread_report.h"
#include "linux/cpulimit.h"
#include "linux/oomscore.h"
#include "ship/analysis_request.h"
#include "ship/content.h"

#define EXECUTABLES_MAX (16ull << 30) /* addresses, for the files of a core */

struct child_options {
    struct inspect_view v;
};

const struct opt INSPECT_CHILD_OPTIONS[] = {
    INSPECT_VIEW_OPTIONS(struct child_options, v),
    {OPT_FLAG, 0, "bold", NULL, NULL, offsetof(struct child_options, v.bold), "a terminal's bold"},
    {OPT_SIZE, 0, "ceiling", "SIZE", "0", offsetof(struct child_options, v.ceiling), "of private memory"},
    {OPT_STRING, 0, "crash-logs", "NAMES", NULL, offsetof(struct child_options, v.crash_logs), "beside a core"},
    {OPT_FLAG, 0, "symbols", NULL, NULL, offsetof(struct child_options, v.symbols), "ask for executables"},
    {OPT_FLAG, 0, "page", NULL, NULL, offsetof(struct child_options, v.page), "a page of HTML"},
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

static ssize_t write_answer(void *cookie, const char *data, size_t size)
{
    (void)cookie;
    return sandboxed_write(data, size) < 0 ? -1 : (ssize_t)size;
}

int inspection_write_json(json_t *json, FILE *out, struct err *e)
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
    int r = inspection_write_json(json_incref(json), out, e);

    if (r == 0 && putc('\0', out) == EOF)
        r = err_set(e, -EIO, "cannot write the answer");
    if (r == 0)
        return write_page(json, out, e);
    json_decref(json);
    return r;
}

/* --- the kinds of evidence ------------------------------------------------------------------------------------------
 */

unsigned inspection_rows(const struct inspect_view *v)
{
    return v->top > 1000 ? 1000 : (unsigned)v->top;
}

static int inspect_heap(const struct inspection *i, struct err *e)
{
    const struct heap_report_view view = {
        .top = inspection_rows(i->view), .threads = i->view->threads || i->view->page, .bold = i->view->bold};
    const struct heap_question question = {.path = i->view->path,
                                           .tree = i->view->tree,
                                           .strings = i->view->strings,
                                           .top = inspection_rows(i->view),
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
        r = inspection_write_json(heap_report_json(&report, &view), i->out, e);
    else
        heap_report_print(&report, &view, i->out);
    heap_report_done(&report);
    return r;
}

static int inspect_threads(const struct inspection *i, struct err *e)
{
    const struct thread_report_view view = {
        .top = inspection_rows(i->view), .threads = i->view->threads, .bold = i->view->bold};
    struct thread_report report;
    int r = i->view->page ? err_set(e, -FAULT_USAGE, "--html is for heap dumps, and this is a thread dump")
                          : thread_report_make(&report, i->file->data, i->file->size, e);

    if (r < 0)
        return r;
    report.name = i->name;
    if (i->view->json)
        r = inspection_write_json(thread_report_json(&report, &view), i->out, e);
    else
        thread_report_print(&report, &view, i->out);
    thread_report_done(&report);
    return r;
}

/* Also one with an unknown version, which its reader refuses best. */
static bool is_heap_dump(const void *data, size_t size)
{
    static const char words[] = "JAVA PROFILE ";
    enum content content = content_of(data, size);

    return content == CONTENT_HPROF || content == CONTENT_PHD ||
           (size >= strlen(words) && memcmp(data, words, strlen(words)) == 0);
}

static bool is_core(const void *data, size_t size)
{
    return content_of(data, size) == CONTENT_CORE;
}

DEFINE_CLEANUP(struct backtraces *, backtraces_free)

static int open_for_core(void *ctx, const char *path)
{
    (void)ctx;
    return sandboxed_file(path);
}

static int show_core(const struct inspection *i, const struct core_read *core, struct err *e)
{
    static const struct backtrace_files FILES = {.open = open_for_core};
    CLEANUP(backtraces_free_ptr) struct backtraces *traces = NULL;
    CLEANUP_FREE char *crash_log = crash_logs_of(i->view->crash_logs, core->pid);
    struct core_view view = {
        .name = i->name, .top = inspection_rows(i->view), .threads = i->view->threads, .bold = i->view->bold};

    if (backtraces_new(core, i->view->symbols ? &FILES : NULL, &traces) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    view.traces = traces;
    view.crash_log = crash_log;
    if (i->view->json)
        return inspection_write_json(core_report_json(core, &view), i->out, e);
    return core_report_print(core, &view, i->out) < 0 ? err_set(e, -ENOMEM, "out of memory") : 0;
}

static int inspect_core(const struct inspection *i, struct err *e)
{
    CLEANUP(core_read_done) struct core_read core = {0};
    int r = core_read(i->file->data, i->file->size, &core, e);

    if (r < 0)
        return r;
    if (i->view->page)
        return err_set(e, -FAULT_USAGE, "--html is for heap dumps, and this is a core");
    return show_core(i, &core, e);
}

static int inspect_recording(const struct inspection *i, struct err *e)
{
    const struct recording_view view = {.name = i->name, .top = inspection_rows(i->view), .bold = i->view->bold};
    struct jfr_recording recording;
    int r = i->view->page ? err_set(e, -FAULT_USAGE, "--html is for heap dumps, and this is a flight recording")
                          : jfr_recording_read(i->file->data, i->file->size, &recording, e);

    if (r < 0)
        return r;
    if (i->view->json)
        r = inspection_write_json(recording_report_json(&recording, &view), i->out, e);
    else
        recording_report_print(&recording, &view, i->out);
    jfr_recording_done(&recording);
    return r;
}

static int inspect_analysis(const struct inspection *i, struct err *e)
{
    (void)i;
    return err_set(e, -FAULT_USAGE, "it is an analysis already: salvage inspect A B compares two");
}

struct kind {
    bool (*probe)(const void *data, size_t size);
    int (*inspect)(const struct inspection *i, struct err *e);
    const char *name;
    int (*compare)(const struct inspection i[2], struct err *e); /* NULL: can't be compared */
    const char *evidence;                                        /* inspect/evidence_report.h; instead of a probe */
};

/* The first that knows it. */
static const struct kind KINDS[] = {
    {is_core, inspect_core, "a core", NULL, NULL},
    {recording_probe, inspect_recording, "a flight recording", NULL, NULL},
    {inspection_is_analysis, inspect_analysis, "a heap dump", inspection_compare_heaps, NULL},
    {is_heap_dump, inspect_heap, "a heap dump", inspection_compare_heaps, NULL},
    {NULL, inspection_evidence, "a crash log", NULL, "hs-err"},
    {NULL, inspection_evidence, "a heap snapshot", NULL, "heap-snapshot"},
    {NULL, inspection_evidence, "a record of an OOM kill", NULL, "oom-kill"},
    {NULL, inspection_evidence, "a record of a JVM's end", NULL, "jvm-end"},
    {NULL, inspection_evidence, "a manifest", NULL, "manifest"},
    {NULL, inspection_evidence, "a class histogram", inspection_compare_histograms, "class-histogram"},
    {thread_dumps_probe, inspect_threads, "a thread dump", inspection_compare_threads, NULL},
};
static const struct kind UNKNOWN = {.inspect = inspection_refuse};

static const struct kind *kind_of(const struct inspection *i)
{
    const void *data = i->file->data;
    const char *evidence = evidence_report_kind(data, i->file->size);

    for (size_t k = 0; k < ARRAY_SIZE(KINDS); k++)
        if (KINDS[k].probe ? KINDS[k].probe(data, i->file->size) : text_eq(KINDS[k].evidence, evidence))
            return &KINDS[k];
    return &UNKNOWN;
}

static int compare(const struct inspection i[2], struct err *e)
{
    const struct kind *a = kind_of(&i[0]), *b = kind_of(&i[1]);

    for (unsigned n = 0; n < 2; n++)
        if ((n == 0 ? a : b) == &UNKNOWN)
            return err_prefix(e, inspection_refuse(&i[n], e), "%s", i[n].name);
    if (a->compare != b->compare || (a != b && !a->compare))
        return err_set(e, -FAULT_USAGE, "the first is %s, the second %s: only dumps of one kind can be compared",
                       a->name, b->name);
    if (!a->compare)
        return err_set(e, -FAULT_USAGE,
                       "the first is %s, and so is the second: heap dumps, thread dumps and class histograms can be "
                       "compared",
                       a->name);
    return a->compare(i, e);
}

static int show(const struct inspection *i, struct err *e)
{
    bool asked = i->view->path || i->view->tree || i->view->strings;
    const struct kind *kind = kind_of(i);

    if (asked && kind != &UNKNOWN && kind->inspect != inspect_heap)
        return err_set(e, -FAULT_USAGE, "--path, --tree and --strings are for heap dumps");
    return kind->inspect(i, e);
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

/* The dumps of a command line. */
struct inputs {
    struct input item[ANALYSIS_DUMPS_MAX];
    struct heap_limits limits[ANALYSIS_DUMPS_MAX];
    char *const *name;
    unsigned count;
};

static int map_all(const struct inputs *in, struct dump_file file[ANALYSIS_DUMPS_MAX], struct err *e)
{
    struct dump_file all = {0};
    int r;

    for (unsigned n = 0; n < in->count; n++) {
        if ((r = map_input(&in->item[n], &file[n], e)) < 0)
            return r;
        all.size += file[n].size;
    }
    dump_file_watch(&all, sandboxed_progress);
    return 0;
}

static int analyse(const struct inspect_view *v, const struct inputs *in, struct err *e)
{
    struct dump_file file[ANALYSIS_DUMPS_MAX] = {{0}}; /* mapped until the process ends */
    struct inspection i[ANALYSIS_DUMPS_MAX];
    FILE *out;
    int r = map_all(in, file, e);

    if (r < 0)
        return r;
    if (!(out = fopencookie(NULL, "w", (cookie_io_functions_t){.write = write_answer})))
        return err_set(e, -ENOMEM, "out of memory");
    for (unsigned n = 0; n < in->count; n++)
        i[n] = (struct inspection){v, in->name[n], &file[n], &in->limits[n], out};
    r = in->count > 1 ? compare(i, e) : show(i, e);
    return fclose(out) == 0 || r < 0 ? r : err_set(e, -EIO, "cannot write the answer");
}

/* Addresses for the dumps and for twice as much as there is memory. */
static struct sandbox limits_for(const struct inputs *in, uint64_t ceiling)
{
    uint64_t memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    struct sandbox limits = {.memory = ceiling && ceiling < memory ? ceiling : memory,
                             .address_space = 2 * memory + EXECUTABLES_MAX,
                             .fd_room = BACKTRACE_FILES_MAX,
                             .refuses_paths = true}; /* libdw tries */

    for (unsigned n = 0; n < in->count; n++)
        limits.address_space += in->item[n].size + BLOCK_BYTES_MAX;
    return limits;
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
    struct inputs in = {0};
    CLEANUP_FREE char **names = NULL;
    struct err e = {0};
    int count = opt_parse(INSPECT_CHILD_OPTIONS, &(struct opt_argv){argc, argv}, &o, &names, &e), fd = SANDBOXED_FIRST,
        r;

    if (count < 1 || count > ANALYSIS_DUMPS_MAX)
        return command_error(-FAULT_USAGE, ANALYSIS_COMMAND ": salvage starts this command itself");
    in.name = names;
    for (; in.count < (unsigned)count; in.count++)
        if ((r = find_input(&fd, &in.item[in.count], &e)) < 0)
            return command_fail(r, &e);
    limits = limits_for(&in, o.v.ceiling);
    oomscore_offer();    /* only this analysis is lost */
    json_object_seed(1); /* jansson would open /dev/urandom */
    for (unsigned n = 0; n < in.count; n++)
        in.limits[n] = (struct heap_limits){.threads = processors(),
                                            .memory = o.v.memory / 4 * 3, /* the rest is for what is no large array */
                                            .fd = o.v.memory ? fd : -1,
                                            .verify = o.v.verify,
                                            .release = in.item[n].blocks ? NULL : dump_file_release};
    fd += o.v.memory > 0;
    if ((r = sandboxed_enter(&limits, (unsigned)(fd - SANDBOXED_FIRST), &e)) < 0)
        return command_fail(r, &e);
    r = analyse(&o.v, &in, &e);
    sandboxed_exit(r, &e);
}

const struct command CMD_INSPECT_CHILD = {
    .name = ANALYSIS_COMMAND,
    .args = "",
    .summary = "analyses for inspect, in a sandbox",
    .hidden = true,
    .run = run,
};
