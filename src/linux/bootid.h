/* SPDX-License-Identifier: Apache-2.0
 *
 * The id of the machine's current boot (random(4), /proc/sys/kernel/random/boot_id): distinguishes state of this boot
 * from what an earlier one left behind.
 */
#pragma once

enum { BOOTID_MAX = 37 }; /* 32 hex digits, four '-' and NUL */

/* 0; -errno, ret is then untouched. */
int bootid_read(char ret[BOOTID_MAX]);
