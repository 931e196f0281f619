/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage inspect: what filled a heap, why threads hang.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/progress.h"
#include "base/strv.h"
#include "base/table.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/inspect.h"
#include "cmd/inspect_files.h"
#include "cmd/inspect_input.h"
#include "inspect/dump_file.h"
#include "linux/interrupt.h"
#include "ship/analysis_request.h"
#include "ship/plan.h"

#define BOLD "\033[1m"
#define PLAIN "\033[0m"

enum { PRINT_MAX = 64 * 1024, NAMES_MS = 120 * 1000 };

struct inspect_options {
    struct plan_options plan;
    struct inspect_view view;
    const char *html; /* a file */
    const char *sysroot;
    uint64_t cache;
};

static const struct opt INSPECT_OPTIONS[] = {
    INSPECT_VIEW_OPTIONS(struct inspect_options, view),
    {OPT_STRING, 0, "html", "FILE", NULL, offsetof(struct inspect_options, html),
     "write all of it to a page that needs nothing else; '-': to stdout"},
    {OPT_HEADING, .name = "Reading"},
    {OPT_STRING, 0, "sysroot", "DIR", "/", offsetof(struct inspect_options, sysroot),
     "of a core: where its executables and /usr/lib/debug are, e.g. a container's root, /proc/PID/root"},
    {OPT_SIZE, 0, "cache", "SIZE", "0", offsetof(struct inspect_options, cache),
     "memory for plain blocks of a dump that is compressed or in a store; 0: a quarter of what there is"},
    PLAN_OPTIONS_STORE(struct inspect_options, plan),
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

/* Foreign text, in which only the bold of ours passes. */
static int print_answer(const struct buf *answer)
{
    struct text_screen screen = {0};
    CLEANUP_FREE char *piece = malloc(PRINT_MAX + sizeof(screen.held));

    for (size_t at = 0; piece && at < answer->size;) {
        const char *text = answer->data + at, *stop = memchr(text, '\033', answer->size - at);
        size_t left = answer->size - at, size = stop ? (size_t)(stop - text) : left, n;

        if (size == 0 && (text_starts(text, BOLD) || text_starts(text, PLAIN))) {
            fwrite(text, 1, strlen(BOLD), stdout);
            at += strlen(BOLD);
            continue;
        }
        size = size == 0 ? 1 : size > PRINT_MAX ? PRINT_MAX : size;
        n = text_screen(&screen, text, size, piece);
        fwrite(piece, 1, n, stdout);
        at += size;
    }
    return piece && fflush(stdout) == 0 ? 0 : -EIO;
}

/* The page replaces an older one only when it is whole. */
static int write_page(const struct buf *page, const char *path, struct err *e)
{
    int r;

    if (text_eq(path, "-"))
        return fwrite(page->data, 1, page->size, stdout) == page->size && fflush(stdout) == 0
                   ? 0
                   : err_set(e, -EIO, "cannot write to stdout");
    r = file_replace(AT_FDCWD, path, page->data, page->size, 0600);
    return r < 0 ? err_set(e, r, "%s: %s", path, strerror(-r)) : 0;
}

/* What is analysed at once: a dump, or two to be compared. */
struct inputs {
    struct inspect_input item[ANALYSIS_DUMPS_MAX];
    unsigned count;
    struct inspect_files *files; /* that a core may need; NULL: none */
};

struct waiting {
    struct inputs *inputs;
    struct sandboxed_process *child;
    struct sandboxed_task *task;
    struct progress bar;
};

/* Called several times a second: the bar of what is read from afar moves with it. */
static bool on_wait(void *ctx)
{
    struct waiting *w = ctx;
    uint64_t done = 0, total = 0;

    for (unsigned n = 0; n < w->inputs->count; n++) {
        struct inspect_input *in = &w->inputs->item[n];

        done += in->source.server ? block_server_progress(in->source.server) : 0;
        total += in->source.server ? in->source.size : 0;
    }
    if (total > 0)
        progress_show(&w->bar, done, total);
    return interrupt_caught() != 0;
}

static void on_progress(void *ctx, uint64_t done, uint64_t total)
{
    struct waiting *w = ctx;

    progress_show(&w->bar, done, total);
}

/* Executables could be made to keep their reader busy: from the first one on there are two minutes. */
static int on_file(void *ctx, const char *path)
{
    struct waiting *w = ctx;

    if (w->task->deadline_ms != NAMES_MS) {
        w->task->deadline_ms = NAMES_MS;
        w->child->until_ms = clock_mono_ms() + NAMES_MS;
    }
    return inspect_files_hand_out(w->inputs->files, path);
}

static int add_arguments(const struct inspect_view *view, const struct inputs *in, struct strv *to)
{
    struct inspect_view with_logs = *view, *v = &with_logs;
    int r;

    v->crash_logs = in->item[0].crash_logs;
    r = strv_add(to, "salvage") < 0 || strv_add(to, ANALYSIS_COMMAND) < 0 ||
                opt_arguments(INSPECT_CHILD_OPTIONS, v, to) < 0 || strv_add(to, "--") < 0
            ? -ENOMEM
            : 0;

    for (unsigned n = 0; n < in->count && r == 0; n++)
        r = strv_add(to, in->item[n].name);
    return r;
}

static int analyse(const struct inspect_view *v, struct inputs *in, struct buf *answer, struct err *e)
{
    CLEANUP(strv_done) struct strv argv = {0};
    struct sandboxed_process child = SANDBOXED_NONE;
    struct waiting waiting = {.inputs = in, .child = &child};
    int fds[SANDBOXED_FDS_MAX];
    CLEANUP_FD int spill = -1;
    uint64_t size = 0;
    struct sandboxed_task task = {
        .fds = fds, .stop = on_wait, .progress = on_progress, .file = in->files ? on_file : NULL, .ctx = &waiting};
    int r;

    for (unsigned n = 0; n < in->count; n++) {
        memcpy(fds + task.fd_count, in->item[n].source.fd, in->item[n].source.fd_count * sizeof(*fds));
        task.fd_count += in->item[n].source.fd_count;
        size += in->item[n].source.size;
    }
    waiting.task = &task;
    task.deadline_ms = analysis_deadline_ms(size);
    if (v->memory) {
        if ((spill = dump_file_temporary(e)) < 0)
            return spill;
        fds[task.fd_count++] = spill;
    }
    if (add_arguments(v, in, &argv) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    task.argv = argv.item;
    if ((r = sandboxed_start(&task, &child, e)) < 0)
        return r;
    for (unsigned n = 0; n < in->count; n++)
        dump_source_started(&in->item[n].source);
    progress_begin(&waiting.bar, in->item[0].name);
    r = sandboxed_collect(&child, &task, answer, e);
    progress_clear(&waiting.bar);
    if (child.missing & SANDBOX_NO_SECCOMP)
        command_say("warning: no seccomp here: it was parsed by a process that may make any system call");
    return r;
}

int inspect_text(const struct inspect_view *v, const struct buf *text, const char *name, struct err *e)
{
    CLEANUP(buf_done) struct buf answer = {.ceiling = SANDBOXED_ANSWER_MAX};
    struct inputs in = {.item = {INSPECT_INPUT_NONE}, .count = 1};
    int r = inspect_input_text(&in.item[0], text, name, e);

    if (r == 0)
        r = analyse(v, &in, &answer, e);
    inspect_input_close(&in.item[0], NULL);
    if (r == 0 && print_answer(&answer) < 0)
        r = err_set(e, -EIO, "cannot write to stdout");
    return r;
}

/* An object by its folder, a file as the user has called it. malloc'ed. */
static char *longer_name(const struct inspect_input *in, const char *what)
{
    const char *folder = in->config.url.path ? text_base_name(in->config.url.path) : "";
    char *out = NULL;

    if (!in->key || strchr(in->key, '/') || !*folder)
        return strdup(in->key ? in->key : what);
    return asprintf(&out, "%s/%s", folder, in->key) < 0 ? NULL : out;
}

/* Two dumps of one name. */
static int distinguish(struct inputs *in, char *const *what, struct err *e)
{
    if (in->count < 2 || !text_eq(in->item[0].name, in->item[1].name))
        return 0;
    for (unsigned n = 0; n < in->count; n++) {
        free(in->item[n].name);
        in->item[n].name = longer_name(&in->item[n], what[n]);
        if (!in->item[n].name)
            return err_set(e, -ENOMEM, "out of memory");
    }
    return 0;
}

static int open_all(struct inputs *in, const struct inspect_options *o, char *const *what, struct err *e)
{
    int r = 0;

    for (unsigned n = 0; n < in->count && r == 0; n++) {
        in->item[n].sharing = in->count;
        in->item[n].kept = in->count > 1 && !o->view.verify;
        r = inspect_input_open(&in->item[n], &o->plan, what[n], o->cache, e);
        if (r < 0)
            err_prefix(e, r, "%s", what[n]);
    }
    return r < 0 ? r : distinguish(in, what, e);
}

/* From the opening of what is named to its end. */
static int attempt(const struct inspect_options *o, struct inputs *in, char *const *what, struct buf *answer,
                   struct err *e)
{
    struct err lost = {0};
    int r = open_all(in, o, what, e), read;

    if (r == 0 && (r = analyse(&o->view, in, answer, e)) < 0 && in->count == 1)
        err_prefix(e, r, "%s", what[0]);
    if (r == -ECANCELED)
        interrupt_release(); /* here it ends: a store that stalls is not waited for */
    for (unsigned n = 0; n < in->count; n++) {
        read = inspect_input_close(&in->item[n], &lost);
        if (r < 0 && r != -ECANCELED && read < 0) { /* the reason of what the other process has said */
            r = err_prefix(&lost, read, "%s", what[n]);
            *e = lost;
        }
    }
    return r;
}

/* An executable that is made to crash or to stop its reader costs the names. */
static int attempt_again(const struct inspect_options *o, struct inputs *in, char *const *what, struct buf *answer,
                         struct err *e)
{
    struct inspect_options without = *o;

    command_say("warning: the executables could not be read, so there are no names: %s", e->msg);
    without.view.symbols = false;
    in->files = NULL;
    answer->size = 0;
    return attempt(&without, in, what, answer, e);
}

static int run_on(const struct inspect_options *o, char *const *what, unsigned count, struct err *e)
{
    CLEANUP(buf_done) struct buf answer = {.ceiling = SANDBOXED_ANSWER_MAX};
    CLEANUP(inspect_files_close) struct inspect_files files = INSPECT_FILES_NONE;
    struct inputs in = {.item = {INSPECT_INPUT_NONE, INSPECT_INPUT_NONE}, .count = count, .files = &files};
    int r = inspect_files_open(&files, o->sysroot, e);

    if (r < 0)
        return r;
    r = attempt(o, &in, what, &answer, e);
    if ((r == -FAULT_FORMAT || r == -ETIMEDOUT) && files.handed > 0 && !text_eq(what[0], "-"))
        r = attempt_again(o, &in, what, &answer, e);
    if (r < 0)
        return r;
    if (o->html)
        return write_page(&answer, o->html, e);
    return print_answer(&answer) < 0 ? err_set(e, -EIO, "cannot write to stdout") : 0;
}

static int run(int argc, char **argv)
{
    struct inspect_options o = {0};
    CLEANUP_FREE char **operands = NULL;
    struct err e = {0};
    int count = opt_parse(INSPECT_OPTIONS, &(struct opt_argv){argc, argv}, &o, &operands, &e), r = 0;

    if (count < 0)
        return command_fail(count, &e);
    if (count < 1 || count > ANALYSIS_DUMPS_MAX)
        return command_error(-FAULT_USAGE, "inspect: which dump? salvage inspect FILE|URL|CASE, or two to be compared");
    if (count > 1 && text_eq(operands[0], "-") && text_eq(operands[1], "-"))
        return command_error(-FAULT_USAGE, "inspect: only one of two dumps can come from stdin");
    if (count > 1 && (o.view.path || o.view.tree || o.view.strings))
        return command_error(-FAULT_USAGE, "inspect: --path, --tree and --strings are questions about one dump");
    if (!!o.view.path + !!o.view.tree + !!o.view.strings > 1)
        return command_error(-FAULT_USAGE, "inspect: --path, --tree or --strings: one question at a time");
    if (o.html && (o.view.path || o.view.tree || o.view.strings))
        return command_error(-FAULT_USAGE, "inspect: --html is of the whole: not with --path, --tree or --strings");
    if (o.html && o.view.json)
        return command_error(-FAULT_USAGE, "inspect: --html or --json, not both");
    o.view.bold = table_colours();
    o.view.page = o.html != NULL;
    o.view.symbols = true;
    interrupt_catch();
    r = run_on(&o, operands, (unsigned)count, &e);
    interrupt_release();
    return r < 0 ? command_fail(r, &e) : 0;
}

const struct command CMD_INSPECT = {
    .name = "inspect",
    .args = "FILE|URL|CASE|- [FILE|URL|CASE|-]",
    .summary = "say what filled a heap and what keeps it alive, why threads hang, why a program crashed",
    .text =
        "Reads a heap dump of HotSpot's format or OpenJ9's (phd), plain or compressed, from a file or from a store, "
        "and shows the thread "
        "that ran out of memory, the objects that keep more than a tenth of the heap alive (suspects) with the path of "
        "references from a GC root to each, and the classes with most bytes. Retained sizes are exact, by "
        "dominators.\n\n"
        "Of thread dumps (HotSpot's, also in the midst of a log, `jcmd Thread.dump_to_file`, javacores) it shows "
        "deadlocks, the threads that wait for a lock with the thread that holds it, pools, CPU by thread, and of "
        "several "
        "dumps in one file which threads never moved.\n\n"
        "Of a flight recording it shows pauses, load, the classes of old objects and of allocations.\n\n"
        "Of a core it shows the signal, the stack of the thread that got it, and the modules with their build-ids; "
        "functions and lines where the executables are (--sysroot).\n\n"
        "Of a JVM's crash log (hs_err) it shows signal, frame, thread and heap, without the secrets of the command "
        "line; "
        "of a class histogram or a .heapsnapshot the largest classes; of oom-kill.json, jvm-end.json and a manifest "
        "what "
        "they record.\n\n"
        "Of two dumps it shows what grew from the first to the second: of heaps by suspect, class, package and class "
        "loader, of class histograms by class, of thread dumps which threads moved.\n\n"
        "CASE is the id of a case in the store of --to or SALVAGE_TO, or the beginning of its key (shop/cart-7f9c), as "
        "much as is unique; with /NAME an object of it. A dump in a store is read by ranges: nothing of it comes to "
        "disk. From stdin (-), or compressed by others, it is unpacked into a file without a name in TMPDIR first.",
    .examples =
        "salvage inspect heap.hprof\n"
        "    what filled it\n"
        "salvage inspect s3://evidence/prod/shop/cart-7f9c/20261121T015605Z-java-oom-0123456789abcdef/heap.hprof.zst\n"
        "    the same, from the store\n"
        "salvage inspect shop/cart-7f9c --to s3://evidence/prod\n"
        "    the case of that pod\n"
        "salvage inspect before.hprof after.hprof\n"
        "    what grew from one to the other\n"
        "salvage inspect heap.hprof --threads\n"
        "    with all stacks\n"
        "salvage inspect heap.hprof --path com.shop.Order\n"
        "    what keeps all of them alive\n"
        "salvage inspect heap.hprof --strings '^jdbc:'\n"
        "    texts, and what holds them\n"
        "salvage inspect heap.hprof --html heap.html\n"
        "    a page with a picture of what keeps the heap alive\n"
        "salvage inspect threads.txt\n"
        "    who waits for whom\n"
        "salvage inspect app.jfr\n"
        "    what the collector and the processors did\n"
        "salvage inspect core.4711\n"
        "    what the program crashed of, and where\n"
        "salvage inspect hs_err_pid7.log\n"
        "    what the JVM crashed of\n",
    .options = INSPECT_OPTIONS,
    .run = run,
};
