/* SPDX-License-Identifier: Apache-2.0
 *
 * The options of access.
 */
#pragma once

#include "base/opt.h"
#include "serve/access.h"

/* As parsed; embedded in the command's options. */
struct access_options {
    const char *tokens, *cookie_key;
    uint64_t session_ms;
    bool new_token, anonymous_read;
};

/* clang-format off */
#define ACCESS_ROW(type, name, arg, fallback, o, field, help) {type, 0, name, arg, fallback, offsetof(o, field), help}

/* Rows for a command's table; `o`: the type of its options, `a`: the access_options in it. */
#define ACCESS_OPTIONS(o, a)                                                                                           \
    {OPT_HEADING, .name = "Access"},                                                                                   \
    ACCESS_ROW(OPT_STRING, "tokens", "FILE", NULL, o, a.tokens,                                                        \
               "a line for each token: name, token or sha256:HEX, list,read,write,delete,admin, namespaces; read again " \
               "when it changes"),                                                                                     \
    ACCESS_ROW(OPT_FLAG, "new-token", NULL, NULL, o, a.new_token,                                                      \
               "with --root: make another token for its administrator; the one of before is no longer valid"),         \
    ACCESS_ROW(OPT_FLAG, "anonymous-read", NULL, NULL, o, a.anonymous_read,                                            \
               "anybody who can connect may list and download"),                                                       \
    ACCESS_ROW(OPT_DURATION, "session", "DURATION", "12h", o, a.session_ms, "how long a browser stays signed in"),     \
    ACCESS_ROW(OPT_STRING, "cookie-key", "FILE", NULL, o, a.cookie_key,                                                \
               "32 random bytes or more: replicas that share it accept each other's sign-ins and signed links; default: " \
               "kept in the root, or made at each start")
/* clang-format on */

/* What was parsed, as access_new wants it; borrows the texts. root: of --root, NULL without. */
int access_options_read(const struct access_options *o, const char *root, struct access_config *ret, struct err *e);
