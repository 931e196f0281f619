/* SPDX-License-Identifier: Apache-2.0
 *
 * A process in /proc, identified by a descriptor of its folder: later reads are of the same process, or -ESRCH if its
 * pid was reused. Files are opened as the process sees them, and never outside of its root, because its links are
 * untrusted.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

struct proc {
    int fd; /* of /proc/PID; owned */
    pid_t pid;
    bool hidden; /* the kernel hides its folders from us: its root is assumed to be ours */
};

#define PROC_NONE                                                                                                      \
    {                                                                                                                  \
        .fd = -1                                                                                                       \
    }

/* root is "/proc" except in tests. -ESRCH if there is no such process, -ENOSYS if there is no /proc. */
int proc_open(const char *root, pid_t pid, struct proc *ret);
void proc_done(struct proc *p);
bool proc_is_alive(const struct proc *p);

struct proc_status {
    uid_t uid;        /* effective */
    gid_t gid;        /* effective */
    pid_t inner_pid;  /* in its own pid namespace */
    uint64_t caught;  /* signals with a handler: bit N-1 for signal N */
    uint64_t ignored; /* ignored signals, likewise */
    char state;       /* 'R', 'S', 'D', 'T' stopped, 'Z' */
    pid_t tracer;     /* the process that traces it by ptrace, if visible to us; 0: none */
};

/* 0, -ESRCH, -EBADMSG if the file is malformed. */
int proc_status(const struct proc *p, struct proc_status *ret);

/* A list of words that ends with NULL: arguments or environment. */
struct proc_words {
    char **word;
    size_t count;
    char *bytes; /* what they point into */
};

/* file: "cmdline" or "environ". 0 (the list may be empty), -ESRCH, -EACCES, -EMSGSIZE beyond 8 MiB. */
int proc_words(const struct proc *p, const char *file, struct proc_words *ret);
void proc_words_done(struct proc_words *w);

/* The value of a variable; NULL if it is not set. Borrowed. */
const char *proc_variable(const struct proc_words *variables, const char *name);

/* Its start, ns since 1970 by the present clock; -ENODATA if unknown. */
int proc_started(const struct proc *p, int64_t *ret_wall_ns);

/* Its start in ticks since boot: unique together with its pid. */
int proc_start_ticks(const struct proc *p, uint64_t *ret);

/* Whether a link in its folder ("ns/uts", "root") has the same target as ours. */
bool proc_shares(const struct proc *p, const char *link);

/* Opens a path as the process sees it: relative to its working folder or its root, and never outside of that root. */
int proc_openat(const struct proc *p, const char *path, int flags, mode_t mode);

/* Translates a path of the process (a relative one: of its working folder) into one that we can open: unchanged in our
 * mount namespace, else through /proc/PID/root. malloc'ed. -ENOMEM, -EACCES. */
int proc_path(const struct proc *p, const char *path, char **ret);

/* A line of /proc/PID/maps that names a file. */
struct proc_mapping {
    const char *path;  /* as the process sees it, but with its chroot in front */
    const char *range; /* "7f00-7f01", for proc_open_mapping */
    bool deleted;      /* the file was unlinked, or replaced */
};

/* Calls fn for each mapping, in order, until fn returns a result other than 0, which is returned. 0, -ESRCH,
 * -EACCES. */
int proc_each_mapping(const struct proc *p, int (*fn)(void *ctx, const struct proc_mapping *m), void *ctx);

/* The path, as the process sees it, of a mapped file with that base name ("libjvm.so"). malloc'ed. -ENOENT, -EACCES. */
int proc_mapped(const struct proc *p, const char *name, char **ret);

/* Opens the mapped file itself, even if it was deleted. Only for root: -EPERM, -EACCES. flags: O_PATH is enough for
 * fstat. */
int proc_open_mapping(const struct proc *p, const char *range, int flags);

/* A descriptor that becomes readable when the process ends. -ESRCH; -ENOSYS before Linux 5.3. */
int proc_pidfd(const struct proc *p);

/* The id, as in mountinfo, of the mount that fd is on. 0, -ENOENT without /proc, other -errno. */
int proc_mount_id(int fd, uint64_t *ret);
