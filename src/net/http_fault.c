/* SPDX-License-Identifier: Apache-2.0
 *
 * The table from CURLcode to fault. What may pass by itself (a reset, a server that restarts, half an answer) is
 * unreachable or stalled; what a person must change (a certificate, a CA file) is a TLS fault. A connection that dies
 * while TLS is being agreed on belongs to the first kind, though libcurl gives both the same number.
 */
#include "net/http_fault.h"

#include <errno.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "net/proxy.h"

/* "files.example:443", "files.example:443 (by proxy 10.0.0.1:3128)" */
struct place {
    char *host, *port;
    char text[600];
    bool proxied;
    struct proxy proxy;
};

static void place_done(struct place *p)
{
    curl_free(p->host);
    curl_free(p->port);
}

static const char *reason(const struct http_failure *f)
{
    return f->detail[0] ? f->detail : curl_easy_strerror(f->code);
}

static void place_of(const char *url, bool direct, struct place *ret)
{
    CURLU *u = curl_url();
    if (u && curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME | CURLU_PATH_AS_IS) == CURLUE_OK) {
        curl_url_get(u, CURLUPART_HOST, &ret->host, 0);
        curl_url_get(u, CURLUPART_PORT, &ret->port, CURLU_DEFAULT_PORT);
    }
    curl_url_cleanup(u);
    const char *host = ret->host ? ret->host : "the store";
    if (ret->port)
        snprintf(ret->text, sizeof(ret->text), "%s:%s", host, ret->port);
    else
        snprintf(ret->text, sizeof(ret->text), "%s", host);
    ret->proxied = !direct && proxy_find(url, &ret->proxy);
    if (ret->proxied) {
        size_t used = strlen(ret->text);
        snprintf(ret->text + used, sizeof(ret->text) - used, " (by proxy %s)", ret->proxy.text);
    }
}

/* "for store.example:443; see https_proxy": what follows on what is wrong with the proxy. */
static const char *proxy_whence(const struct place *p, char out[400])
{
    snprintf(out, 400, "asked for %.300s%s%s; see %s", p->host ? p->host : "the store", p->port ? ":" : "",
             p->port ? p->port : "", p->proxy.variable);
    return out;
}

static int explain_wants_login(const struct place *p, struct err *e)
{
    char whence[400];
    return err_set(e, -FAULT_CREDENTIALS,
                   "proxy %s: 407: it wants a user and a password, as http://USER:PASSWORD@HOST:PORT (%s)",
                   p->proxied ? p->proxy.text : "on the way", proxy_whence(p, whence));
}

int http_fault_unwelcome(const char *url, struct err *e)
{
    CLEANUP(place_done) struct place p = {0};
    place_of(url, false, &p);
    if (!p.proxied)
        return err_set(e, -FAULT_CREDENTIALS, "%s: 407: a proxy on the way wants a user and a password", p.text);
    return explain_wants_login(&p, e);
}

/* Failures of the proxy itself; false: another's. */
static bool explain_proxy(CURL *c, const struct http_failure *f, const struct place *p, int *ret, struct err *e)
{
    const char *tunnel = strstr(f->detail, "CONNECT tunnel failed, response ");
    char whence[400];
    long number = 0;
    curl_easy_getinfo(c, CURLINFO_OS_ERRNO, &number);
    proxy_whence(p, whence);
    /* libcurl repeats the whole variable then, with the password in it. */
    if (strstr(f->detail, "Unsupported proxy"))
        *ret = err_set(e, -FAULT_UNREACHABLE, "proxy %s: no http://, https:// or socks5h:// address (%s)",
                       p->proxy.text, whence);
    else if (f->code == CURLE_COULDNT_RESOLVE_PROXY)
        *ret = err_set(e, -FAULT_UNREACHABLE, "proxy %s: cannot find its address (%s)", p->proxy.text, whence);
    else if (f->code == CURLE_COULDNT_CONNECT && number == ECONNREFUSED)
        *ret = err_set(e, -FAULT_UNREACHABLE, "proxy %s: connection refused (%s)", p->proxy.text, whence);
    else if (f->code == CURLE_COULDNT_CONNECT && number > 0)
        *ret = err_set(e, -FAULT_UNREACHABLE, "proxy %s: %s (%s)", p->proxy.text, strerror((int)number), whence);
    else if (f->code == CURLE_COULDNT_CONNECT || f->code == CURLE_PROXY || f->code == CURLE_UNSUPPORTED_PROTOCOL)
        *ret = err_set(e, -FAULT_UNREACHABLE, "proxy %s: %s (%s)", p->proxy.text, reason(f), whence);
    else if (f->code == CURLE_OPERATION_TIMEDOUT && !f->limit_ms && strstr(f->detail, "Resolving timed out"))
        *ret = err_set(e, -FAULT_UNREACHABLE, "proxy %s: DNS does not answer in time (%s)", p->proxy.text, whence);
    else if (f->code == CURLE_OPERATION_TIMEDOUT && !f->limit_ms)
        *ret = err_set(e, -FAULT_STALLED, "proxy %s: no answer in time (%s)", p->proxy.text, whence);
    else if (tunnel && strstr(tunnel, " 407"))
        *ret = explain_wants_login(p, e);
    else if (tunnel)
        *ret = err_set(e, -FAULT_UNREACHABLE, "proxy %s: %s to CONNECT (%s)", p->proxy.text,
                       tunnel + strlen("CONNECT tunnel failed, response "), whence);
    else
        return false;
    return true;
}

static int explain_unconnected(CURL *c, const struct http_failure *f, const struct place *p, struct err *e)
{
    long number = 0;
    curl_easy_getinfo(c, CURLINFO_OS_ERRNO, &number);
    /* libcurl names the peer it tried: if that is not our host, it is a proxy, and the message names it. */
    bool direct = p->host && strstr(f->detail, p->host);
    if (number > 0 && direct)
        return err_set(e, -FAULT_UNREACHABLE, "cannot connect to %s: %s", p->text, strerror((int)number));
    return err_set(e, -FAULT_UNREACHABLE, "cannot connect to %s: %s", p->text, reason(f));
}

/* Of the limits given to libcurl, here the one for connecting, in which DNS, TLS and the proxy have a part. */
static int explain_slow_connect(const struct http_failure *f, const struct place *p, struct err *e)
{
    if (strstr(f->detail, "Resolving timed out"))
        return err_set(e, -FAULT_UNREACHABLE, "cannot find the address of %s: DNS does not answer in time",
                       p->host ? p->host : p->text);
    if (strstr(f->detail, "SSL") || strstr(f->detail, "CONNECT"))
        return err_set(e, -FAULT_STALLED, "%s took the connection, but then said nothing (TLS or proxy handshake)",
                       p->text);
    return err_set(e, -FAULT_UNREACHABLE, "cannot connect to %s: no answer in time: is it up, does a firewall drop it?",
                   p->text);
}

/* OpenSSL's own errors read "error:0A00010B:SSL routines::wrong version number"; others are the connection's. */
static int explain_handshake(const struct http_failure *f, const struct place *p, struct err *e)
{
    if (!strstr(f->detail, "routines:") || strstr(f->detail, "unexpected eof"))
        return err_set(e, -FAULT_UNREACHABLE, "%s broke off the TLS handshake: %s", p->text, reason(f));
    if (strstr(f->detail, "wrong version number") || strstr(f->detail, "packet length too long"))
        return err_set(e, -FAULT_TLS, "%s does not speak TLS: is it meant to be http:// ?", p->text);
    return err_set(e, -FAULT_TLS, "TLS with %s failed: %s", p->text, reason(f));
}

static int explain_untrusted(CURL *c, const struct http_failure *f, const struct place *p, struct err *e)
{
    const char *host = p->host ? p->host : p->text;
    long verdict = X509_V_ERR_UNSPECIFIED;
    curl_easy_getinfo(c, CURLINFO_SSL_VERIFYRESULT, &verdict);
    if (strstr(f->detail, "subject name")) /* libcurl's own check, after OpenSSL accepted the chain */
        return err_set(e, -FAULT_TLS, "certificate is for another name than %s (%s)", host, p->text);
    switch (verdict) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return err_set(e, -FAULT_TLS, "certificate of %s: %s: renew it, or set the clock", p->text,
                       X509_verify_cert_error_string(verdict));
    default:
        if (f->ca_file)
            return err_set(e, -FAULT_TLS, "certificate of %s is not trusted by the CA in %s: %s", p->text, f->ca_file,
                           X509_verify_cert_error_string(verdict));
        return err_set(e, -FAULT_TLS,
                       "certificate of %s is not trusted by the CAs in %s: give its CA with --ca-file (%s)", p->text,
                       f->trusted ? f->trusted : "the system's folder", X509_verify_cert_error_string(verdict));
    }
}

/* A callback of ours broke off. */
static int explain_result(const struct http_failure *f, const struct place *p, struct err *e)
{
    switch (f->result) {
    case -FAULT_STALLED:
        return err_set(e, f->result, "%s: no byte moved for %.3g s", p->text, (double)f->timeout_ms / 1000);
    case -FAULT_FORMAT:
        return err_set(e, f->result, "%s: %s", p->text, f->why ? f->why : "its answer is too long to be one");
    default:
        return err_set(e, f->result, "out of memory");
    }
}

int http_fault_explain(CURL *c, const struct http_failure *f, struct err *e)
{
    CLEANUP(place_done) struct place p = {0};
    int r;
    place_of(f->url, f->direct, &p);
    if (f->result < 0)
        return explain_result(f, &p, e);
    if (p.proxied && explain_proxy(c, f, &p, &r, e))
        return r;
    switch (f->code) {
    case CURLE_OUT_OF_MEMORY:
        return err_set(e, -ENOMEM, "out of memory");
    case CURLE_URL_MALFORMAT:
        return err_set(e, -FAULT_FORMAT, "malformed URL for %s", p.text);
    case CURLE_UNSUPPORTED_PROTOCOL: /* so libcurl calls HTTP/0.9, too */
    case CURLE_WEIRD_SERVER_REPLY:
        return err_set(e, -FAULT_FORMAT, "%s does not speak HTTP: %s", p.text, reason(f));
    case CURLE_COULDNT_RESOLVE_HOST:
        return err_set(e, -FAULT_UNREACHABLE, "cannot find the address of %s: is the name right, does DNS work?",
                       p.host ? p.host : p.text);
    case CURLE_COULDNT_RESOLVE_PROXY:
        return err_set(e, -FAULT_UNREACHABLE, "cannot find the address of the proxy for %s: %s", p.text, reason(f));
    case CURLE_COULDNT_CONNECT:
        return explain_unconnected(c, f, &p, e);
    case CURLE_OPERATION_TIMEDOUT:
        if (f->limit_ms)
            return err_set(e, -FAULT_STALLED, "%s has not answered within %.3g s", p.text, (double)f->limit_ms / 1000);
        return explain_slow_connect(f, &p, e);
    case CURLE_GOT_NOTHING:
        return err_set(e, -FAULT_UNREACHABLE, "%s closed the connection without an answer", p.text);
    case CURLE_PARTIAL_FILE:
        return err_set(e, -FAULT_UNREACHABLE, "the answer of %s was cut short: %s", p.text, reason(f));
    case CURLE_PEER_FAILED_VERIFICATION:
        return explain_untrusted(c, f, &p, e);
    case CURLE_SSL_CACERT_BADFILE:
        return err_set(e, -FAULT_TLS, "cannot use the CA certificates in %s: is it a readable PEM file?",
                       f->trusted ? f->trusted : "the system's folder");
    case CURLE_SSL_CONNECT_ERROR:
        return explain_handshake(f, &p, e);
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_USE_SSL_FAILED:
        return err_set(e, -FAULT_TLS, "TLS with %s failed: %s", p.text, reason(f));
    default: /* reset, proxies' refusals, malformed chunks */
        return err_set(e, -FAULT_UNREACHABLE, "lost the connection to %s: %s", p.text, reason(f));
    }
}
