/* SPDX-License-Identifier: Apache-2.0
 *
 * Protocol: a guard to the process of one case (`salvage guard-case`), as its command line: this request, then the
 * guard's own arguments, from which the case makes the same plan. Both ends are in this header.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "place/identity.h"
#include "place/whoami.h"

enum { CASE_REQUEST_ARGS = 18 /* "salvage", "guard-case" and the request */ };

/* All borrowed. */
struct case_request {
    pid_t pid;          /* the process; 0: there was none */
    const char *target; /* the guard's name for it */
    const char *why;    /* the condition that holds */
    const char *id;     /* the case's, below IDENTITY_MAX */
    int64_t time_ns;    /* the case's */
    const char *about;  /* guard.json, what the guard saw and did */
    int speed;          /* descriptor for dumpspeed_report; -1: none */
    int cgroup;         /* descriptor of the cgroup's folder */
    int counters;       /* descriptor for counters_forward; -1: none */
    int bandwidth;      /* descriptor of what cases share of --bandwidth (net/bandwidth.h); -1: none */
    int notices;        /* descriptor of the folder for notices; -1: none */
    int slot;           /* descriptor that is closed when all evidence is taken (guard/case_shares.h); -1: none */
    const struct whoami *last; /* namespace, pod, container and host as they were seen last; host NULL: unknown */
};

struct case_request_argv {
    char *item[CASE_REQUEST_ARGS]; /* into the request and the numbers below */
    char pid[16], time[32], speed[16], cgroup[16], counters[16], bandwidth[16], notices[16], slot[16];
};

void case_request_encode(const struct case_request *r, struct case_request_argv *ret);

/* argv[0] is "guard-case". The request points into argv and at *ret_last. The number of arguments that it took, argv[0]
 * included; -FAULT_USAGE. */
int case_request_decode(int argc, char **argv, struct case_request *ret, struct whoami *ret_last, struct err *e);
