/* SPDX-License-Identifier: Apache-2.0
 *
 * The protocol between a watch and the processes that it starts: `salvage worker` with the watch's own options, and the
 * store check. One message is one packet on a SOCK_SEQPACKET pair; descriptors are sent along. Both ends are the same
 * program, but the worker reads foreign bytes: the loop trusts none of its messages.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define WORKER_COMMAND "worker"
enum { WORKER_CHANNEL = 3 }; /* descriptor of the process's end */

enum wire_type {
    WIRE_JOB = 1,    /* to the worker. text: claim (JSON); a: follow; b: memory for it, bytes; fds: evidence, claim
                        folder (may be missing) */
    WIRE_COMPLETE,   /* to the worker: the followed file is complete */
    WIRE_SWEEP,      /* to the worker: abort abandoned uploads */
    WIRE_SWEPT,      /* a: number of uploads that were aborted */
    WIRE_PROGRESS,   /* a: file bytes confirmed */
    WIRE_RESUMED,    /* a: stored bytes found in the store */
    WIRE_STATE_LOST, /* text: why the journal can't be written */
    WIRE_WAITING,    /* text: the error; a: ms until the next try */
    WIRE_UNVERIFIED, /* text: why the object can't be read back */
    WIRE_UNANALYSED, /* text: why the evidence is stored without its analysis */
    WIRE_UNDIGESTED, /* text: why the evidence is shipped without its digest */
    WIRE_SHIPPED,    /* text: manifest (JSON); a: it was stored already; b: mtime of the file that was read, ns */
    WIRE_FAILED,     /* code; text: the error; a: Retry-After in ms */
    WIRE_FACTS,   /* both ways. text: facts of our surroundings (JSON), which the store check or a worker has found */
    WIRE_CHECKED, /* from ship/storecheck.h: the store would take evidence; the check is finished */
    WIRE_NOTICES, /* to the notifier: fds: a folder of notices (notify/queue.h) in which some may wait */
    WIRE_TYPE_END
};

enum { WIRE_TEXT_MAX = 64 * 1024, WIRE_FDS = 2 };

struct wire {
    enum wire_type type;
    int code;
    uint64_t a, b;
    int fd[WIRE_FDS]; /* -1: none. Received ones are owned by the struct */
    char *text;       /* received: owned, NUL-terminated, never NULL. Sent: borrowed, may be NULL */
};

int wire_pair(int ret[2]); /* ours (non-blocking), the worker's; -errno */

/* -errno; -EAGAIN if the other end does not read. Text beyond WIRE_TEXT_MAX is -EMSGSIZE. */
int wire_send(int fd, const struct wire *w);

/* 1 and a message, 0 at the end (the other side is gone), -EAGAIN if there is none now, -EBADMSG, -errno. */
int wire_receive(int fd, struct wire *ret);
void wire_done(struct wire *w);
