/* SPDX-License-Identifier: Apache-2.0
 *
 * The order makes each step safe if it is the last: the program, its configuration, then the kernel's settings.
 */
#include "node/core_install.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "node/core_files.h"
#include "node/core_home.h"
#include "node/core_pattern.h"

/* So many processes may dump at once: each waits for its handler, which refuses quickly what is too much. */
enum { PIPE_LIMIT = 64 };

static const char *const KEPT[] = {"AWS_",       "OBS_",         "AZURE_",       "IDENTITY_",   "HUAWEICLOUD_",
                                   "ECS_",       "SALVAGE_",     "SSL_CERT_",    "NODE_NAME",   "CURL_CA_BUNDLE",
                                   "HOME=",      "https_proxy=", "HTTPS_PROXY=", "http_proxy=", "all_proxy=",
                                   "ALL_PROXY=", "no_proxy=",    "NO_PROXY="};

int core_install_environment(char *const *environment, struct core_set *to)
{
    for (; *environment; environment++)
        for (size_t i = 0; i < ARRAY_SIZE(KEPT); i++)
            if (text_starts(*environment, KEPT[i])) {
                if (strv_add(&to->environment, *environment) < 0)
                    return -ENOMEM;
                break;
            }
    return 0;
}

static int make_pattern(const struct core_installation *i, char ret[CORE_PATTERN_MAX], struct err *e)
{
    char program[PATH_MAX];
    int r;

    if (i->dir[0] != '/')
        return err_set(e, -FAULT_USAGE, "--dir: '%s' must be an absolute path: the kernel looks for it", i->dir);
    if (snprintf(program, sizeof(program), "%s/" CORE_HOME_PROGRAM, i->dir) >= (int)sizeof(program))
        return err_set(e, -FAULT_USAGE, "--dir: the path is too long");
    if ((r = core_pattern_pipe(program, ret)) < 0)
        return err_set(e, -FAULT_USAGE, "--dir: '%s' %s", i->dir,
                       r == -EINVAL ? "has a blank or '%', which a core_pattern can't have"
                                    : "is too long: a core_pattern has at most 127 bytes");
    return 0;
}

/* Whether core_pattern names our handler or socket in that folder. */
static bool is_ours(const struct core_kernel *now, const char *dir)
{
    char home[CORE_PATTERN_MAX];

    return core_pattern_home(now->pattern, home) && text_eq(home, dir);
}

/* The kernel's own settings: for a handler whose configuration is gone. */
static void set_default(struct core_kernel *k)
{
    *k = (struct core_kernel){.pattern = "core", .pipe_limit = 0};
}

/* What was there before us: of an earlier install, if core_pattern is still its. */
static void remember(int home, const char *dir, const struct core_kernel *now, struct core_config *c)
{
    CLEANUP(core_config_done) struct core_config earlier = {0};
    struct core_kernel before = *now;
    struct err ignored;

    if (is_ours(now, dir)) {
        set_default(&before);
        if (core_home_load(home, &earlier, &ignored) == 0) {
            memcpy(before.pattern, earlier.pattern, sizeof(before.pattern));
            before.pipe_limit = earlier.pipe_limit;
        }
    }
    memcpy(c->pattern, before.pattern, sizeof(c->pattern));
    c->pipe_limit = before.pipe_limit;
}

int core_install(const struct core_installation *i, struct core_config *options, struct err *e)
{
    struct core_kernel now, wanted = {0};
    char pattern[CORE_PATTERN_MAX];
    CLEANUP_FD int home = -1;
    int r;

    if ((r = make_pattern(i, pattern, e)) < 0 || (r = core_kernel_read(i->proc, &now, e)) < 0)
        return r;
    if ((home = core_home_open(i->dir, true, e)) < 0)
        return home;
    remember(home, i->dir, &now, options);
    snprintf(options->ours, sizeof(options->ours), "%s", pattern);
    snprintf(wanted.pattern, sizeof(wanted.pattern), "%s", pattern);
    wanted.pipe_limit = now.pipe_limit > PIPE_LIMIT ? now.pipe_limit : PIPE_LIMIT;
    if ((r = core_home_copy_program(home, e)) < 0 || (r = core_home_save(home, options, e)) < 0)
        return err_prefix(e, r, "%s", i->dir);
    return core_kernel_write(i->proc, &wanted, e);
}

static void remove_files(int home)
{
    unlinkat(home, CORE_HOME_PROGRAM, 0);
    unlinkat(home, "config.json", 0);
    unlinkat(home, "socket", 0);
    unlinkat(home, "pods.json", 0);
    core_files_remove(home, NULL);
}

int core_uninstall(const struct core_installation *i, struct err *e)
{
    CLEANUP(core_config_done) struct core_config c = {0};
    CLEANUP_FD int home = core_home_open(i->dir, false, e);
    struct core_kernel now, before = {0};
    struct err why;
    int r, loaded = home < 0 ? home : core_home_load(home, &c, e);
    bool ours;

    if ((r = core_kernel_read(i->proc, &now, &why)) < 0)
        return err_set(e, r, "%s", why.msg);
    ours = is_ours(&now, i->dir);
    if (loaded == -ENOENT && !ours)
        return CORE_NOT_INSTALLED;
    if (loaded < 0 && loaded != -ENOENT)
        return home < 0 ? loaded : err_prefix(e, loaded, "%s", i->dir);
    set_default(&before);
    if (loaded == 0) {
        memcpy(before.pattern, c.pattern, sizeof(before.pattern));
        before.pipe_limit = c.pipe_limit;
    }
    if (ours && (r = core_kernel_restore(i->proc, &before, e)) < 0)
        return r;
    if (home >= 0)
        remove_files(home);
    return ours ? CORE_PUT_BACK : CORE_NOT_OURS;
}
