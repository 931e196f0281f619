/* SPDX-License-Identifier: Apache-2.0
 *
 * Callers whom a proxy has signed in, by its headers X-Forwarded-User, -Email and -Groups. Whether the proxy is trusted
 * is decided before.
 */
#pragma once

#include "net/http_server.h"
#include "serve/claims.h"

/* 1: "proxy:USER (EMAIL)" with the grants of its groups; 0: the proxy names nobody; -EBADMSG: one of
 * the headers came twice; -ENOMEM. */
int proxied_caller_get(const struct exchange *x, const struct claim_rules *rules, struct caller *ret);
