/* SPDX-License-Identifier: Apache-2.0
 *
 * --bandwidth: how many bytes a second are uploaded, by all processes together that share a file. Each piece of a body
 * waits for its turn (net/bandwidth_share.h). Several limits may hold at the same time: a destination's, and the
 * machine's.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/bandwidth_share.h"

/* Below this a store would take a connection for a dead one. */
#define BANDWIDTH_LEAST (64 * 1024ull)

enum { BANDWIDTH_LIMITS_MAX = 4 };

struct bandwidth;

/* "20M" (bytes a second, K, M, G are powers of 1024), "20M/s", "100Mbit" (powers of 1000, as lines are sold); "none":
 * 0. -FAULT_USAGE. */
int bandwidth_parse(const char *text, uint64_t *ret_rate, struct err *e);

/* texts: "RATE" or "RATE@FILE" each, count of them. *ret NULL: none of them limits. -FAULT_USAGE, -ENOMEM. Opens
 * nothing.
 */
int bandwidth_new(const char *const *texts, unsigned count, struct bandwidth **ret, struct err *e);
void bandwidth_free(struct bandwidth *b);

/* The file of a limit that was given without one: FOLDER/bandwidth, or a descriptor of it (borrowed until
 * bandwidth_open). Without either, such a limit is this process's alone. b may be NULL. Before bandwidth_open. */
int bandwidth_set_folder(struct bandwidth *b, const char *folder);
void bandwidth_set_fd(struct bandwidth *b, int fd);
/* A new file in memory for it; a descriptor, or -errno. */
int bandwidth_make_fd(void);

/* Opens the files. On failure this process has a limit of its own, as large: -errno, and e says so. Once; b may be
 * NULL.
 */
int bandwidth_open(struct bandwidth *b, struct err *e);

/* The tenant of what is sent from now on, by all threads of this process. b may be NULL. */
void bandwidth_set_tenant(struct bandwidth *b, uint64_t tenant);

/* Bytes to send at once; SIZE_MAX without a limit. */
size_t bandwidth_piece_of(const struct bandwidth *b);

/* Connections to have at the same time. Rates that are slow have few connections at a time:
 * each gets on quickly then, and no store takes it for dead. */
unsigned bandwidth_connections(const struct bandwidth *b, unsigned most);
/* Bytes a second, of the lowest limit; 0: none. */
uint64_t bandwidth_rate(const struct bandwidth *b);

/* A sender's place in the queues; of one thread. All zero at first. */
struct bandwidth_sender {
    struct bandwidth_transfer at[BANDWIDTH_LIMITS_MAX];
    uint64_t paid[BANDWIDTH_LIMITS_MAX]; /* bytes, at most a piece; not sent yet */
};

/* Waits until so many bytes may be sent. b NULL: at once. */
void bandwidth_wait(struct bandwidth *b, struct bandwidth_sender *s, size_t size);
void bandwidth_sender_done(struct bandwidth *b, struct bandwidth_sender *s);
