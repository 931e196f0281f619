/* SPDX-License-Identifier: Apache-2.0
 *
 * One TLS connection, on our side: its handshake, its first bytes, and then a relay between it and one end of a socket
 * pair, whose other end is read and written as if it were the client's socket. Nothing blocks; what one side does not
 * take stays in the other (at most RELAY_BYTES of it here).
 */
#pragma once

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { RELAY_BYTES = 64 * 1024 };

struct tls_relay;

/* ssl is taken, also on failure. NULL: out of memory. */
struct tls_relay *tls_relay_new(SSL *ssl);
void tls_relay_free(struct tls_relay *r);

/* 1: done, 0: waits for the client, -1: refused or broken. */
int tls_relay_handshake(struct tls_relay *r);

/* After the handshake, before tls_relay_join. Bytes, 0 at the end, -EAGAIN, -EIO. */
ssize_t tls_relay_read(struct tls_relay *r, void *data, size_t size);

/* A short text, at once or not at all, before tls_relay_close. */
void tls_relay_write(struct tls_relay *r, const void *data, size_t size);

/* From now on the relay moves bytes between the client and fd, which it takes. given: bytes that were read from the
 * client and are in fd already. */
void tls_relay_join(struct tls_relay *r, int fd, size_t given);

enum tls_relay_result {
    RELAY_WAITS, /* for one of its descriptors: edge-triggered polling is enough */
    RELAY_MORE,  /* its turn is over, and there is more to move */
    RELAY_ENDED, /* the other end was closed, and the client has got all that came from it */
    RELAY_BROKEN
};

/* scratch[RELAY_BYTES] is shared by all relays of a thread. */
enum tls_relay_result tls_relay_move(struct tls_relay *r, char *scratch);

/* The other end sees the end of the connection, whatever is left to move. */
void tls_relay_break(struct tls_relay *r);

/* Ends TLS with the client in order. */
void tls_relay_close(struct tls_relay *r);

/* Bytes from the client that have been written into fd, and bytes from fd that have gone to the client. Of any thread.
 */
uint64_t tls_relay_given(const struct tls_relay *r);
uint64_t tls_relay_sent(const struct tls_relay *r);
