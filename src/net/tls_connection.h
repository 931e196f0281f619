/* SPDX-License-Identifier: Apache-2.0
 *
 * One TLS connection, on our side: its handshake, and then bytes both ways. Nothing blocks. One thread at a time.
 */
#pragma once

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct tls_connection;

/* ssl is taken, also on failure. NULL: out of memory. */
struct tls_connection *tls_connection_new(SSL *ssl);
void tls_connection_free(struct tls_connection *t);

/* 1: done, 0: waits for the client, -1: refused or broken. */
int tls_connection_handshake(struct tls_connection *t);

/* Bytes, 0 at the end, -EAGAIN, -EIO. More may have come than were read. */
ssize_t tls_connection_read(struct tls_connection *t, void *data, size_t size);

/* Whether a read may find something, though nothing is left in the socket. */
bool tls_connection_has_read(const struct tls_connection *t);

/* Bytes that the socket has taken, -EAGAIN, -EPIPE. After -EAGAIN at least the same bytes have to be written next. */
ssize_t tls_connection_write(struct tls_connection *t, const void *data, size_t size);

/* The same for a file, from *offset on, which is moved. -EIO: the file has ended, or could not be read. */
ssize_t tls_connection_send_file(struct tls_connection *t, int file, off_t *offset, size_t size);

/* Tells the client that nothing follows. */
void tls_connection_close(struct tls_connection *t);

/* Bytes that were written. */
uint64_t tls_connection_written(const struct tls_connection *t);
