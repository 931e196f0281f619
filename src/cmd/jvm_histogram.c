/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage jvm histogram: objects and bytes by class.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/jvm.h"
#include "hotspot/diagnostics.h"

enum { LINE_MAX_KIB = 256 }; /* a class's name has up to 64 KiB */

struct histogram_options {
    struct jvm_options jvm;
    bool live;
    uint64_t top;
};

static const struct opt HISTOGRAM_OPTIONS[] = {
    {OPT_FLAG, 0, "live", NULL, NULL, offsetof(struct histogram_options, live),
     "only objects that are reachable: the JVM does a full collection first"},
    {OPT_UINT, 'n', "top", "N", "0", offsetof(struct histogram_options, top), "the largest N classes; 0: all"},
    JVM_OPTION_TIMEOUT(struct histogram_options, jvm),
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

/* Passes the header, the first rows and the total. */
struct filter {
    uint64_t rows, top;
    struct buf line; /* the incomplete last line */
    struct err *e;
};

/* A row begins with its number: "   1:        123 …". Total and head do not. */
static bool is_row(const char *line)
{
    line += strspn(line, " ");
    return line[strspn(line, "0123456789")] == ':';
}

static int end_line(struct filter *f)
{
    int r = is_row(buf_text(&f->line)) && ++f->rows > f->top ? 0 : jvm_relay(f->line.data, f->line.size, f->e);

    buf_clear(&f->line);
    return r;
}

static int on_text(void *ctx, const char *text, size_t size)
{
    struct filter *f = ctx;

    if (f->top == 0)
        return jvm_relay(text, size, f->e);
    while (size > 0) {
        const char *newline = memchr(text, '\n', size);
        size_t length = newline ? (size_t)(newline - text) + 1 : size;
        int r = buf_add(&f->line, text, length);

        if (r == -EMSGSIZE)
            return err_set(f->e, -FAULT_FORMAT, "the answer is not a histogram: it has a line longer than %d KiB",
                           LINE_MAX_KIB);
        if (r < 0)
            return err_set(f->e, r, "out of memory");
        if (newline && (r = end_line(f)) < 0)
            return r;
        text += length;
        size -= length;
    }
    return 0;
}

static int print(const struct jvm *j, const struct histogram_options *o, struct err *e)
{
    struct filter f = {.top = o->top, .line.ceiling = (size_t)LINE_MAX_KIB * 1024, .e = e};
    struct attach_wait wait = {.timeout_ms = o->jvm.timeout_ms};
    const char *diagnostic = o->live ? DIAGNOSTIC_HISTOGRAM_LIVE : DIAGNOSTIC_HISTOGRAM;
    int r = attach_stream(j, ATTACH_JCMD(diagnostic), &wait, &(struct attach_reader){on_text, &f}, e);

    if (r == 0 && f.line.size > 0)
        r = end_line(&f);
    buf_done(&f.line);
    return r;
}

static int run(int argc, char **argv)
{
    struct histogram_options o = {0};
    CLEANUP(jvm_done) struct jvm j = JVM_NONE;
    CLEANUP_FREE char **operands = NULL;
    struct err e = {0};
    int r = opt_parse(HISTOGRAM_OPTIONS, &(struct opt_argv){argc, argv}, &o, &operands, &e);

    if (r > 1)
        r = err_set(&e, -FAULT_USAGE, "jvm histogram: one process at a time");
    if (r < 0 || (r = jvm_target("jvm histogram", operands[0], &j, &e)) < 0 || (r = print(&j, &o, &e)) < 0)
        return command_fail(r, &e);
    return 0;
}

const struct command CMD_JVM_HISTOGRAM = {
    .name = "jvm histogram",
    .args = "[PID]",
    .summary = "print objects and bytes of each class, the largest first",
    .text =
        "Unlike the JDK's jmap -histo and GC.class_histogram this counts garbage, too, and starts no collection unless "
        "--live is given. The application is stopped while the JVM walks its heap, about a second for some GB.",
    .examples = "salvage jvm histogram 7 --top 20\n"
                "    what the heap is full of\n"
                "salvage jvm histogram 7 --live --top 20\n"
                "    what remains after a full collection\n",
    .options = HISTOGRAM_OPTIONS,
    .run = run,
};
