/* SPDX-License-Identifier: Apache-2.0
 *
 * A handler that a person has installed (`core install`) is not the agent's: it is left alone.
 */
#include "node/cores.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/component_env.h"
#include "node/core_home.h"
#include "node/core_install.h"
#include "node/core_pattern.h"

enum { FIRST_MS = 1000, MOST_MS = 5 * 60 * 1000, COMMAND_WORDS = 3 /* "salvage core install" */ };

static int add_set(struct core_config *c, const struct component_spec *spec, struct err *e)
{
    CLEANUP(strv_done) struct strv env = {0};
    struct core_set *set = core_config_add(c);
    int r;

    assert(set && spec->args.count > COMMAND_WORDS);
    if ((r = component_env_make(spec, &env, e)) < 0)
        return r;
    if (strv_add_all(&set->arguments, spec->args.item + COMMAND_WORDS) < 0 ||
        core_install_environment(env.item, set) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    return 0;
}

static uint64_t credentials_stamp(const struct cores *c)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < c->plan.sets; i++)
        sum += component_env_stamp(c->plan.set[i].credentials);
    return sum;
}

static int install_into(struct cores *c, struct core_config *config, struct err *e)
{
    const struct core_installation at = {core_kernel_root(), c->plan.dir};
    CLEANUP_FD int home = core_home_open(at.dir, true, e);
    int r = home;

    for (size_t i = 0; i < c->plan.sets && r >= 0; i++)
        r = add_set(config, &c->plan.set[i], e);
    if (r < 0 || (r = core_files_copy(home, at.dir, config, &c->files, e)) < 0)
        return r;
    config->by_node = true;
    if ((r = core_install(&at, config, e)) == 0)
        core_files_remove(home, config);
    return r;
}

static int install(struct cores *c, struct err *e)
{
    CLEANUP(core_config_done) struct core_config config = {0};
    int r;

    core_files_done(&c->files);
    c->stamp = credentials_stamp(c); /* what changes from now on is a change */
    r = install_into(c, &config, e);
    if (r == 0)
        log_event(EVENT_CORES_INSTALLED, LOG_STR("dir", c->plan.dir), LOG_UINT("destinations", config.sets),
                  LOG_STR("pattern", config.ours), LOG_STR("before", config.pattern));
    return r;
}

/* The folder of the handler that core_pattern names, if it is one of ours. */
static bool find_installed(char ret[CORE_BEFORE_MAX])
{
    struct core_kernel now;
    struct err e;

    return core_kernel_read(core_kernel_root(), &now, &e) == 0 && core_pattern_home(now.pattern, ret);
}

/* Whether an agent has installed it. */
static bool is_agents(const char *dir)
{
    CLEANUP(core_config_done) struct core_config config = {0};
    struct err e;
    CLEANUP_FD int home = core_home_open(dir, false, &e);

    if (home < 0)
        log_event(EVENT_CORES_FAILED, LOG_STR("dir", dir),
                  LOG_STR("error",
                          "core_pattern names a handler in this folder, which is not there, or not visible for "
                          "the agent: see salvage core status and core uninstall on the host"));
    return home >= 0 && core_home_load(home, &config, &e) == 0 && config.by_node;
}

static int take_back(const char *dir, struct err *e)
{
    int r = core_uninstall(&(struct core_installation){core_kernel_root(), dir}, e);

    if (r < 0)
        return r;
    log_event(EVENT_CORES_UNINSTALLED, LOG_STR("dir", dir));
    return 0;
}

/* What the configuration no longer has: of this agent, or of one before. */
static int take_back_others(const struct cores *c, struct err *e)
{
    char dir[CORE_BEFORE_MAX];

    if (!find_installed(dir) || (c->plan.dir && text_eq(dir, c->plan.dir)) || !is_agents(dir))
        return 0;
    return take_back(dir, e);
}

static void attempt(struct cores *c)
{
    struct err e = {0};
    int r = take_back_others(c, &e);

    if (r >= 0 && c->plan.dir)
        r = install(c, &e);
    c->due_ms = UINT64_MAX;
    if (r >= 0) {
        c->backoff.tries = 0;
        return;
    }
    c->due_ms = clock_mono_ms() + backoff_next(&c->backoff, 0);
    log_event(EVENT_CORES_FAILED, LOG_STR("dir", c->plan.dir), LOG_STR("error", e.msg),
              LOG_UINT("retry_in_s", (c->due_ms - clock_mono_ms()) / 1000));
}

void cores_apply(struct cores *c, struct cores_plan *plan)
{
    cores_plan_done(&c->plan);
    c->plan = *plan;
    *plan = (struct cores_plan){0};
    c->backoff = (struct backoff){.first_ms = FIRST_MS, .most_ms = MOST_MS};
    attempt(c);
}

void cores_check_credentials(struct cores *c)
{
    if (c->plan.dir && (credentials_stamp(c) != c->stamp || core_files_stamp(&c->files) != c->files.stamp))
        attempt(c);
}

void cores_on_time(struct cores *c, uint64_t now_ms)
{
    if (now_ms >= c->due_ms)
        attempt(c);
}

void cores_done(struct cores *c)
{
    cores_plan_done(&c->plan);
    core_files_done(&c->files);
}
