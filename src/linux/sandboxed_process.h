/* SPDX-License-Identifier: Apache-2.0
 *
 * Protocol: a process that has something to lose, to the one that parses foreign bytes for it: salvage again, executed
 * anew with an empty environment (a fork would inherit credentials in memory), as a hidden command with descriptors and
 * nothing else. The child answers in messages on a SOCK_SEQPACKET pair. Both ends are in this header. The child is
 * killed when the thread that started it ends; a crash of it costs its answer and nothing else.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "linux/sandbox.h"

enum {
    SANDBOXED_ANSWER = 3, /* the child's descriptors: of its answer, */
    SANDBOXED_FIRST,      /* and the first of those that it was given */
    SANDBOXED_FDS_MAX = 16,
    SANDBOXED_ANSWER_MAX = 64 * 1024 * 1024,
    SANDBOXED_PATH_MAX = 4096
};

/* All borrowed. */
struct sandboxed_task {
    char *const *argv; /* "salvage", the hidden command, its arguments, NULL */
    const int *fds;    /* become SANDBOXED_FIRST, SANDBOXED_FIRST + 1, … */
    unsigned fd_count;
    uint64_t deadline_ms; /* from the start; 0: none */
    int nice;             /* added to ours */
    /* While sandboxed_collect waits; each may be NULL. */
    bool (*stop)(void *ctx); /* true: the child is killed, -ECANCELED */
    void (*progress)(void *ctx, uint64_t done, uint64_t total);
    /* The child asks for a file: a descriptor, or -errno. The path is foreign text. NULL: there is none. */
    int (*file)(void *ctx, const char *path);
    void *ctx;
};

struct sandboxed_process {
    pid_t pid;  /* 0: none */
    int answer; /* -1: none; readable when there is something for sandboxed_collect */
    uint64_t until_ms;
    unsigned missing; /* SANDBOX_NO_… as the child has reported it */
};

#define SANDBOXED_NONE                                                                                                 \
    (struct sandboxed_process)                                                                                         \
    {                                                                                                                  \
        .answer = -1                                                                                                   \
    }

/* The parent's end. */

/* 0, or -FAULT_NO_PROCESS. */
int sandboxed_start(const struct sandboxed_task *t, struct sandboxed_process *ret, struct err *e);

/* Waits for the child's end, and appends its answer to ret, up to ret's ceiling (at most SANDBOXED_ANSWER_MAX). 0; the
 * child's own failure, its text with control characters replaced; -FAULT_FORMAT: it died, of what stands in e, or
 * answered too much; -ETIMEDOUT; -ECANCELED. Reaps the child in any case. */
int sandboxed_collect(struct sandboxed_process *p, const struct sandboxed_task *t, struct buf *ret, struct err *e);

/* Kills and reaps the child, if there is one. */
void sandboxed_end(struct sandboxed_process *p);

/* The child's end: each call is for the hidden command's function alone. */

/* Enters the sandbox with the answer and fd_count descriptors, and reports what is missing. limits->fd_most is set
 * here. Before the first foreign byte. -FAULT_USAGE: a user has started the command. */
int sandboxed_enter(const struct sandbox *limits, unsigned fd_count, struct err *e);

void sandboxed_progress(uint64_t done, uint64_t total); /* on any thread */
/* A file that the parent opens for us, for reading: a descriptor, or -errno. Before there are threads. */
int sandboxed_file(const char *path);
/* A piece of the answer. 0 or -errno. */
int sandboxed_write(const void *data, size_t size);

/* The answer is whole, or r < 0 and e say why there is none. Ends the process. */
_Noreturn void sandboxed_exit(int r, const struct err *e);
