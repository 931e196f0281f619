/* SPDX-License-Identifier: Apache-2.0
 *
 * The agents of nodes that ask for requests (serve/captures.h): when each has asked last, and up to which request it
 * has seen all. Not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ship/capture_protocol.h"

enum { CAPTURE_AGENTS_MAX = 10000, CAPTURE_AGENT_MS = 75 * 1000 /* an agent asks at least once in this time */ };

struct capture_agent_row {
    char node[CAPTURE_NAME_MAX];
    uint64_t after, seen_ms;
};

struct capture_agents {
    struct capture_agent_row *item;
    size_t count, capacity;
};

void capture_agents_done(struct capture_agents *a);

/* An agent asks. -ENOMEM; -EMSGSIZE or the like: too many. */
int capture_agents_note(struct capture_agents *a, const char *node, uint64_t after, uint64_t now_ms);

/* Of those that have asked not long ago: how many, and whether all of them have seen the request of this number. */
unsigned capture_agents_count(const struct capture_agents *a, uint64_t now_ms);
bool capture_agents_have_seen(const struct capture_agents *a, uint64_t number, uint64_t now_ms);
