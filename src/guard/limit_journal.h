/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Temporary changes of settings of memory cgroups, and the journal of them: which setting of which
 * cgroup, its old value, and the value that was written. The journal is written before the first change, and read by
 * the process that restores the settings: as a journal causes writes into the kernel, one that is not exactly right
 * is refused as a whole. JSON, schema "salvage.limit-override/1".
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

/* The settings that can be changed. */
enum limit_override_file {
    LIMIT_OVERRIDE_V1_BOTH,
    LIMIT_OVERRIDE_V1_LIMIT,
    LIMIT_OVERRIDE_V1_OOM,
    LIMIT_OVERRIDE_V2_MAX,
    LIMIT_OVERRIDE_V2_HIGH,
    LIMIT_OVERRIDE_FILES
};

struct limit_override_setting {
    char cgroup[LIMIT_OVERRIDE_PATH_MAX]; /* the cgroup's folder, absolute */
    uint64_t device, inode;               /* identify the folder: names are reused */
    enum limit_override_file file;
    char before[LIMIT_OVERRIDE_VALUE_MAX], after[LIMIT_OVERRIDE_VALUE_MAX];
    char step[LIMIT_OVERRIDE_VALUE_MAX]; /* "", or the value of an intermediate step of restoring */
    bool hold;                           /* restored at hold_until_ms at the latest */
};

struct limit_override {
    char boot[LIMIT_OVERRIDE_BOOT_MAX];   /* /proc/sys/kernel/random/boot_id */
    char target[LIMIT_OVERRIDE_NAME_MAX]; /* the guard's name for the target */
    uint64_t hold_until_ms;               /* by this boot's monotonic clock; 0: nothing is held */
    unsigned count;
    struct limit_override_setting
        setting[LIMIT_OVERRIDE_SETTINGS_MAX]; /* in the order of the changes; restored in reverse order */
};

const char *limit_override_file_name(enum limit_override_file file);

/* The content of a setting's file as it is compared and written: "max", or a number. Of v1's oom_control it is the
 * line oom_kill_disable. 0 or -EINVAL. */
int limit_override_value(enum limit_override_file file, const char *text, char ret[LIMIT_OVERRIDE_VALUE_MAX]);

/* 0; -EINVAL if decode would refuse it; -ENOMEM. */
int limit_override_encode(const struct limit_override *l, struct buf *ret);

/* 0, -EBADMSG, -ENOMEM; ret is untouched on failure. */
int limit_override_decode(const char *data, size_t size, struct limit_override *ret);

/* Bytes that the machine can spare, by the text of /proc/meminfo: MemAvailable less the larger of 5 % of all memory
 * and 128 MiB. 0, -EINVAL if it does not say (before Linux 3.14). */
int limit_override_spare(const char *meminfo, uint64_t *ret_bytes);
