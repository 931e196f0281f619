/* SPDX-License-Identifier: Apache-2.0
 *
 * The small pieces of a case, each made into a file in memory: the kernel's numbers, a JVM's answer, an HTTP answer,
 * the output of a command. Part of guard/case_run.h.
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

/* A case while its evidence is taken. */
struct case_run {
    const struct case_config *config;
    struct proc proc;    /* not open: the process has ended, and there is no other to take evidence of */
    struct whoami owner; /* the pod or host that the evidence belongs to; owned */
    struct proc_status status;
    struct jvm jvm;
    bool is_jvm;
    struct err no_jvm; /* why the process is no JVM */
    struct shipping shipping;
    struct shipping_case store_case; /* of all pieces; the guard knows its id, too, for the record of a kill */
    struct piece piece[ACTION_MAX];
    int slot; /* of guard/case_shares.h; -1: none, or all is taken */
    int exit_code;
};

/* Logs a piece that could not be taken or shipped; the first of them decides the exit code. */
void case_report_missed(struct case_run *c, const char *what, int r, const struct err *e);

/* Whether the piece is made into a file in memory; a large one is shipped while it is made. */
bool case_is_small(const struct action *a);

/* Makes the small pieces, one after the other, into c->piece; and sends signals. */
void case_pieces_make(struct case_run *c);
