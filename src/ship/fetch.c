/* SPDX-License-Identifier: Apache-2.0
 *
 * The child enters the network, lays down what let it do so, and asks; its story comes through a pipe, whose end is the
 * child's.
 */
#include "ship/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/http.h"

enum { LATE_MS = 500 /* that the child may take longer than its limit, to say so */ };

DEFINE_CLEANUP(struct http *, http_free)

/* What the child leaves; shorter than PIPE_BUF. */
struct story {
    int result;
    struct err err;
};

struct arrival {
    const struct fetch *f;
    int fd;
    uint64_t size;
    struct err *e;
};

static int on_data(void *ctx, const void *data, size_t size)
{
    struct arrival *a = ctx;
    char ceiling[TEXT_SIZE_MAX];
    int r;

    if (size > a->f->ceiling - a->size)
        return err_set(a->e, -EFBIG, "the answer is longer than %s: too much to be kept in memory",
                       text_format_size(a->f->ceiling, ceiling));
    a->size += size;
    r = file_write(a->fd, data, size);
    return r < 0 ? err_set(a->e, r, "no room in memory: %s", strerror(-r)) : 0;
}

static int enter_network(const struct proc *p, struct err *e)
{
    CLEANUP_FD int fd = -1;

    if (proc_shares(p, "ns/net"))
        return 0;
    fd = openat(p->fd, "ns/net", O_RDONLY | O_CLOEXEC);
    if (fd < 0 && (errno == ENOENT || errno == ESRCH))
        return err_set(e, -ESRCH, "process %d has ended", (int)p->pid);
    if (fd < 0)
        return err_set(e, -errno, "the network of process %d can't be seen: %s: CAP_SYS_PTRACE is needed for that",
                       (int)p->pid, strerror(errno));
    if (setns(fd, CLONE_NEWNET) < 0)
        return err_set(e, -errno, "the network of process %d can't be entered: %s: CAP_SYS_ADMIN is needed for that",
                       (int)p->pid, strerror(errno));
    return 0;
}

/* Who answers may be hostile: from here on a socket is all that is needed. */
static void drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0}};

    syscall(SYS_capset, &header, none);
}

static int judge(const struct http_answer *answer, uint64_t size, struct err *e)
{
    char location[200];

    if (answer->status >= 300 && answer->status < 400 && http_header(answer, "Location", location, sizeof(location)))
        return err_set(e, -FAULT_REFUSED, "answered %ld: a redirect, to %.*s, is not followed", answer->status,
                       (int)strcspn(location, "?#"), location);
    if (answer->status < 200 || answer->status > 299)
        return err_set(e, -FAULT_REFUSED, "answered %ld", answer->status);
    return size == 0 ? err_set(e, -FAULT_FORMAT, "answered %ld, and nothing else", answer->status) : 0;
}

static int ask(const struct fetch *f, int fd, struct err *e)
{
    struct http_options o = {.ca_file = (char *)f->ca_file, .timeout_ms = f->limit_ms, .direct = true};
    CLEANUP(http_free_ptr) struct http *h = NULL;
    CLEANUP(http_answer_done) struct http_answer answer = {0};
    struct arrival a = {f, fd, 0, e};
    struct http_request r = {.method = "GET", .url = f->url, .limit_ms = f->limit_ms, .write = on_data, .ctx = &a};
    int result = http_new(&o, &h, e);

    if (result == 0)
        result = http_perform(h, &r, &answer, e);
    return result == 0 ? judge(&answer, a.size, e) : result;
}

static void be_child(const struct fetch *f, int fd, int out)
{
    struct story s = {0};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    s.result = enter_network(f->eyes, &s.err);
    if (s.result == 0) {
        drop_capabilities();
        s.result = ask(f, fd, &s.err);
    }
    _exit(file_write(out, &s, sizeof(s)) < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* True if the child has said its word, or ended. */
static bool wait_for(int fd, uint64_t until_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    for (;;) {
        uint64_t now = clock_mono_ms();
        int r = poll(&p, 1, now >= until_ms ? 0 : (int)(until_ms - now));

        if (r > 0 || now >= until_ms)
            return r > 0;
    }
}

static int late(const struct fetch *f, struct err *e)
{
    return err_set(e, -ETIMEDOUT, "there was no whole answer within %.1f s", (double)f->limit_ms / 1000);
}

/* Its story. Whatever it is doing, it is not needed any more. */
static int hear(const struct fetch *f, pid_t child, int in, struct err *e)
{
    struct story s = {0};
    bool said = wait_for(in, clock_mono_ms() + f->limit_ms + LATE_MS), whole;

    whole = said && file_read(in, &s, sizeof(s)) == (ssize_t)sizeof(s);
    kill(child, SIGKILL);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    if (!said || (whole && s.result == -FAULT_STALLED))
        return late(f, e);
    if (!whole)
        return err_set(e, -EIO, "the process that asked it has crashed");
    s.err.msg[sizeof(s.err.msg) - 1] = '\0';
    if (s.result < 0)
        *e = s.err;
    return s.result;
}

int fetch_to_file(const struct fetch *f, int fd, struct err *e)
{
    CLEANUP_FD int in = -1, out = -1;
    size_t place = strcspn(f->url, "?#"); /* what is behind may be a secret */
    int ends[2], r;
    pid_t child;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_set(e, -errno, "no pipe: %s", strerror(errno));
    in = ends[0];
    out = ends[1];
    child = fork();
    if (child == 0)
        be_child(f, fd, out);
    if (child < 0)
        return err_set(e, -errno, "no process can be started: %s", strerror(errno));
    close(TAKE_FD(out));
    r = hear(f, child, in, e);
    return r < 0 ? err_prefix(e, r, "%.*s", (int)(place < 200 ? place : 200), f->url) : 0;
}
