/* SPDX-License-Identifier: Apache-2.0
 *
 * Our side of TLS (OpenSSL): certificate and key from PEM files, which are read again when they change.
 */
#pragma once

#include <openssl/types.h>

#include "base/err.h"
#include "base/mem.h"

struct tls_server;

/* cert: the certificate and its chain; key: its private key, not encrypted. -FAULT_USAGE with a message: one of them
 * cannot be read or used, or they do not belong together. The paths are borrowed. */
int tls_server_new(const char *cert, const char *key, struct tls_server **ret, struct err *e);
void tls_server_free(struct tls_server *t);

DEFINE_CLEANUP(struct tls_server *, tls_server_free)

/* Reads the files again if they have changed: new connections get the new certificate. 1: done, 0: nothing has changed,
 * -FAULT_USAGE: the new files are of no use, and the certificate of before stays. For each change one result that is
 * not 0. Not for two threads at once. */
int tls_server_refresh(struct tls_server *t, struct err *e);

/* A connection over fd, which stays the caller's; not yet shaken hands. NULL: out of memory. */
SSL *tls_server_connection(struct tls_server *t, int fd);
