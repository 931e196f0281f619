/* SPDX-License-Identifier: Apache-2.0
 *
 * Records by OpenSSL; by the kernel, where that has TLS.
 */
#include "net/tls_connection.h"

#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/send_buffers.h"

enum {
    RECORD = 16 * 1024,
    SMALL_RECORD = 2 * 1024,
    LONG_READ = 4 * 1024,         /* after as much from a record another one is likely */
    PACE_BYTES = 4 * 1024 * 1024, /* more than a socket's buffer */
    PACE_MS = 4000,               /* a client that takes them in less gets large records */
};

struct tls_connection {
    SSL *ssl;
    bool reads_nothing; /* the last read found no whole record */
    bool broken;
    bool in_kernel;         /* what is written to the socket is encrypted there */
    bool is_slow;           /* gets small records */
    size_t paced;           /* sent to the client since */
    uint64_t pace_since_ms; /* this time */
    uint64_t written;
};

struct tls_connection *tls_connection_new(SSL *ssl)
{
    struct tls_connection *t = ssl ? calloc(1, sizeof(*t)) : NULL;

    if (!t) {
        SSL_free(ssl);
        return NULL;
    }
    t->ssl = ssl;
    return t;
}

void tls_connection_free(struct tls_connection *t)
{
    if (!t)
        return;
    SSL_free(t->ssl);
    free(t);
}

/* 0: it has to wait. */
static int fault(struct tls_connection *t, int result)
{
    int error = SSL_get_error(t->ssl, result);

    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        return 0;
    t->broken = error != SSL_ERROR_ZERO_RETURN;
    return error;
}

/* A record that the client does not take as a whole stays in memory: those of slow clients are small. */
static void set_pace(struct tls_connection *t, bool slow, uint64_t now_ms)
{
    long size = slow ? SMALL_RECORD : RECORD;

    t->is_slow = slow;
    t->paced = 0;
    t->pace_since_ms = now_ms;
    SSL_set_max_send_fragment(t->ssl, size);   /* the size of its buffer */
    SSL_set_split_send_fragment(t->ssl, size); /* lowered with the first, but not raised */
}

int tls_connection_handshake(struct tls_connection *t)
{
    int n;

    ERR_clear_error();
    n = SSL_do_handshake(t->ssl);
    if (n != 1)
        return fault(t, n) ? -1 : 0;
    t->in_kernel = BIO_get_ktls_send(SSL_get_wbio(t->ssl));
    if (!t->in_kernel)
        set_pace(t, true, clock_mono_ms());
    return 1;
}

ssize_t tls_connection_read(struct tls_connection *t, void *data, size_t size)
{
    size_t all = 0, done;
    int n = 1, error;

    ERR_clear_error();
    while (all < size && (n = SSL_read_ex(t->ssl, (char *)data + all, size - all, &done)) == 1) {
        all += done;
        if (done < LONG_READ && !SSL_has_pending(t->ssl))
            break;
    }
    t->reads_nothing = n != 1;
    error = n == 1 ? 0 : fault(t, n);
    if (all > 0) /* the next read finds an end again */
        return (ssize_t)all;
    return error == 0 ? -EAGAIN : error == SSL_ERROR_ZERO_RETURN ? 0 : -EIO;
}

bool tls_connection_has_read(const struct tls_connection *t)
{
    return !t->reads_nothing && SSL_has_pending(t->ssl);
}

static void note_written(struct tls_connection *t, size_t size)
{
    uint64_t now;

    t->written += size;
    if (t->in_kernel || (t->paced += size) < PACE_BYTES)
        return;
    now = clock_mono_ms();
    set_pace(t, now - t->pace_since_ms >= PACE_MS, now);
}

/* A record in each call: OpenSSL keeps its buffer else, and that of small records is not large enough for others. */
ssize_t tls_connection_write(struct tls_connection *t, const void *data, size_t size)
{
    size_t all = 0, done;
    int n = 1;

    ERR_clear_error();
    while (all < size) {
        size_t most = t->is_slow ? SMALL_RECORD : RECORD;

        if ((n = SSL_write_ex(t->ssl, (const char *)data + all, size - all < most ? size - all : most, &done)) != 1)
            break;
        all += done;
        note_written(t, done);
    }
    n = n == 1 ? 0 : fault(t, n) ? -EPIPE : -EAGAIN;
    return all > 0 ? (ssize_t)all : n;
}

static ssize_t send_by_kernel(struct tls_connection *t, int file, off_t *offset, size_t size)
{
    ssize_t n = sendfile(SSL_get_wfd(t->ssl), file, offset, size);

    if (n < 0)
        return -errno;
    note_written(t, (size_t)n);
    return n > 0 ? n : -EIO; /* cut meanwhile */
}

ssize_t tls_connection_send_file(struct tls_connection *t, int file, off_t *offset, size_t size)
{
    size_t all = 0;
    ssize_t n = 0;
    char *buffer;

    assert(size > 0);
    if (t->in_kernel)
        return send_by_kernel(t, file, offset, size);
    if (!(buffer = send_buffer_borrow()))
        return -ENOMEM;
    while (all < size) {
        size_t most = t->is_slow ? RECORD : SEND_BUFFER_BYTES;
        ssize_t have = pread(file, buffer, size - all < most ? size - all : most, *offset);

        if (have <= 0) {
            n = have < 0 ? -errno : -EIO;
            break;
        }
        if ((n = tls_connection_write(t, buffer, (size_t)have)) < 0)
            break;
        *offset += n;
        all += (size_t)n;
        if (n < have)
            break;
    }
    send_buffer_return(buffer);
    return all > 0 ? (ssize_t)all : n;
}

void tls_connection_close(struct tls_connection *t)
{
    if (t->broken)
        return;
    ERR_clear_error();
    if (SSL_shutdown(t->ssl) < 0)
        (void)fault(t, -1);
}

uint64_t tls_connection_written(const struct tls_connection *t)
{
    return t->written;
}
