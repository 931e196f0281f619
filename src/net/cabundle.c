/* SPDX-License-Identifier: Apache-2.0
 *
 * The order is that of OpenSSL (SSL_CERT_*), then of curl (CURL_CA_BUNDLE) and of
 * AWS's tools (AWS_CA_BUNDLE), then the files that Go's crypto/x509 and
 * curl's configure look for.
 */
#include "net/cabundle.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/mem.h"
#include "base/text.h"

static const char *const FILES[] = {
    "/etc/ssl/certs/ca-certificates.crt",                /* Debian, Ubuntu, Alpine, Arch, distroless */
    "/etc/pki/tls/certs/ca-bundle.crt",                  /* RHEL, Fedora, Amazon Linux */
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* newer ones */
    "/etc/ssl/ca-bundle.pem",                            /* SUSE */
    "/var/lib/ca-certificates/ca-bundle.pem",            /* SUSE's minimal images */
    "/etc/ssl/cert.pem",                                 /* Alpine without the package, OpenBSD */
};
static const char *const BUNDLES[] = {"CURL_CA_BUNDLE", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"};
static const char FOLDER[] = "/etc/ssl/certs";

static bool is_there(const char *root, const char *path)
{
    char full[PATH_MAX];
    int length = snprintf(full, sizeof(full), "%s%s", root, path);
    return length > 0 && (size_t)length < sizeof(full) && access(full, R_OK) == 0;
}

/* Certificates that OpenSSL finds by name, like 5ed36f99.0. An empty folder is in many images. */
static bool has_hashed(const char *root)
{
    char full[PATH_MAX];
    int length = snprintf(full, sizeof(full), "%s%s", root, FOLDER);
    CLEANUP_DIR DIR *dir = length > 0 && (size_t)length < sizeof(full) ? opendir(full) : NULL;
    bool found = false;
    if (!dir)
        return false;
    for (struct dirent *d; !found && (d = readdir(dir));)
        found = text_ends(d->d_name, ".0");
    return found;
}

static int check(const char *name, const char *path, struct err *e)
{
    if (!path || access(path, R_OK) == 0)
        return 0;
    return err_set(e, -FAULT_TLS, "%s names %s, which cannot be read: %s: correct it, or give --ca-file", name, path,
                   strerror(errno));
}

bool cabundle_named(void)
{
    bool named = env_get("SSL_CERT_FILE") || env_get("SSL_CERT_DIR");
    for (size_t i = 0; i < ARRAY_SIZE(BUNDLES); i++)
        named |= env_get(BUNDLES[i]) != NULL;
    return named;
}

static int none(struct err *e)
{
    char looked_at[400] = "";
    size_t used = 0;
    for (size_t i = 0; i < sizeof(FILES) / sizeof(*FILES); i++) {
        int n = snprintf(looked_at + used, sizeof(looked_at) - used, "%s%s", i > 0 ? ", " : "", FILES[i]);
        if (n < 0 || (size_t)n >= sizeof(looked_at) - used)
            break;
        used += (size_t)n;
    }
    return err_set(e, -FAULT_TLS,
                   "no CA certificates found: looked at %s: add them, or give --ca-file or SSL_CERT_FILE", looked_at);
}

int cabundle_find(const char *given, const char *root, struct cabundle *ret, struct err *e)
{
    const char *file = env_get("SSL_CERT_FILE"), *folder = env_get("SSL_CERT_DIR");
    int r = 0;
    if (given) {
        *ret = (struct cabundle){.file = given};
        return 0;
    }
    if (file || folder) {
        if ((r = check("SSL_CERT_FILE", file, e)) == 0) /* the other may be a list */
            *ret = (struct cabundle){.file = file, .folder = folder};
        return r;
    }
    for (size_t i = 0; i < ARRAY_SIZE(BUNDLES); i++)
        if ((file = env_get(BUNDLES[i]))) {
            if ((r = check(BUNDLES[i], file, e)) == 0)
                *ret = (struct cabundle){.file = file};
            return r;
        }
    for (size_t i = 0; i < sizeof(FILES) / sizeof(*FILES); i++)
        if (is_there(root, FILES[i])) {
            *ret = (struct cabundle){.file = FILES[i], .folder = is_there(root, FOLDER) ? FOLDER : NULL};
            return 0;
        }
    if (!has_hashed(root))
        return none(e);
    *ret = (struct cabundle){.folder = FOLDER};
    return 0;
}
