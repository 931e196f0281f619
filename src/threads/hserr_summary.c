/* SPDX-License-Identifier: Apache-2.0
 *
 * The sentence for a crash log: what happened, in which frame, in which thread, in which state of the VM, which JVM.
 */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "threads/hserr.h"
#include "threads/thread_pieces.h"

struct found {
    struct piece frame, thread, state, allocation;
    bool by_kill;
};

/* "Current thread (0x00007f):  JavaThread "main" [_thread_in_native, id=7, stack(...)]" */
static struct piece thread_of(struct piece line)
{
    struct piece name = piece_behind(line, "\""), kind;

    if (name.text)
        return piece_until(name, "\" ");
    kind = piece_trim(piece_behind(line, "): "));
    return kind.text ? piece_until(kind, " [") : piece_behind(line, "Current thread is ");
}

static void read_line(struct found *f, struct piece line, bool frame_is_next)
{
    struct piece state = piece_behind(line, "VM state:");

    if (frame_is_next && !f->frame.text && piece_begins(line, "# "))
        f->frame = piece_trim(piece_behind(line, "# "));
    else if (piece_begins(line, "#  SIG") && piece_behind(line, "(sent by kill)").text)
        f->by_kill = true;
    else if (piece_begins(line, "# Native memory allocation ") && !f->allocation.text)
        f->allocation = piece_until(piece_trim(piece_behind(line, "# ")), ". Error detail");
    else if (piece_begins(line, "Current thread") && !f->thread.text)
        f->thread = thread_of(line);
    else if (piece_begins(line, "VM state:") && !f->state.text)
        f->state = piece_trim(piece_until(state, "("));
}

static int add(struct buf *b, const char *before, struct piece p, const char *after)
{
    return p.size ? buf_printf(b, "%s%.*s%s", before, (int)(p.size < ORIGIN_TEXT_MAX ? p.size : ORIGIN_TEXT_MAX),
                               p.text, after)
                  : 0;
}

int hserr_summary(const void *data, size_t size, struct summary *ret)
{
    CLEANUP(buf_done) struct buf b = {0};
    struct origin o = {0};
    struct found f = {0};
    const char *at = data, *end = at + size;
    struct piece line, jvm;
    bool frame_is_next = false;

    hserr_origin(data, size, &o);
    if (!*o.cause)
        return -EBADMSG;
    while (origin_line(&at, end, &line.text, &line.size)) {
        read_line(&f, line, frame_is_next);
        frame_is_next = piece_begins(line, "# Problematic frame:");
    }
    jvm = piece_until((struct piece){o.jvm, strlen(o.jvm)}, " (build ");
    if (buf_printf(&b, "%s%s", f.allocation.size ? "" : o.detail, f.by_kill ? ", sent by kill" : "") < 0 ||
        add(&b, "", f.allocation, "") < 0 || add(&b, " in ", f.frame, "") < 0 ||
        add(&b, "; thread \"", f.thread, "\"") < 0 || add(&b, "; VM ", f.state, "") < 0 || add(&b, "; ", jvm, "") < 0)
        return -ENOMEM;
    text_printable(buf_text(&b), ret->sentence, sizeof(ret->sentence));
    return 0;
}
