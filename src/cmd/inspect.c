/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage inspect: what filled a heap.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/strv.h"
#include "base/table.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/inspect.h"
#include "inspect/dump_file.h"
#include "linux/interrupt.h"
#include "ship/analysis_request.h"
#include "ship/plan.h"

#define BOLD "\033[1m"
#define PLAIN "\033[0m"

enum { PRINT_MAX = 64 * 1024 };

struct inspect_options {
    struct plan_options plan;
    struct inspect_view view;
    const char *html; /* a file */
};

static const struct opt INSPECT_OPTIONS[] = {
    INSPECT_VIEW_OPTIONS(struct inspect_options, view),
    {OPT_STRING, 0, "html", "FILE", NULL, offsetof(struct inspect_options, html),
     "write all of it to a page that needs nothing else; '-': to stdout"},
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

static int fetch(const struct inspect_options *o, const char *url, int *ret_fd, struct err *e)
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
        r = dump_stream_end(f.stream, ret_fd, e);
    sink_close(sink);
    dump_stream_free(f.stream);
    return r;
}

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

static bool interrupted(void *ctx)
{
    (void)ctx;
    return interrupt_caught() != 0;
}

static int analyse(const struct inspect_options *o, int fd, const char *name, struct err *e)
{
    CLEANUP(strv_done) struct strv argv = {0};
    CLEANUP(buf_done) struct buf answer = {.ceiling = SANDBOXED_ANSWER_MAX};
    struct sandboxed_process child = SANDBOXED_NONE;
    struct sandboxed_task task = {.fds = &fd, .fd_count = 1, .stop = interrupted};
    struct stat st;
    int r;

    if (fstat(fd, &st) < 0)
        return err_set(e, -errno, "%s", strerror(errno));
    if (strv_add(&argv, "salvage") < 0 || strv_add(&argv, ANALYSIS_COMMAND) < 0 ||
        opt_arguments(INSPECT_CHILD_OPTIONS, &o->view, &argv) < 0 || strv_add(&argv, "--") < 0 ||
        strv_add(&argv, name) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    task.argv = argv.item;
    task.deadline_ms = analysis_deadline_ms((uint64_t)st.st_size);
    if ((r = sandboxed_start(&task, &child, e)) < 0 || (r = sandboxed_collect(&child, &task, &answer, e)) < 0)
        return r;
    if (o->html)
        return write_page(&answer, o->html, e);
    return print_answer(&answer) < 0 ? err_set(e, -EIO, "cannot write to stdout") : 0;
}

static int run_on(const struct inspect_options *o, const char *what, struct err *e)
{
    CLEANUP_FD int fd = -1;
    int r = strstr(what, "://") ? fetch(o, what, &fd, e) : dump_file_open(what, &fd, e);

    if (r == 0 && (r = analyse(o, fd, text_base_name(what), e)) < 0)
        return err_prefix(e, r, "%s", what);
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
    if (o.html && o.view.json)
        return command_error(-FAULT_USAGE, "inspect: --html or --json, not both");
    o.view.bold = table_colours();
    o.view.page = o.html != NULL;
    interrupt_catch();
    r = run_on(&o, operands[0], &e);
    interrupt_release();
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
        "    with all stacks\n"
        "salvage inspect heap.hprof --html heap.html\n"
        "    a page with a picture of what keeps the heap alive\n",
    .options = INSPECT_OPTIONS,
    .run = run,
};
