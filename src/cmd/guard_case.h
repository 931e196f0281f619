/* SPDX-License-Identifier: Apache-2.0
 *
 * One case of a guard (`salvage guard-case`), for the files that make its pieces.
 */
#pragma once

#include "cmd/guard.h"
#include "hotspot/jvm.h"
#include "ship/shipping.h"

/* A piece of evidence in memory. */
struct piece {
    char name[40];
    int fd; /* -1: it could not be made */
    struct pause pause;
};

struct guard_case {
    const struct guard_options *o;
    struct actions actions;
    struct proc proc;   /* fd -1: it has ended, and there is no other */
    int cgroup;         /* its folder; -1: not known */
    struct whoami last; /* who it was, borrowed; host NULL: not known */
    struct whoami its;  /* what the evidence is shipped as; owned */
    struct proc_status status;
    struct jvm jvm;
    bool is_jvm;
    bool given;        /* by --pid: that process, and no other */
    struct err no_jvm; /* why it is none */
    struct shipping shipping;
    struct shipping_case its_case; /* the guard knows it, too: for the record of a kill */
    struct piece piece[ACTION_MAX];
    const char *name, *why;
    const char *about; /* what the guard says of the case, JSON */
    int speed;         /* for dumpspeed_report; -1: nobody wants to know */
    int exit_code;
};

/* A piece that could not be taken or shipped: a line in the log, and the exit code of the case, if it is the first. */
void guard_case_missed(struct guard_case *c, const char *what, int r, const struct err *e);

/* Whether it is made into a file in memory; else it is shipped as it is made. */
bool guard_case_is_small(const struct action *a);

/* Those, one after the other, into c->piece; and signals. */
void guard_case_make_small(struct guard_case *c);
