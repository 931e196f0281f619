/* SPDX-License-Identifier: Apache-2.0
 *
 * Protocol: a guard to the process that ships the record of one kill (`salvage guard-record`), as its command line:
 * this request, then the guard's own arguments. The record itself is a file in memory whose descriptor it inherits.
 * Both ends are in this header.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "place/identity.h"
#include "place/whoami.h"

enum { RECORD_REQUEST_ARGS = 15 /* "salvage", "guard-record" and the request */ };

/* All borrowed. */
struct record_request {
    int json;           /* descriptor of the record */
    int counters;       /* descriptor for counters_forward; -1: none */
    int notices;        /* descriptor of the folder for notices; -1: none */
    const char *target; /* the guard's name for it */
    const char *id;     /* the case of the evidence taken before; "": the record is a case by itself */
    int64_t time_ns;    /* of that case */
    uint64_t pid;       /* in the kernel log */
    struct whoami who;  /* its namespace, pod, pod_uid, container, image, host are used; host NULL: this machine */
};

struct record_request_argv {
    char *item[RECORD_REQUEST_ARGS]; /* into the request and the numbers below */
    char json[16], counters[16], notices[16], time[32], pid[32];
};

void record_request_encode(const struct record_request *r, struct record_request_argv *ret);

/* argv[0] is "guard-record". The request points into argv. The number of arguments that it took, argv[0] included;
 * -FAULT_USAGE. */
int record_request_decode(int argc, char **argv, struct record_request *ret, struct err *e);
