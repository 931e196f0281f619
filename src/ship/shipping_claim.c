/* SPDX-License-Identifier: Apache-2.0
 *
 * The claim on a file or stream that is shipped in the foreground, and its case.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ship/shipping_internal.h"
#include "ship/spool.h"

/* Adds what the command knows of the process that the evidence is about. */
static int add_process(struct shipment *s, struct err *e)
{
    const struct shipping *of = s->of;
    struct claim *c = &s->claim;

    free(c->cause);
    c->cause = strdup(of->cause);
    if (!c->cause || (of->jvm && !(c->jvm = strdup(of->jvm))) || (of->command && !(c->command = strdup(of->command))) ||
        (of->detail && !(c->detail = strdup(of->detail))) || (of->sensitive && !(c->sensitive = strdup(of->sensitive))))
        return err_set(e, -ENOMEM, "out of memory");
    c->cause_given = !of->cause_is_guess;
    c->pid = of->pid;
    if (!s->stream)
        c->pause = of->pause;
    return 0;
}

/* Gives the claim the time and id of its case; the first piece of a case defines them. */
static void put_into_case(struct shipment *s)
{
    struct shipping_case *one = s->of->shared_case;

    if (!one)
        return;
    if (*one->id) {
        memcpy(s->claim.id, one->id, sizeof(s->claim.id));
        s->claim.time_ns = one->time_ns;
        return;
    }
    memcpy(one->id, s->claim.id, sizeof(one->id));
    one->time_ns = s->claim.time_ns;
}

void shipment_close_spool(struct shipment *s)
{
    if (!s->spool)
        return;
    unlinkat(spool_fd(s->spool), "spool", AT_REMOVEDIR);
    if (!s->of->state)
        unlinkat(s->folder, STATE_NAME, AT_REMOVEDIR);
    spool_close(TAKE_PTR(s->spool));
}

/* Without a usable state folder the file is shipped without a journal, unless --state names one. */
static int add_to_spool(struct shipment *s, struct err *e)
{
    const char *state = s->of->state;
    struct err ignored;
    int r =
        spool_open(state ? AT_FDCWD : s->folder, state ? state : STATE_NAME, false, &s->spool, state ? e : &ignored);

    if (r == 0 && spool_add(s->spool, &s->claim, &ignored) < 0) {
        shipment_state_lost(s, ignored.msg);
        spool_discard(s->spool, &s->claim);
        shipment_close_spool(s);
    }
    s->claim.spool = s->spool;
    return state ? r : 0;
}

int shipment_claim_file(struct shipment *s, const char *name, struct err *e)
{
    char *path = s->held ? strdup(s->path) : realpath(s->path, NULL);
    struct claim *c = &s->claim;
    struct identity file;
    int r = identity_get(s->fd, s->of->who->machine, &file);

    if (r < 0) {
        free(path);
        return err_set(e, r, "%s: %s", s->path, strerror(-r));
    }
    if (claim_of_file(c, path, name, &file, kind_read_content(s->fd)) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    if ((r = add_process(s, e)) < 0)
        return r;
    put_into_case(s);
    if (s->held && s->of->pid)
        c->owner = s->of->uid;
    c->erase = s->erases;
    return add_to_spool(s, e);
}

int shipment_claim_stream(struct shipment *s, struct err *e)
{
    const struct shipping_stream *stream = s->stream;
    pid_t pid = s->of->pid ? (pid_t)s->of->pid : getpid();
    int64_t now_ns = clock_wall_ns();
    struct claim *c = &s->claim;
    int r;

    *c = (struct claim){.path = strdup(stream->name),
                        .name = strdup(stream->name),
                        .kind = kind_of_name(stream->name),
                        .time_ns = now_ns,
                        .found_ns = now_ns,
                        .settled_ns = now_ns,
                        .size = stream->expected_size,
                        .owner = stream->uid};
    if (!c->path || !c->name || identity_of_stream(s->of->who->machine, pid, stream->started_ns, c->time_ns, c->id) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    if ((r = add_process(s, e)) < 0)
        return r;
    put_into_case(s);
    return 0;
}
