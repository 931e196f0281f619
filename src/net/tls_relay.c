/* SPDX-License-Identifier: Apache-2.0
 *
 * Two directions in turns, a few records each.
 */
#include "net/tls_relay.h"

#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

enum {
    ROUNDS = 8, /* of one turn */
    RECORD = 16 * 1024,
    SMALL_RECORD = 2 * 1024,
    LITTLE = 4 * 1024,            /* of a record: OpenSSL has the rest in its buffer anyway */
    PACE_BYTES = 4 * 1024 * 1024, /* more than a socket's buffer */
    PACE_MS = 4000,               /* a client that takes them in less gets large records */
};

/* What was read from the client and not taken by fd. */
struct held {
    char *data;
    size_t at, size;
};

struct tls_relay {
    SSL *ssl;
    int fd;
    struct held up; /* to fd */
    bool up_ended, down_ended;
    bool up_waits;          /* fd did not take all: a little at a time is read from the client */
    size_t paced;           /* sent to the client since */
    uint64_t pace_since_ms; /* this time */
    _Atomic uint64_t given, sent;
};

enum step { MOVED, STUCK, FAILED };

/* The second is lowered with the first, but not raised. */
static void set_record_size(SSL *ssl, long size)
{
    SSL_set_max_send_fragment(ssl, size);
    SSL_set_split_send_fragment(ssl, size);
}

struct tls_relay *tls_relay_new(SSL *ssl)
{
    struct tls_relay *r = ssl ? calloc(1, sizeof(*r)) : NULL;

    if (!r) {
        SSL_free(ssl);
        return NULL;
    }
    r->ssl = ssl;
    r->fd = -1;
    set_record_size(ssl, SMALL_RECORD);
    r->pace_since_ms = clock_mono_ms();
    return r;
}

void tls_relay_free(struct tls_relay *r)
{
    if (!r)
        return;
    SSL_free(r->ssl);
    if (r->fd >= 0)
        close(r->fd);
    free(r->up.data);
    free(r);
}

static bool must_wait(const SSL *ssl, int result)
{
    int error = SSL_get_error(ssl, result);

    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

int tls_relay_handshake(struct tls_relay *r)
{
    int n;

    ERR_clear_error();
    n = SSL_do_handshake(r->ssl);
    if (n == 1)
        return 1;
    return must_wait(r->ssl, n) ? 0 : -1;
}

ssize_t tls_relay_read(struct tls_relay *r, void *data, size_t size)
{
    size_t done;
    int n;

    ERR_clear_error();
    n = SSL_read_ex(r->ssl, data, size, &done);
    if (n == 1)
        return (ssize_t)done;
    if (must_wait(r->ssl, n))
        return -EAGAIN;
    return SSL_get_error(r->ssl, n) == SSL_ERROR_ZERO_RETURN ? 0 : -EIO;
}

void tls_relay_write(struct tls_relay *r, const void *data, size_t size)
{
    size_t done;

    ERR_clear_error();
    SSL_write_ex(r->ssl, data, size, &done);
}

void tls_relay_join(struct tls_relay *r, int fd, size_t given)
{
    assert(r->fd < 0 && fd >= 0);
    r->fd = fd;
    atomic_store(&r->given, given);
}

/* 1: all of it was taken, 0: not yet, -1: out of memory. */
static int hold(struct held *h, const char *data, size_t size)
{
    if (size == 0)
        return 1;
    if (!(h->data = malloc(size)))
        return -1;
    memcpy(h->data, data, size);
    h->at = 0;
    h->size = size;
    return 0;
}

static void taken(struct held *h, size_t size)
{
    h->at += size;
    if (h->at < h->size)
        return;
    free(h->data);
    *h = (struct held){0};
}

static ssize_t give(struct tls_relay *r, const char *data, size_t size)
{
    ssize_t n = send(r->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n > 0)
        atomic_fetch_add(&r->given, (uint64_t)n);
    return n >= 0 ? n : errno == EAGAIN ? 0 : -1;
}

static enum step up(struct tls_relay *r, char *scratch)
{
    size_t have = 0, most = r->up_waits ? LITTLE : RELAY_BYTES;
    ssize_t n = 0;

    if (r->up_ended)
        return STUCK;
    if (r->up.size) {
        if ((n = give(r, r->up.data + r->up.at, r->up.size - r->up.at)) < 0)
            r->up_ended = true; /* the other end reads no more: what it answers still goes to the client */
        else
            taken(&r->up, (size_t)n);
        return n > 0 ? MOVED : STUCK;
    }
    while (have < most && (n = tls_relay_read(r, scratch + have, most - have)) > 0)
        have += (size_t)n;
    if (have > 0) {
        ssize_t given = give(r, scratch, have);

        r->up_waits = given < (ssize_t)have;
        if (given < 0)
            r->up_ended = true;
        else if (hold(&r->up, scratch + given, have - (size_t)given) < 0)
            return FAILED;
    }
    if (n == -EIO)
        return FAILED;
    if (n == 0 && r->up.size == 0) {
        r->up_ended = true;
        shutdown(r->fd, SHUT_WR);
    }
    return have > 0 ? MOVED : STUCK;
}

/* A record that the client does not take as a whole stays in memory: those of slow clients are small. */
static void note_sent(struct tls_relay *r, size_t size)
{
    uint64_t now;

    atomic_fetch_add(&r->sent, size);
    if ((r->paced += size) < PACE_BYTES)
        return;
    now = clock_mono_ms();
    set_record_size(r->ssl, now - r->pace_since_ms < PACE_MS ? RECORD : SMALL_RECORD);
    r->pace_since_ms = now;
    r->paced = 0;
}

/* Bytes, 0: the client takes none now, -1: broken. */
static ssize_t to_client(struct tls_relay *r, const char *data, size_t size)
{
    size_t done;
    int n;

    ERR_clear_error();
    n = SSL_write_ex(r->ssl, data, size, &done);
    if (n != 1)
        return must_wait(r->ssl, n) ? 0 : -1;
    note_sent(r, done);
    return (ssize_t)done;
}

/* What the client does not take stays in the socket: a slow reader costs no buffer here. OpenSSL wants the same bytes
 * again when it goes on with a record, and gets them, as only what it has taken is read. */
static enum step down(struct tls_relay *r, char *scratch)
{
    ssize_t n, sent = 0;
    size_t all = 0;

    if (r->down_ended)
        return STUCK;
    n = recv(r->fd, scratch, RELAY_BYTES, MSG_PEEK | MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return STUCK;
    if (n <= 0) { /* closed; ECONNRESET: and not all was read */
        r->down_ended = true;
        return STUCK;
    }
    do
        if ((sent = to_client(r, scratch + all, (size_t)n - all < RECORD ? (size_t)n - all : RECORD)) > 0)
            all += (size_t)sent;
    while (sent > 0 && all < (size_t)n);
    if (sent < 0 || (all > 0 && recv(r->fd, scratch, all, MSG_DONTWAIT) != (ssize_t)all))
        return FAILED;
    return sent > 0 ? MOVED : STUCK;
}

enum tls_relay_result tls_relay_move(struct tls_relay *r, char *scratch)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        enum step upwards = up(r, scratch), downwards = upwards == FAILED ? FAILED : down(r, scratch);

        if (upwards == FAILED || downwards == FAILED)
            return RELAY_BROKEN;
        if (r->down_ended)
            return RELAY_ENDED;
        if (upwards == STUCK && downwards == STUCK)
            return RELAY_WAITS;
    }
    return RELAY_MORE;
}

void tls_relay_break(struct tls_relay *r)
{
    if (r->fd >= 0)
        shutdown(r->fd, SHUT_RDWR);
}

void tls_relay_close(struct tls_relay *r)
{
    ERR_clear_error();
    SSL_shutdown(r->ssl);
}

uint64_t tls_relay_given(const struct tls_relay *r)
{
    return atomic_load(&r->given);
}

uint64_t tls_relay_sent(const struct tls_relay *r)
{
    return atomic_load(&r->sent);
}
