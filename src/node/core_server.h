/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel's cores by a socket instead of a program for each (Linux 6.16 and newer; with requests from 6.17): one
 * loop that accepts and never blocks, and a process of its own for each core. While it runs core_pattern names its
 * socket; when it ends, also by kill -9, the pattern of the installed handler is put back, by a process that waits for
 * that.
 */
#pragma once

#include "node/core_choice.h"
#include "node/core_config.h"

struct core_server {
    const char *proc; /* "/proc" but in tests */
    const char *dir;  /* absolute; node/core_home.h */
    int home;         /* its descriptor; borrowed */
    const struct core_config *config;
    const struct core_choice *choices;
    size_t choice_count;
};

/* Runs until SIGTERM, SIGINT or SIGHUP. 0; -EOPNOTSUPP: this kernel has no such sockets. */
int core_server_run(const struct core_server *s, struct err *e);

/* Whether the pattern names the socket in dir. */
bool core_server_pattern_is(const char *pattern, const char *dir);
