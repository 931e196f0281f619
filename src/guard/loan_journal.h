/* SPDX-License-Identifier: Apache-2.0
 *
 * Settings of memory cgroups that are changed for a while, and the journal of them: which setting of which cgroup, what
 * it was, and what we made of it. Written before the first is changed, and read by whoever puts them back: a journal
 * may lead to writes into the kernel, so what is not exactly right is refused as a whole. JSON, schema
 * "salvage.loan/1".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum {
    LOAN_SETTINGS_MAX = 32,
    LOAN_PATH_MAX = 1024,
    LOAN_VALUE_MAX = 24, /* "18446744073709551615" */
    LOAN_BOOT_MAX = 40,
    LOAN_NAME_MAX = 128,
    LOAN_JOURNAL_MAX = 64 * 1024
};

/* The only settings there are. */
enum loan_file { LOAN_V1_BOTH, LOAN_V1_LIMIT, LOAN_V1_OOM, LOAN_V2_MAX, LOAN_V2_HIGH, LOAN_FILES };

struct loan_setting {
    char cgroup[LOAN_PATH_MAX]; /* its folder, absolute */
    uint64_t device, inode;     /* of the folder: a name is used again */
    enum loan_file file;
    char before[LOAN_VALUE_MAX], after[LOAN_VALUE_MAX];
    char step[LOAN_VALUE_MAX]; /* "", or on the way back: where it may be, too */
    bool hold;                 /* until hold_until_ms at the latest */
};

struct loan {
    char boot[LOAN_BOOT_MAX];   /* /proc/sys/kernel/random/boot_id */
    char target[LOAN_NAME_MAX]; /* for people */
    uint64_t hold_until_ms;     /* of this boot's monotonic clock; 0: nothing is held */
    unsigned count;
    struct loan_setting setting[LOAN_SETTINGS_MAX]; /* in the order in which they are changed; back the other way */
};

const char *loan_file_name(enum loan_file file);

/* What a setting's file says, as it is compared and written: "max", or a number. v1's oom_control has lines, of which
 * it is oom_kill_disable. 0 or -EINVAL. */
int loan_value(enum loan_file file, const char *text, char ret[LOAN_VALUE_MAX]);

/* 0; -EINVAL for what could not be read again; -ENOMEM. */
int loan_encode(const struct loan *l, struct buf *ret);

/* 0, -EBADMSG, -ENOMEM; ret is untouched on failure. */
int loan_decode(const char *data, size_t size, struct loan *ret);

/* What the machine can spare, by the text of /proc/meminfo: MemAvailable but for the larger of 5 % of all and 128 MiB.
 * 0, -EINVAL if it does not say (before Linux 3.14). */
int loan_spare(const char *meminfo, uint64_t *ret_bytes);
