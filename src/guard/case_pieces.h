/* SPDX-License-Identifier: Apache-2.0
 *
 * The small pieces of a case, each made into a file in memory: what the kernel, a JVM, a server or a command says.
 * Part of guard/case_run.h.
 */
#pragma once

#include "guard/case_run.h"
#include "hotspot/jvm.h"
#include "ship/shipping.h"

/* A piece of evidence in memory. */
struct piece {
    char name[40];
    int fd; /* -1: it could not be made */
    struct pause pause;
};

struct guard_case {
    const struct case_config *config;
    struct proc proc;  /* fd -1: it has ended, and there is no other */
    struct whoami its; /* what the evidence is shipped as; owned */
    struct proc_status status;
    struct jvm jvm;
    bool is_jvm;
    struct err no_jvm; /* why it is none */
    struct shipping shipping;
    struct shipping_case its_case; /* the guard knows it, too: for the record of a kill */
    struct piece piece[ACTION_MAX];
    int exit_code;
};

/* A piece that could not be taken or shipped: a line in the log, and the exit code of the case, if it is the first. */
void case_report_missed(struct guard_case *c, const char *what, int r, const struct err *e);

/* Whether it is made into a file in memory; else it is shipped as it is made. */
bool case_is_small(const struct action *a);

/* Those, one after the other, into c->piece; and signals. */
void case_pieces_make(struct guard_case *c);
