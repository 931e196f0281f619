/* SPDX-License-Identifier: Apache-2.0
 *
 * An agent's side of `serve`'s requests (ship/capture_protocol.h): one connection, with deadlines and ceilings. Blocks.
 * A struct request_client belongs to one thread.
 */
#pragma once

#include "base/mem.h"
#include "ship/capture_protocol.h"

struct request_client;

/* Borrowed, and living as long as the client. */
struct request_client_config {
    const char *url;         /* of `serve`, without '/' at its end */
    const char *ca_file;     /* NULL: see net/cabundle.h */
    const char *credentials; /* a file, read again when it changes (store/http/http_auth.h); NULL: the environment's */
    const char *node;        /* our name */
};

/* -FAULT_CREDENTIALS, -ENOMEM … */
int request_client_new(const struct request_client_config *config, struct request_client **ret, struct err *e);
void request_client_free(struct request_client *c);
DEFINE_CLEANUP(struct request_client *, request_client_free)

/* What waits behind the number `after`, none after about 50 s, or at once if it does not wait. -FAULT_DENIED: the
 * server does not take us for an agent; -FAULT_UNREACHABLE, -FAULT_STALLED, -FAULT_TLS, -FAULT_BUSY with
 * e->retry_after_ms, -FAULT_FORMAT. */
int request_client_poll(struct request_client *c, uint64_t after, bool waits, struct capture_offers *ret,
                        struct err *e);

/* Tries again for 20 s. -ENOENT: the server knows no such request; -FAULT_EXISTS: another agent has it, or it is over;
 * else as above. */
int request_client_report(struct request_client *c, const char *id, const struct capture_report *report, struct err *e);
