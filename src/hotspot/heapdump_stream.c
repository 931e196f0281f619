/* SPDX-License-Identifier: Apache-2.0
 *
 * The FIFO lies in a new hidden folder: once the folder is removed, a JVM that has not opened the FIFO yet can neither
 * open nor create a file there. A thread waits for the JVM's answer, which comes after the last byte.
 */
#include "hotspot/heapdump_stream.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/thread.h"
#include "hotspot/diagnostics.h"
#include "hotspot/dumpanswer.h"

enum { REASON_MAX = 300, POLL_MS = 50, STACK_SIZE = 512 * 1024 };
static const char FIFO[] = "heap.hprof";

struct heapdump_stream {
    const struct jvm *j;
    struct heapdump_request rq;
    struct dumpfolder folder;
    char *inner; /* the FIFO's path as the JVM sees it */
    int fd;      /* its reading end, until it is handed to the caller */
    pthread_t thread;
    bool running;
    atomic_bool answered, flows, ended; /* the JVM answered; the first byte came; the stream has ended */

    /* Written by the thread; to be read after it was joined. */
    int result;
    struct err e;
};

static bool is_stopped(void *ctx)
{
    const struct heapdump_stream *s = ctx;

    return !atomic_load(&s->flows) && s->rq.wait.stop && s->rq.wait.stop(s->rq.wait.ctx);
}

/* While we read, the JVM waits for us and is not silent. */
static bool is_flowing(void *ctx)
{
    const struct heapdump_stream *s = ctx;

    return atomic_load(&s->flows) && !atomic_load(&s->ended);
}

static int check_answer(struct heapdump_stream *s, const char *answer)
{
    char reason[REASON_MAX];

    switch (dumpanswer_read(answer, reason, sizeof(reason))) {
    case DUMPANSWER_MADE:
        return 0;
    case DUMPANSWER_NONE:
        return err_set(&s->e, -ESRCH, "JVM %d closed the connection in the middle of its dump: it has ended",
                       (int)s->j->proc.pid);
    default:
        return err_set(&s->e, -EPROTO, "JVM %d wrote an incomplete dump: %s", (int)s->j->proc.pid, reason);
    }
}

static void *ask(void *arg)
{
    struct heapdump_stream *s = arg;
    CLEANUP(buf_done) struct buf answer = {0};
    CLEANUP_FREE char *command = NULL;
    struct attach_wait wait = {.timeout_ms = s->rq.wait.timeout_ms, .stop = is_stopped, .alive = is_flowing, .ctx = s};

    if (asprintf(&command, DIAGNOSTIC_HEAP_DUMP " -overwrite%s \"%s\"", s->rq.live ? "" : " -all", s->inner) < 0) {
        command = NULL;
        s->result = err_set(&s->e, -ENOMEM, "out of memory");
    } else {
        s->result = attach_ask(s->j, ATTACH_JCMD(command), &wait, &answer, &s->e);
    }
    if (s->result == 0)
        s->result = check_answer(s, buf_text(&answer));
    atomic_store(&s->answered, true);
    return NULL;
}

static int check_jdk(const struct jvm *j, const struct heapdump_request *rq, struct err *e)
{
    static const char instead[] = "without --stream the dump goes through a file";
    int r = heapdump_knows(j, "-overwrite", &rq->wait, e);

    if (r == 0)
        return err_set(e, -FAULT_REFUSED,
                       "JVM %d (%s) can't stream its dump: JDKs before 17 write into no existing file; %s",
                       (int)j->proc.pid, j->version ? j->version : "version unknown", instead);
    if (r > 0 && (r = heapdump_knows(j, "-parallel", &rq->wait, e)) > 0)
        return err_set(
            e, -FAULT_REFUSED,
            "JVM %d (%s) can't stream its dump: JDK 22 and newer write the heap into segment files first; %s",
            (int)j->proc.pid, j->version ? j->version : "version unknown", instead);
    return r;
}

/* The FIFO must belong to the JVM's user: with fs.protected_fifos the kernel refuses to open another user's in /tmp. */
static int make_fifo_in(struct heapdump_stream *s, const char *place)
{
    const struct proc_status *its = &s->j->status;
    int r = dumpfolder_make(s->j, place, &s->folder);

    if (r < 0)
        return r;
    if (mkfifoat(s->folder.fd, FIFO, 0600) < 0 ||
        (geteuid() == 0 && fchownat(s->folder.fd, FIFO, its->uid, its->gid, AT_SYMLINK_NOFOLLOW) < 0))
        return -errno;
    return asprintf(&s->inner, "%s/%s", s->folder.inner, FIFO) < 0 ? (s->inner = NULL, -ENOMEM) : 0;
}

static void remove_fifo(struct heapdump_stream *s)
{
    if (s->folder.fd >= 0)
        unlinkat(s->folder.fd, FIFO, 0);
    dumpfolder_remove(&s->folder);
}

static int make_fifo(struct heapdump_stream *s, struct err *e)
{
    static const char *const places[] = {"/tmp", "."};
    int r = 0;

    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        if ((r = make_fifo_in(s, places[i])) == 0)
            return 0;
        remove_fifo(s);
    }
    return err_set(e, r, "no FIFO for JVM %d, neither in its /tmp nor in its working folder: %s", (int)s->j->proc.pid,
                   strerror(-r));
}

/* Waits a little for the first byte; true once it is there. */
static bool has_begun(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, POLL_MS) > 0;
}

static void join(struct heapdump_stream *s)
{
    if (s->running)
        pthread_join(s->thread, NULL);
    s->running = false;
}

static int begin(struct heapdump_stream *s, int *ret_fd, struct err *e)
{
    int r;

    if ((r = make_fifo(s, e)) < 0)
        return r;
    s->fd = openat(s->folder.fd, FIFO, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (s->fd < 0)
        return err_set(e, -errno, "the FIFO for JVM %d: %s", (int)s->j->proc.pid, strerror(errno));
    if ((r = thread_start(&s->thread, STACK_SIZE, ask, s)) < 0)
        return err_set(e, r, "cannot start a thread: %s", strerror(-r));
    s->running = true;
    while (!has_begun(s->fd)) {
        if (!atomic_load(&s->answered))
            continue;
        join(s);
        *e = s->e;
        return s->result < 0 ? s->result : err_set(e, -EPROTO, "JVM %d wrote nothing", (int)s->j->proc.pid);
    }
    atomic_store(&s->flows, true);
    remove_fifo(s); /* both sides have it open */
    *ret_fd = TAKE_FD(s->fd);
    return 0;
}

int heapdump_stream_open(const struct jvm *j, const struct heapdump_request *rq, struct heapdump_stream **ret,
                         int *ret_fd, struct err *e)
{
    assert(j->proc.fd >= 0 && ret && ret_fd);
    struct heapdump_stream *s;
    int r = check_jdk(j, rq, e);

    if (r < 0)
        return r;
    if (!(s = calloc(1, sizeof(*s))))
        return err_set(e, -ENOMEM, "out of memory");
    s->j = j;
    s->rq = *rq;
    s->folder = (struct dumpfolder)DUMPFOLDER_NONE;
    s->fd = -1;
    if ((r = begin(s, ret_fd, e)) < 0) {
        heapdump_stream_close(s);
        return r;
    }
    *ret = s;
    return 0;
}

bool heapdump_stream_failed(struct heapdump_stream *s)
{
    return atomic_load(&s->answered) && s->result < 0;
}

int heapdump_stream_end(struct heapdump_stream *s, struct err *e)
{
    atomic_store(&s->ended, true);
    join(s);
    if (s->result < 0)
        *e = s->e;
    return s->result;
}

void heapdump_stream_close(struct heapdump_stream *s)
{
    if (!s)
        return;
    atomic_store(&s->ended, true);
    /* A JVM that opens a FIFO without a reader blocks for ever. So the name is removed first, and a JVM that found it
     * by then gets POLL_MS to complete its open. */
    remove_fifo(s);
    if (s->fd >= 0) {
        clock_sleep_ms(POLL_MS);
        close(s->fd);
    }
    join(s);
    free(s->inner);
    free(s);
}
