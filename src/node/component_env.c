/* SPDX-License-Identifier: Apache-2.0
 *
 * A Secret's folder has its keys as links, and folders whose names begin with '.'.
 */
#include "node/component_env.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "linux/launch.h"
#include "net/secretenv.h"

enum { VALUE_MAX = 16 * 1024, VARIABLES_MAX = 32 };

static const char COUNTS[] = "SALVAGE_COUNTS";

/* Other variables could change what a component does. */
static bool is_credential(const char *name)
{
    return (text_starts(name, "AWS_") || text_starts(name, "OBS_") || text_starts(name, "AZURE_") ||
            text_starts(name, "SALVAGE_HTTP_")) &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == strlen(name);
}

static int add_variable(int dirfd, const char *name, struct strv *ret, struct err *e)
{
    CLEANUP(buf_done) struct buf value = {.ceiling = VALUE_MAX};
    int r;

    if (!is_credential(name))
        return err_set(e, -FAULT_CREDENTIALS,
                       "\"%s\" is not a variable of credentials: AWS_…, OBS_…, AZURE_… or SALVAGE_HTTP_…", name);
    if ((r = file_load(dirfd, name, &value)) < 0)
        return err_set(e, -FAULT_CREDENTIALS, "%s: %s", name, strerror(-r));
    while (value.size > 0 && (value.data[value.size - 1] == '\n' || value.data[value.size - 1] == '\r'))
        value.data[--value.size] = '\0';
    if (strlen(buf_text(&value)) != value.size)
        return err_set(e, -FAULT_CREDENTIALS, "%s: contains a NUL", name);
    return strv_set(ret, name, buf_text(&value)) < 0 ? err_set(e, -ENOMEM, "out of memory") : 0;
}

static int add_folder(DIR *dir, struct strv *ret, struct err *e)
{
    unsigned count = 0;
    int r = 0;

    for (struct dirent *d; r == 0 && (errno = 0, d = readdir(dir));) {
        if (d->d_name[0] == '.')
            continue;
        if (++count > VARIABLES_MAX)
            return err_set(e, -FAULT_CREDENTIALS, "more than 32 files");
        r = add_variable(dirfd(dir), d->d_name, ret, e);
    }
    return r < 0 ? r : count == 0 ? err_set(e, -FAULT_CREDENTIALS, "an empty folder") : 0;
}

static int add_credentials(const struct component_spec *s, struct strv *ret, struct err *e)
{
    CLEANUP_FD int fd = open(s->credentials, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    CLEANUP_DIR DIR *dir = NULL;
    int r;

    if (fd < 0)
        return err_set(e, -FAULT_CREDENTIALS, "credentials: %s: %s", s->credentials, strerror(errno));
    if (!(dir = fdopendir(fd)))
        return strv_set(ret, "AWS_SHARED_CREDENTIALS_FILE", s->credentials) < 0 ? err_set(e, -ENOMEM, "out of memory")
                                                                                : 0;
    fd = -1; /* dir's now */
    r = add_folder(dir, ret, e);
    return r < 0 ? err_prefix(e, r, "credentials: %s", s->credentials) : 0;
}

/* Variables of options. Those with credentials for HTTP are none. */
static bool is_option(const char *variable)
{
    return text_starts(variable, "SALVAGE_") && !text_starts(variable, "SALVAGE_HTTP_");
}

int component_env_make(const struct component_spec *s, struct strv *ret, struct err *e)
{
    CLEANUP(strv_done) struct strv env = {0};
    int r = 0;

    assert(s && ret);
    for (char **v = environ; *v && r == 0; v++)
        if (!is_option(*v) && !(s->credentials && secretenv_is(*v, SECRETENV_ALL)))
            r = strv_add(&env, *v);
    if (r < 0 || strv_set(&env, "SALVAGE_COMPONENT", s->name) < 0 || strv_set(&env, COUNTS, "yes") < 0)
        return err_set(e, -ENOMEM, "out of memory");
    if (s->credentials && (r = add_credentials(s, &env, e)) < 0)
        return r;
    *ret = env;
    env = (struct strv){0};
    return 0;
}

int component_env_channel(void)
{
    if (!env_get(COUNTS))
        return -1;
    unsetenv(COUNTS);
    return LAUNCH_CHANNEL;
}

static uint64_t stamp_of(int dirfd, const char *path)
{
    struct stat st;
    uint64_t v[6];

    if (fstatat(dirfd, path, &st, 0) < 0)
        return (uint64_t)errno;
    v[0] = st.st_dev;
    v[1] = st.st_ino;
    v[2] = (uint64_t)st.st_size;
    v[3] = (uint64_t)st.st_mtim.tv_sec;
    v[4] = (uint64_t)st.st_mtim.tv_nsec;
    v[5] = XXH3_64bits(path, strlen(path));
    return XXH3_64bits(v, sizeof(v));
}

uint64_t component_env_stamp(const char *credentials)
{
    CLEANUP_DIR DIR *dir = credentials ? opendir(credentials) : NULL;
    uint64_t sum = credentials ? stamp_of(AT_FDCWD, credentials) : 0;

    if (!dir)
        return sum;
    for (struct dirent *d; (d = readdir(dir));)
        if (d->d_name[0] != '.')
            sum += stamp_of(dirfd(dir), d->d_name); /* in any order */
    return sum;
}
