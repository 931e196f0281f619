/* SPDX-License-Identifier: Apache-2.0
 *
 * Opens and closes a target, and finds its name and key. Part of guard/target.h.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "guard/target.h"
#include "guard/target_key.h"
#include "linux/largest_process.h"
#include "place/container.h"
#include "place/containerid.h"

enum {
    NAME_AGAIN_MS = 250, /* doubled each time */
    NAME_TRIES = 12      /* some minutes */
};

static bool name_by_pod(const struct proc *p, const char *id, struct target *t)
{
    CLEANUP(whoami_done) struct whoami who = {0};

    t->in_pod = whoami_of_process(p, &who) == 0 && target_name_of(p, &who, id, t->name);
    return t->in_pod;
}

bool target_rename(struct target *t, uint64_t now_ms)
{
    CLEANUP(proc_done) struct proc p = PROC_NONE;
    char id[CONTAINERID_MAX];
    pid_t any;

    if (t->named || now_ms < t->name_at_ms)
        return false;
    t->name_at_ms = now_ms + ((uint64_t)NAME_AGAIN_MS << t->name_tries);
    t->named = ++t->name_tries == NAME_TRIES;
    any = target_victim(t);
    if (!any || proc_open("/proc", any, &p) < 0 || !container_of_process(p.fd, id) || !name_by_pod(&p, id, t))
        return false;
    /* What was known before the container was set up is about the process that set it up. */
    t->last.pid = 0;
    return t->named = true;
}

static void name_it(struct target *t, pid_t pid, const char *path)
{
    CLEANUP(proc_done) struct proc p = PROC_NONE;
    char id[CONTAINERID_MAX];
    pid_t any = pid ? pid : largest_process(t->memcg.fd);

    t->named = !any || proc_open("/proc", any, &p) < 0 || !container_of_process(p.fd, id);
    if (!t->named && name_by_pod(&p, id, t))
        t->named = true;
    else if (!t->named)
        snprintf(t->name, sizeof(t->name), "%.12s", id);
    else if (pid)
        snprintf(t->name, sizeof(t->name), "process %d", (int)pid);
    else
        snprintf(t->name, sizeof(t->name), "%.120s", path);
    if (p.fd < 0 || !target_key_of_process(p.fd, t->key))
        snprintf(t->key, sizeof(t->key), "%.100s/%" PRIu64 ":%" PRIu64, t->name, t->memcg.device, t->memcg.inode);
}

bool target_settle(struct target *t)
{
    CLEANUP(proc_done) struct proc p = PROC_NONE;
    char key[RULE_KEY_MAX];
    pid_t any = largest_process(t->memcg.fd);

    t->settled = true;
    if (t->given_pid || any == 0 || proc_open("/proc", any, &p) < 0 || !target_key_of_process(p.fd, key) ||
        text_eq(key, t->key))
        return false;
    memcpy(t->key, key, sizeof(key));
    return true;
}

int target_open(const struct target_policy *p, pid_t pid, const char *path, struct target *ret, struct err *e)
{
    CLEANUP(proc_done) struct proc proc = PROC_NONE;
    struct target t = {.memcg = MEMCG_NONE, .jvm = TARGET_JVM_NONE, .given = PROC_NONE, .number = -1};
    uint64_t windows[READING_PSI_MAX];
    unsigned count = rule_psi_windows(p->rules, windows);
    int r;

    assert(path ? pid == 0 : pid > 0);
    if (path) {
        r = memcg_open_path(path, &t.memcg, e);
    } else {
        r = proc_open("/proc", pid, &proc);
        r = r < 0 ? err_set(e, r, "process %d: %s", (int)pid, r == -ESRCH ? "there is no such process" : strerror(-r))
                  : memcg_open(&proc, &t.memcg, e);
    }
    if (r < 0)
        return r;
    for (unsigned i = 0; i < count; i++)
        t.psi[i].window_ms = windows[i];
    name_it(&t, pid, path);
    last_known_cgroup(&t.last, &t.memcg);
    *ret = t;
    return 0;
}

void target_done(struct target *t)
{
    for (unsigned i = 0; i < t->signals; i++)
        memsignal_done(&t->signal[i]);
    t->signals = 0;
    proc_done(&t->given);
    target_jvm_done(&t->jvm);
    last_known_done(&t->last);
    memcg_done(&t->memcg);
}
