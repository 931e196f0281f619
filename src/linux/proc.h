/* SPDX-License-Identifier: Apache-2.0
 *
 * One process as /proc shows it. Held by a descriptor of its folder: what is asked later is asked of the same process,
 * even if its pid is another's by then (-ESRCH). Files are opened as the process sees them, never out of its root: its
 * links are a stranger's. Knows nothing of JVMs.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

struct proc {
    int fd; /* of /proc/PID; owned */
    pid_t pid;
    bool
        hidden; /* the kernel hides its folders from us: its root is taken to be ours, and has to be proved otherwise */
};

#define PROC_NONE                                                                                                      \
    {                                                                                                                  \
        .fd = -1                                                                                                       \
    }

/* root is "/proc" but in tests. -ESRCH if there is no such process, -ENOSYS if there is no /proc. */
int proc_open(const char *root, pid_t pid, struct proc *ret);
void proc_done(struct proc *p);
bool proc_is_alive(const struct proc *p);

struct proc_status {
    uid_t uid;        /* effective */
    gid_t gid;        /* effective */
    pid_t inner_pid;  /* as it knows itself: in its own pid namespace */
    uint64_t caught;  /* signals with a handler: bit N-1 for signal N */
    uint64_t ignored; /* the same for what is ignored */
    char state;       /* 'R', 'S', 'D', 'T' stopped, 'Z' */
    pid_t tracer;     /* who traces it by ptrace, where we see that one; 0 */
};

/* -EBADMSG if the file is not as the kernel writes it. */
int proc_status(const struct proc *p, struct proc_status *ret);

/* A list of words that ends with NULL: arguments or environment. */
struct proc_words {
    char **word;
    size_t count;
    char *bytes; /* what they point into */
};

/* file: "cmdline" or "environ". An empty list for a process without. -EACCES, -EMSGSIZE beyond 8 MiB. */
int proc_words(const struct proc *p, const char *file, struct proc_words *ret);
void proc_words_done(struct proc_words *w);

/* The value of a variable; NULL without. Borrowed. */
const char *proc_variable(const struct proc_words *variables, const char *name);

/* When it was started, ns since 1970 by the clock of now; -ENODATA where the kernel does not say. */
int proc_started(const struct proc *p, int64_t *ret_wall_ns);

/* The same in ticks since the boot: with its pid this is no other process's. */
int proc_start_ticks(const struct proc *p, uint64_t *ret);

/* Whether a link in its folder ("ns/uts", "root") leads where our own does. */
bool proc_shares(const struct proc *p, const char *link);

/* Opens path as the process sees it: relative to its working folder or its root, which it does not leave. */
int proc_openat(const struct proc *p, const char *path, int flags, mode_t mode);

/* path (relative ones: in its working folder) as we can use it: the same where we see the same files, else through
 * /proc/PID/root. malloc'ed. -ENOMEM, -EACCES. */
int proc_path(const struct proc *p, const char *path, char **ret);

/* A line of /proc/PID/maps that names a file. */
struct proc_mapping {
    const char *path;  /* as the process sees it, or nearly: a root of its own below ours may stand before it */
    const char *range; /* "7f00-7f01", for proc_open_mapping */
    bool deleted;      /* the file has no name any more, or another one took it */
};

/* All of them, in order, until one of them is wanted: fn returns not 0, which is then returned. 0, -ESRCH, -EACCES. */
int proc_each_mapping(const struct proc *p, int (*fn)(void *ctx, const struct proc_mapping *m), void *ctx);

/* The path, as the process sees it, of a file mapped there whose own name is name ("libjvm.so"). malloc'ed. -ENOENT,
 * -EACCES. */
int proc_mapped(const struct proc *p, const char *name, char **ret);

/* The very file that is mapped there, even if it was deleted. Root's alone: -EPERM, -EACCES. flags: O_PATH is enough to
 * look at it. */
int proc_open_mapping(const struct proc *p, const char *range, int flags);

/* A descriptor that becomes readable when the process ends. -ESRCH; -ENOSYS before Linux 5.3. */
int proc_pidfd(const struct proc *p);

/* Of the mount that a descriptor of ours was opened on, as mountinfo counts them. -ENOENT without /proc. */
int proc_mount_id(int fd, uint64_t *ret);
