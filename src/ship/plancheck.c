/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads only. Initialises neither libcurl nor OpenSSL: a loop may call it.
 */
#include "ship/plancheck.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "net/proxyenv.h"
#include "store/http/http_store.h"

enum { CA_FILE_MAX = 4 * 1024 * 1024 };

static int check_ca_file(const char *path, struct err *e)
{
    static const char *const MARKS[] = {"-----BEGIN CERTIFICATE-----", "-----BEGIN TRUSTED CERTIFICATE-----",
                                        "-----BEGIN X509 CERTIFICATE-----"};
    CLEANUP(buf_done) struct buf text = {.ceiling = CA_FILE_MAX};
    int r = file_load(AT_FDCWD, path, &text);

    if (r == -EMSGSIZE)
        return 0; /* libcurl decides */
    if (r < 0)
        return err_set(e, -FAULT_USAGE, "--ca-file: %s cannot be read: %s", path,
                       r == -EINVAL ? "it is no regular file" : strerror(-r));
    for (size_t i = 0; i < ARRAY_SIZE(MARKS); i++)
        if (text.size > 0 && memmem(text.data, text.size, MARKS[i], strlen(MARKS[i])))
            return 0;
    return err_set(e, -FAULT_USAGE, "--ca-file: %s holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)",
                   path);
}

static int check_credentials(const struct sink_config *c, struct err *e)
{
    struct secret *secret = NULL;
    int r;

    if (c->url.scheme != URL_HTTP && c->url.scheme != URL_HTTPS)
        return 0;
    r = http_auth_get(c->credentials_file, &secret, e);
    secret_free(secret);
    return r < 0 ? r : 0;
}

static int check_state(const char *path, struct err *e)
{
    struct stat st;

    if (!*path)
        return err_set(e, -FAULT_USAGE, "--state: an empty path");
    if (stat(path, &st) == 0)
        return S_ISDIR(st.st_mode) ? 0 : err_set(e, -FAULT_USAGE, "--state: %s is no folder", path);
    return errno == ENOTDIR ? err_set(e, -FAULT_USAGE, "--state: %s: %s", path, strerror(ENOTDIR)) : 0;
}

/* The file is first written under another name in its folder. */
static int check_ready(const char *path, struct err *e)
{
    CLEANUP_FREE char *copy = strdup(path);
    const char *folder = copy ? dirname(copy) : NULL;
    struct stat st;

    if (!folder)
        return err_set(e, -ENOMEM, "out of memory");
    if (!*path || text_ends(path, "/") || (stat(path, &st) == 0 && S_ISDIR(st.st_mode)))
        return err_set(e, -FAULT_USAGE, "--ready: '%s' is not the name of a file", path);
    if (faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) < 0)
        return err_set(e, -FAULT_USAGE, "--ready: no file can be made in %s: %s", folder, strerror(errno));
    return 0;
}

int plancheck(const struct plan *plan, const char *state, const char *ready, struct err *e)
{
    CLEANUP_FREE char *origin = NULL;
    int r = sink_origin(&plan->sink, &origin, e);

    if (r == 0 && plan->sink.http.ca_file)
        r = check_ca_file(plan->sink.http.ca_file, e);
    if (r == 0)
        r = check_credentials(&plan->sink, e);
    if (r == 0 && state)
        r = check_state(state, e);
    return r == 0 && ready ? check_ready(ready, e) : r;
}

int plancheck_proxy(const struct plan *plan, struct err *e)
{
    CLEANUP_FREE char *origin = NULL;
    char *host;
    int r = sink_origin(&plan->sink, &origin, e);

    if (r < 0 || !origin)
        return r;
    host = strstr(origin, "://") + 3;
    host[*host == '[' ? strcspn(host, "]") : strcspn(host, ":/")] = '\0';
    return proxyenv_check(text_starts(origin, "https:"), host, e);
}
