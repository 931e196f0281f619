/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the server listens, and the limits for its clients: the options, and what the HTTP server reports, as events.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/opt.h"
#include "net/http_server.h"

struct listening_options {
    const char *listen, *tls_cert, *tls_key;
    uint64_t connections, connections_of_one, client_ms, grace_ms;
};

#define LISTENING_OPTIONS(type, field)                                                                                 \
    {OPT_HEADING, .name = "Listening"},                                                                                \
        {OPT_STRING,                                                                                                   \
         0,                                                                                                            \
         "listen",                                                                                                     \
         "ADDRESS",                                                                                                    \
         "127.0.0.1:8080",                                                                                             \
         offsetof(type, field.listen),                                                                                 \
         "address and port: 127.0.0.1:8080, [::1]:8080, or :8080 for all addresses"},                                  \
        {OPT_STRING,                                                                                                   \
         0,                                                                                                            \
         "tls-cert",                                                                                                   \
         "FILE",                                                                                                       \
         NULL,                                                                                                         \
         offsetof(type, field.tls_cert),                                                                               \
         "PEM: certificate and its chain; read again when it changes"},                                                \
        {OPT_STRING, 0, "tls-key", "FILE", NULL, offsetof(type, field.tls_key), "PEM: its private key"},               \
        {OPT_UINT,                                                                                                     \
         0,                                                                                                            \
         "connections",                                                                                                \
         "N",                                                                                                          \
         "1000",                                                                                                       \
         offsetof(type, field.connections),                                                                            \
         "at most this many at once; more are answered with 503"},                                                     \
        {OPT_UINT,                                                                                                     \
         0,                                                                                                            \
         "connections-per-address",                                                                                    \
         "N",                                                                                                          \
         "200",                                                                                                        \
         offsetof(type, field.connections_of_one),                                                                     \
         "of those, from one address (IPv6: one /64); raise it behind a proxy"},                                       \
        {OPT_DURATION,                                                                                                 \
         0,                                                                                                            \
         "client-timeout",                                                                                             \
         "DURATION",                                                                                                   \
         "60s",                                                                                                        \
         offsetof(type, field.client_ms),                                                                              \
         "in this time a client must send a whole request head, and send or take 16 KiB of a body; else it is cut "    \
         "off"},                                                                                                       \
    {                                                                                                                  \
        OPT_DURATION, 0, "grace", "DURATION", "25s", offsetof(type, field.grace_ms),                                   \
            "after SIGTERM: for how long requests go on"                                                               \
    }

/* Fills what the options say, and the callbacks that write events. -FAULT_USAGE. */
int listening_http(const struct listening_options *o, struct http_server_options *ret, struct err *e);
