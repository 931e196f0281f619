/* SPDX-License-Identifier: Apache-2.0
 *
 * A copy replaces the one before by a rename: a handler that starts meanwhile reads one or the other.
 */
#include "node/core_files.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/component_env.h"

enum { FILE_MAX = 4 * 1024 * 1024 };

static const char PREFIX[] = "file.";

/* Options and variables whose value is the path of a file. */
static const char *const OPTIONS[] = {"--ca-file=", "--credentials-file="};
static const char *const VARIABLES[] = {"AWS_SHARED_CREDENTIALS_FILE=",
                                        "AWS_CONFIG_FILE=",
                                        "AWS_WEB_IDENTITY_TOKEN_FILE=",
                                        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=",
                                        "AWS_CA_BUNDLE=",
                                        "SSL_CERT_FILE=",
                                        "CURL_CA_BUNDLE="};

void core_files_done(struct core_files *f)
{
    strv_done(&f->path);
    *f = (struct core_files){0};
}

uint64_t core_files_stamp(const struct core_files *f)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < f->path.count; i++)
        sum += component_env_stamp(f->path.item[i]);
    return sum;
}

struct copying {
    int home;
    const char *dir;
    struct core_files *files;
    unsigned count;
};

static int copy(struct copying *c, const char *path, char ret_name[32], struct err *e)
{
    CLEANUP(buf_done) struct buf data = {.ceiling = FILE_MAX};
    int r;

    c->files->stamp += component_env_stamp(path);
    if (strv_add(&c->files->path, path) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    r = file_load(AT_FDCWD, path, &data);
    snprintf(ret_name, 32, "%s%u", PREFIX, c->count++);
    if (r < 0)
        return err_set(e, -FAULT_CREDENTIALS, "%s: %s", path, strerror(-r));
    r = file_replace(c->home, ret_name, data.data, data.size, 0600);
    return r < 0 ? err_set(e, r, "%s/%s: %s", c->dir, ret_name, strerror(-r)) : 0;
}

/* texts: options or variables of a set. */
static int copy_named(struct copying *c, struct strv *texts, const char *const *names, size_t count, struct err *e)
{
    for (size_t i = 0; i < texts->count; i++)
        for (size_t k = 0; k < count; k++) {
            const char *path = text_behind(texts->item[i], names[k]);
            char name[32], *text;
            int r;

            if (!text_starts(texts->item[i], names[k]) || !path || path[0] != '/')
                continue;
            if ((r = copy(c, path, name, e)) < 0)
                return r;
            if (asprintf(&text, "%s%s/%s", names[k], c->dir, name) < 0)
                return err_set(e, -ENOMEM, "out of memory");
            free(texts->item[i]);
            texts->item[i] = text;
            break;
        }
    return 0;
}

int core_files_copy(int home, const char *dir, struct core_config *c, struct core_files *ret, struct err *e)
{
    struct copying copying = {home, dir, ret, 0};
    int r = 0;

    assert(home >= 0 && dir && c && ret);
    for (size_t i = 0; i < c->sets && r == 0; i++) {
        r = copy_named(&copying, &c->set[i].arguments, OPTIONS, ARRAY_SIZE(OPTIONS), e);
        if (r == 0)
            r = copy_named(&copying, &c->set[i].environment, VARIABLES, ARRAY_SIZE(VARIABLES), e);
    }
    return r;
}

static bool is_named(const struct strv *texts, const char *name)
{
    for (size_t i = 0; i < texts->count; i++)
        if (text_eq(text_base_name(texts->item[i]), name))
            return true;
    return false;
}

void core_files_remove(int home, const struct core_config *keep)
{
    CLEANUP_DIR DIR *dir = file_opendir(home, ".");

    for (struct dirent *d; dir && (d = readdir(dir));) {
        bool used = !text_starts(d->d_name, PREFIX);

        for (size_t i = 0; keep && !used && i < keep->sets; i++)
            used = is_named(&keep->set[i].arguments, d->d_name) || is_named(&keep->set[i].environment, d->d_name);
        if (!used)
            unlinkat(home, d->d_name, 0);
    }
}
