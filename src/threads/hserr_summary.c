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
#include "threads/hserr_read.h"

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
    struct hserr_log f;
    struct piece jvm;

    hserr_origin(data, size, &o);
    if (!*o.cause)
        return -EBADMSG;
    hserr_read(data, size, &f);
    jvm = piece_until((struct piece){o.jvm, strlen(o.jvm)}, " (build ");
    if (buf_printf(&b, "%s%s", f.allocation.size ? "" : o.detail, f.by_kill ? ", sent by kill" : "") < 0 ||
        add(&b, "", f.allocation, "") < 0 || add(&b, " in ", f.frame, "") < 0 ||
        add(&b, "; thread \"", f.thread, "\"") < 0 || add(&b, "; VM ", f.vm_state, "") < 0 ||
        add(&b, "; ", jvm, "") < 0)
        return -ENOMEM;
    text_printable(buf_text(&b), ret->sentence, sizeof(ret->sentence));
    return 0;
}
