/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of system calls is what glibc's memory, threads, stdio and clock need, and what reads and writes an open
 * descriptor. Arguments are compared where a call could do more.
 */
#include "linux/sandbox.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* With any arguments. */
static const int ALLOWED[] = {
    /* memory; a spill file that is open already */
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(msync),
    SCMP_SYS(ftruncate),
    SCMP_SYS(fallocate),
    /* descriptors */
    SCMP_SYS(read),
    SCMP_SYS(readv),
    SCMP_SYS(pread64),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(pwrite64),
    SCMP_SYS(lseek),
    SCMP_SYS(fstat),
    SCMP_SYS(fadvise64),
    SCMP_SYS(close),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(recvmsg), /* of a socket that it has: descriptors that the parent hands out */
    /* threads */
    SCMP_SYS(futex),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(gettid),
    SCMP_SYS(getpid),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    /* signals of our own faults */
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall),
    /* clocks, usage, random numbers */
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(getrusage),
    SCMP_SYS(sysinfo),
    SCMP_SYS(getrandom),
};

/* Only where (argument & mask) == value. */
static const struct compared {
    int call;
    unsigned argument;
    scmp_datum_t mask, value;
} COMPARED[] = {
    {SCMP_SYS(mmap), 2, PROT_EXEC, 0},
    {SCMP_SYS(mprotect), 2, PROT_EXEC, 0},
    {SCMP_SYS(clone), 0, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM}, /* a thread, never a process */
    {SCMP_SYS(prctl), 0, UINT32_MAX, PR_SET_NAME},
    {SCMP_SYS(fcntl), 1, UINT32_MAX, F_GETFL},            /* fdopen */
    {SCMP_SYS(fcntl), 1, UINT32_MAX, F_GETFD},            /* libelf */
    {SCMP_SYS(newfstatat), 3, UINT32_MAX, AT_EMPTY_PATH}, /* glibc's fstat */
    {SCMP_SYS(prlimit64), 2, UINT64_MAX, 0},              /* reads a limit: pthread_getattr_np */
};

/* Refused, and the process goes on: callers try something else. */
static const struct refused {
    int call;
    int error;
} REFUSED[] = {
    {SCMP_SYS(clone3), ENOSYS}, /* its flags are in memory: glibc then calls clone */
    {SCMP_SYS(ioctl), ENOTTY},  /* stdio asks for a terminal */
};

/* With refuses_paths; the links also for the sanitizer's report, which names the program. */
static const int OPENS[] = {SCMP_SYS(open), SCMP_SYS(openat)}, LINKS[] = {SCMP_SYS(readlink), SCMP_SYS(readlinkat)};

static int add_rules(scmp_filter_ctx filter, const struct sandbox *s)
{
    int r = 0;

    for (size_t i = 0; i < ARRAY_SIZE(ALLOWED) && r == 0; i++)
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, ALLOWED[i], 0);
    for (size_t i = 0; i < ARRAY_SIZE(COMPARED) && r == 0; i++) {
        const struct compared *c = &COMPARED[i];

        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, c->call, 1,
                             SCMP_CMP(c->argument, SCMP_CMP_MASKED_EQ, c->mask, c->value));
    }
    /* abort() sends its signal to a thread of ours. */
    if (r == 0)
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                             SCMP_CMP(0, SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
    for (size_t i = 0; i < ARRAY_SIZE(REFUSED) && r == 0; i++)
        r = seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)REFUSED[i].error), REFUSED[i].call, 0);
    for (size_t i = 0; i < ARRAY_SIZE(OPENS) && r == 0 && s->refuses_paths; i++)
        r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), OPENS[i], 0);
    for (size_t i = 0; i < ARRAY_SIZE(LINKS) && r == 0 && (s->refuses_paths || SANITIZED); i++)
        r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), LINKS[i], 0);
    return r;
}

/* Loads the filter. 0 also where there is no seccomp: *ret_missing says so. */
static int filter_calls(const struct sandbox *s, unsigned *ret_missing, struct err *e)
{
    uint32_t deadly = seccomp_api_get() >= 3 ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_KILL_THREAD; /* Linux 4.14 */
    scmp_filter_ctx filter = seccomp_init(deadly);
    int r;

    if (!filter)
        return err_set(e, -ENOMEM, "out of memory");
    seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, deadly); /* 32-bit calls on a 64-bit kernel */
    r = add_rules(filter, s);
    if (r < 0)
        err_set(e, r, "no list of system calls could be made: %s", strerror(-r));
    else if (seccomp_load(filter) < 0)
        *ret_missing |= SANDBOX_NO_SECCOMP;
    seccomp_release(filter);
    return r < 0 ? r : 0;
}

bool sandbox_has_seccomp(void)
{
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL) == 0 || errno == EFAULT;
}

static int set_limit(__rlimit_resource_t resource, rlim_t value)
{
    struct rlimit now;

    if (getrlimit(resource, &now) < 0)
        return -errno;
    if (value > now.rlim_max)
        value = now.rlim_max;
    now = (struct rlimit){value, value};
    return setrlimit(resource, &now) == 0 ? 0 : -errno;
}

static int set_limits(const struct sandbox *s)
{
    int r = set_limit(RLIMIT_CORE, 0);

    if (r == 0)
        r = set_limit(RLIMIT_NOFILE, (rlim_t)s->fd_most + 1 + s->fd_room);
    if (r == 0 && s->cpu_s)
        r = set_limit(RLIMIT_CPU, s->cpu_s);
    if (r == 0 && s->address_space && !SANITIZED)
        r = set_limit(RLIMIT_AS, s->address_space);
    if (r == 0 && s->memory && !SANITIZED)
        r = set_limit(RLIMIT_DATA, s->memory);
    return r;
}

int sandbox_enter(const struct sandbox *s, unsigned *ret_missing, struct err *e)
{
    int r;

    assert(s && s->fd_most >= 0 && ret_missing);
    *ret_missing = 0;
    if (close_range((unsigned)s->fd_most + 1, ~0U, 0) < 0 && errno != ENOSYS)
        return err_set(e, -errno, "descriptors can't be closed: %s", strerror(errno));
    mallopt(M_ARENA_MAX, 1);
    prctl(PR_SET_DUMPABLE, 0);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return err_set(e, -errno, "no_new_privs can't be set: %s", strerror(errno));
    if ((r = set_limits(s)) < 0)
        return err_set(e, r, "limits can't be set: %s", strerror(-r));
    return filter_calls(s, ret_missing, e);
}
