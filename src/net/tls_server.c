/* SPDX-License-Identifier: Apache-2.0
 *
 * TLS 1.2 and 1.3, with forward secrecy and authenticated encryption only; ALPN is HTTP/1.1.
 */
#include "net/tls_server.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct file_state {
    struct timespec mtime;
    ino_t inode;
    off_t size;
};

struct tls_server {
    const char *cert, *key;
    struct file_state cert_state, key_state;
    SSL_CTX *context;
};

static const char CIPHERS[] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
                              "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

static void context_free(SSL_CTX **c)
{
    SSL_CTX_free(*c);
}

static int choose_protocol(SSL *ssl, const unsigned char **ret, unsigned char *ret_size, const unsigned char *offered,
                           unsigned offered_size, void *ctx)
{
    static const unsigned char OURS[] = "\x08http/1.1";
    unsigned char *chosen = NULL;

    (void)ssl, (void)ctx;
    if (SSL_select_next_proto(&chosen, ret_size, OURS, sizeof(OURS) - 1, offered, offered_size) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *ret = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* Nobody is there to type one in. */
static int no_password(char *out, int size, int writing, void *ctx)
{
    (void)out, (void)size, (void)writing;
    *(bool *)ctx = true;
    return -1;
}

static const char *reason(void)
{
    unsigned long code = ERR_peek_last_error();
    const char *text = ERR_reason_error_string(code);

    ERR_clear_error();
    return text ? text : "unknown error";
}

static int check_readable(const char *option, const char *path, struct err *e)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    return fd < 0 ? err_set(e, -FAULT_USAGE, "%s %s: %s", option, path, strerror(errno)) : 0;
}

static int load_files(const struct tls_server *t, SSL_CTX *context, struct err *e)
{
    bool encrypted = false;
    int r;

    if ((r = check_readable("--tls-cert", t->cert, e)) < 0 || (r = check_readable("--tls-key", t->key, e)) < 0)
        return r;
    SSL_CTX_set_default_passwd_cb(context, no_password);
    SSL_CTX_set_default_passwd_cb_userdata(context, &encrypted);
    if (SSL_CTX_use_certificate_chain_file(context, t->cert) != 1)
        return err_set(e, -FAULT_USAGE, "--tls-cert %s: no certificate in PEM form: %s", t->cert, reason());
    if (SSL_CTX_use_PrivateKey_file(context, t->key, SSL_FILETYPE_PEM) != 1) {
        if (encrypted)
            return err_set(e, -FAULT_USAGE, "--tls-key %s: it is encrypted: give a key without a password", t->key);
        if (ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH)
            return err_set(e, -FAULT_USAGE, "--tls-key %s: %s is not the certificate of this key", t->key, t->cert);
        return err_set(e, -FAULT_USAGE, "--tls-key %s: no private key in PEM form: %s", t->key, reason());
    }
    SSL_CTX_set_default_passwd_cb_userdata(context, NULL);
    if (SSL_CTX_check_private_key(context) != 1)
        return err_set(e, -FAULT_USAGE, "--tls-key %s: %s is not the certificate of this key", t->key, t->cert);
    return 0;
}

static int load(const struct tls_server *t, SSL_CTX **ret, struct err *e)
{
    CLEANUP(context_free) SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    int r;

    if (!context)
        return err_set(e, -ENOMEM, "out of memory");
    ERR_clear_error();
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(context, CIPHERS);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_ENABLE_KTLS);
    SSL_CTX_set_mode(context,
                     SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(context, 1); /* a record by one read(2): ours read until nothing is left */
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); /* tickets do */
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    if ((r = load_files(t, context, e)) < 0) {
        ERR_clear_error();
        return r;
    }
    *ret = TAKE_PTR(context);
    return 0;
}

static struct file_state file_state(const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return (struct file_state){0};
    return (struct file_state){.mtime = st.st_mtim, .inode = st.st_ino, .size = st.st_size};
}

static bool same(const struct file_state *a, const struct file_state *b)
{
    return a->mtime.tv_sec == b->mtime.tv_sec && a->mtime.tv_nsec == b->mtime.tv_nsec && a->inode == b->inode &&
           a->size == b->size;
}

int tls_server_new(const char *cert, const char *key, struct tls_server **ret, struct err *e)
{
    CLEANUP(tls_server_free_ptr) struct tls_server *t = calloc(1, sizeof(*t));
    int r;

    assert(cert && key && ret);
    if (!t)
        return err_set(e, -ENOMEM, "out of memory");
    *t = (struct tls_server){.cert = cert, .key = key, .cert_state = file_state(cert), .key_state = file_state(key)};
    if ((r = load(t, &t->context, e)) < 0)
        return r;
    *ret = TAKE_PTR(t);
    return 0;
}

void tls_server_free(struct tls_server *t)
{
    if (!t)
        return;
    SSL_CTX_free(t->context);
    free(t);
}

int tls_server_refresh(struct tls_server *t, struct err *e)
{
    struct file_state cert = file_state(t->cert), key = file_state(t->key);
    SSL_CTX *context = NULL;
    int r;

    if (same(&cert, &t->cert_state) && same(&key, &t->key_state))
        return 0;
    t->cert_state = cert; /* of before the files are read: a change while they are read is noticed */
    t->key_state = key;
    if ((r = load(t, &context, e)) < 0)
        return r;
    SSL_CTX_free(t->context); /* connections have references of their own */
    t->context = context;
    return 1;
}

SSL *tls_server_connection(struct tls_server *t, int fd)
{
    SSL *ssl = SSL_new(t->context);

    if (ssl && SSL_set_fd(ssl, fd) != 1) {
        SSL_free(ssl);
        return NULL;
    }
    if (ssl)
        SSL_set_accept_state(ssl);
    return ssl;
}
