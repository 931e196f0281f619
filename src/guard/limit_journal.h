/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Settings of memory cgroups that are changed for a while, and the journal of them: which setting of
 * which cgroup, what it was, and what we made of it. Written before the first is changed, and read by whoever puts them
 * back: a journal may lead to writes into the kernel, so what is not exactly right is refused as a whole. JSON, schema
 * "salvage.limit-override/1".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum {
    LIMIT_OVERRIDE_SETTINGS_MAX = 32,
    LIMIT_OVERRIDE_PATH_MAX = 1024,
    LIMIT_OVERRIDE_VALUE_MAX = 24, /* "18446744073709551615" */
    LIMIT_OVERRIDE_BOOT_MAX = 40,
    LIMIT_OVERRIDE_NAME_MAX = 128,
    LIMIT_OVERRIDE_JOURNAL_MAX = 64 * 1024
};

/* The only settings there are. */
enum limit_override_file {
    LIMIT_OVERRIDE_V1_BOTH,
    LIMIT_OVERRIDE_V1_LIMIT,
    LIMIT_OVERRIDE_V1_OOM,
    LIMIT_OVERRIDE_V2_MAX,
    LIMIT_OVERRIDE_V2_HIGH,
    LIMIT_OVERRIDE_FILES
};

struct limit_override_setting {
    char cgroup[LIMIT_OVERRIDE_PATH_MAX]; /* its folder, absolute */
    uint64_t device, inode;               /* of the folder: a name is used again */
    enum limit_override_file file;
    char before[LIMIT_OVERRIDE_VALUE_MAX], after[LIMIT_OVERRIDE_VALUE_MAX];
    char step[LIMIT_OVERRIDE_VALUE_MAX]; /* "", or on the way back: where it may be, too */
    bool hold;                           /* until hold_until_ms at the latest */
};

struct limit_override {
    char boot[LIMIT_OVERRIDE_BOOT_MAX];   /* /proc/sys/kernel/random/boot_id */
    char target[LIMIT_OVERRIDE_NAME_MAX]; /* for people */
    uint64_t hold_until_ms;               /* of this boot's monotonic clock; 0: nothing is held */
    unsigned count;
    struct limit_override_setting
        setting[LIMIT_OVERRIDE_SETTINGS_MAX]; /* in the order in which they are changed; back the other way */
};

const char *limit_override_file_name(enum limit_override_file file);

/* What a setting's file says, as it is compared and written: "max", or a number. v1's oom_control has lines, of which
 * it is oom_kill_disable. 0 or -EINVAL. */
int limit_override_value(enum limit_override_file file, const char *text, char ret[LIMIT_OVERRIDE_VALUE_MAX]);

/* 0; -EINVAL for what could not be read again; -ENOMEM. */
int limit_override_encode(const struct limit_override *l, struct buf *ret);

/* 0, -EBADMSG, -ENOMEM; ret is untouched on failure. */
int limit_override_decode(const char *data, size_t size, struct limit_override *ret);

/* What the machine can spare, by the text of /proc/meminfo: MemAvailable but for the larger of 5 % of all and 128 MiB.
 * 0, -EINVAL if it does not say (before Linux 3.14). */
int limit_override_spare(const char *meminfo, uint64_t *ret_bytes);
