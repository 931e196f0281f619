/* SPDX-License-Identifier: Apache-2.0
 *
 * The child enters the network, drops its capabilities, and sends the request; its result comes through a pipe. The
 * parent ends the child.
 */
#include "ship/http_in_container.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "linux/report_child.h"
#include "net/http.h"

enum { LATE_MS = 500 /* beyond the limit, for the child's report */ };

DEFINE_CLEANUP(struct http *, http_free)

/* What the child reports. */
struct report {
    int result;
    struct err err;
};

struct arrival {
    const struct http_in_container *f;
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

/* The server may be hostile, and from here on only a socket is needed. */
static void drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0}};

    syscall(SYS_capset, &header, none);
}

static int check_answer(const struct http_answer *answer, uint64_t size, struct err *e)
{
    char location[200];

    if (answer->status >= 300 && answer->status < 400 && http_header(answer, "Location", location, sizeof(location)))
        return err_set(e, -FAULT_REFUSED, "answered %ld: a redirect, to %.*s, is not followed", answer->status,
                       (int)strcspn(location, "?#"), location);
    if (answer->status < 200 || answer->status > 299)
        return err_set(e, -FAULT_REFUSED, "answered %ld", answer->status);
    return size == 0 ? err_set(e, -FAULT_FORMAT, "answered %ld, and nothing else", answer->status) : 0;
}

static int ask(const struct http_in_container *f, int fd, struct err *e)
{
    struct http_options o = {.ca_file = (char *)f->ca_file, .timeout_ms = f->limit_ms, .direct = true};
    CLEANUP(http_free_ptr) struct http *h = NULL;
    CLEANUP(http_answer_done) struct http_answer answer = {0};
    struct arrival a = {f, fd, 0, e};
    struct http_request r = {.method = "GET", .url = f->url, .limit_ms = f->limit_ms, .write = on_data, .ctx = &a};
    int result = http_new(&o, &h, e);

    if (result == 0)
        result = http_perform(h, &r, &answer, e);
    return result == 0 ? check_answer(&answer, a.size, e) : result;
}

struct child_work {
    const struct http_in_container *f;
    int fd;
};

static void ask_and_report(int to, const void *ctx)
{
    const struct child_work *o = ctx;
    struct report report = {0};

    report.result = enter_network(o->f->proc, &report.err);
    if (report.result == 0) {
        drop_capabilities();
        report.result = ask(o->f, o->fd, &report.err);
    }
    report_child_write(to, &report, sizeof(report));
}

static int late(const struct http_in_container *f, struct err *e)
{
    return err_set(e, -ETIMEDOUT, "there was no whole answer within %.1f s", (double)f->limit_ms / 1000);
}

static int wait_for_report(const struct http_in_container *f, struct report_child *child, struct err *e)
{
    struct report report = {0};
    int r = report_child_read(child, &report, sizeof(report), clock_mono_ms() + f->limit_ms + LATE_MS, -1);

    if (r == -ETIMEDOUT || (r == 1 && report.result == -FAULT_STALLED))
        return late(f, e);
    if (r != 1)
        return err_set(e, -EIO, "the process that asked it has crashed");
    report.err.msg[sizeof(report.err.msg) - 1] = '\0';
    if (report.result < 0)
        *e = report.err;
    return report.result;
}

int http_in_container_get(const struct http_in_container *f, int fd, struct err *e)
{
    struct report_child child = REPORT_CHILD_NONE;
    const struct child_work order = {f, fd};
    size_t place = strcspn(f->url, "?#"); /* the query may hold a secret */
    int r = report_child_start(&child, ask_and_report, &order);

    if (r < 0)
        return err_set(e, r, "no process can be started: %s", strerror(-r));
    r = wait_for_report(f, &child, e);
    report_child_end(&child);
    return r < 0 ? err_prefix(e, r, "%.*s", (int)(place < 200 ? place : 200), f->url) : 0;
}
