/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Tokens of Microsoft's identity platform: {"access_token": "...", "expires_in": 3599}, or its refusal
 * {"error": "...", "error_description": "AADSTS..."} (Microsoft identity platform, "client credentials flow", RFC 6749,
 * 5.1 and 5.2). Managed identities write the seconds as text. What is kept of a token is wiped by azure_token_done.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { AZURE_TOKEN_MAX = 64 * 1024, AZURE_REASON_MAX = 256 };

struct azure_token {
    char *text;         /* owned; printable ASCII without blanks */
    uint64_t expires_s; /* from now; 0: not said */
};

/* 0; -EBADMSG: no such answer, -ENOMEM. */
int azure_token_parse(const char *json, size_t size, struct azure_token *ret);
void azure_token_done(struct azure_token *t);

/* A refusal's own words, on one line; "" if it has none. Returns reason. */
const char *azure_token_reason(const char *json, size_t size, char reason[AZURE_REASON_MAX]);

/* When a SAS ends, as its parameter `se` says; 0: not said, or no time. sas: without '?'. */
int64_t azure_sas_end(const char *sas);
