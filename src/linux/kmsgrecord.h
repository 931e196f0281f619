/* SPDX-License-Identifier: Apache-2.0
 *
 * One record of /dev/kmsg, "PRIORITY,SEQUENCE,MICROSECONDS,FLAGS[,MORE...];TEXT" followed by lines of " KEY=value"
 * (Linux Documentation/ABI/testing/dev-kmsg). The kernel writes bytes that are not printable ASCII as \xHH: so a
 * process's name cannot forge a record, nor a line of one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KMSGRECORD_MAX = 8192 }; /* bytes of one read(2) at most */

struct kmsgrecord {
    unsigned level;    /* 0 emergency to 7 debug */
    unsigned facility; /* 0: the kernel; user space can't write records with it */
    uint64_t sequence;
    uint64_t usec;  /* by the scheduler's clock, from about the boot */
    bool continued; /* continues an earlier record, because other CPUs wrote in between */
    size_t size;
    char text[KMSGRECORD_MAX]; /* unescaped, ends with NUL; a NUL in it is written as '?' */
};

/* 0, or -EBADMSG; ret is then untouched but for its text. data need not end with NUL; at most KMSGRECORD_MAX bytes. */
int kmsgrecord_parse(const char *data, size_t size, struct kmsgrecord *ret);
