/* SPDX-License-Identifier: Apache-2.0
 *
 * An open state folder, shared by the spool*.c files.
 */
#pragma once

#include "ship/spool.h"

struct spool {
    int dirfd;   /* STATE */
    int spoolfd; /* STATE/spool */
    int lockfd;  /* -1: not locked by us */
    char *path;  /* for messages */
};
