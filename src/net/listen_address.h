/* SPDX-License-Identifier: Apache-2.0
 *
 * Addresses to listen on, as numbers: "127.0.0.1:8080", "[::1]:8080", ":8080" (all addresses, IPv6 and IPv4). Names are
 * not resolved.
 */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

#include "base/err.h"

enum { LISTEN_ADDRESS_MAX = 64 };

/* A listening TCP socket; address[LISTEN_ADDRESS_MAX]: what it is bound to, with the port. -FAULT_USAGE, -errno. */
int listen_address_open(const char *text, char *address, struct err *e);

/* "10.0.0.1", "10.0.0.1:80", "[::1]:80" into out[LISTEN_ADDRESS_MAX]; IPv4 in IPv6 as IPv4. Returns out. */
const char *listen_address_format(const struct sockaddr *sa, bool with_port, char *out);
