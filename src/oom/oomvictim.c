/* SPDX-License-Identifier: Apache-2.0
 *
 * Searches for the words around the name from the end, because a name may contain them.
 */
#include "oom/oomvictim.h"

#include <string.h>

#include "base/mem.h"
#include "base/scan.h"
#include "base/text.h"

/* The words before "Killed process" and "Kill process". */
static enum oomvictim_scope take_scope(const char **at)
{
    static const struct {
        const char *text;
        enum oomvictim_scope scope;
    } words[] = {{"Memory cgroup out of memory: ", OOMVICTIM_CGROUP},
                 {"Memory cgroup out of memory (oom_kill_allocating_task): ", OOMVICTIM_CGROUP},
                 {"Out of memory: ", OOMVICTIM_MACHINE},
                 {"Out of memory (oom_kill_allocating_task): ", OOMVICTIM_MACHINE},
                 {"No available memory in cpuset: ", OOMVICTIM_CPUSET},
                 {"No available memory (MPOL_BIND): ", OOMVICTIM_POLICY}}; /* the last two until Linux 2.6.35 */

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (scan_word(at, words[i].text))
            return words[i].scope;
    return OOMVICTIM_ANY;
}

/* --- the sizes ------------------------------------------------------------------------------------------------------
 */

/* "total-vm:1kB" */
static bool take_size(const char *text, const char *name, uint64_t *ret)
{
    return scan_word(&text, name) && scan_word(&text, ":") && scan_kb(&text, ret) &&
           (*text == '\0' || strchr(", ", *text));
}

static bool take_one(const char *at, struct oomkill_process *p)
{
    int64_t score;

    if (scan_word(&at, "UID:"))
        return scan_number(&at, &p->uid);
    if (scan_word(&at, "oom_score_adj:")) {
        if (!scan_int(&at, &score) || score < -1000 || score > 1000)
            return false;
        p->oom_score_adj = (int)score;
        return true;
    }
    return take_size(at, "total-vm", &p->total_vm) || take_size(at, "vsz", &p->total_vm) ||
           take_size(at, "anon-rss", &p->rss_anon) || take_size(at, "file-rss", &p->rss_file) ||
           take_size(at, "shmem-rss", &p->rss_shmem) || take_size(at, "pgtables", &p->pgtables) ||
           take_size(at, "swap", &p->swap) || take_size(at, "swapents", &p->swap);
}

/* A field that take_one knows must be valid; an unknown field needs the form "name:1kB". */
static bool is_other(const char *at, size_t size)
{
    static const char *const known[] = {"UID:",      "oom_score_adj:", "total-vm:", "vsz:",  "anon-rss:",
                                        "file-rss:", "shmem-rss:",     "pgtables:", "swap:", "swapents:"};
    size_t name = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (text_starts(at, known[i]))
            return false;
    return name > 0 && name < size && at[name] == ':' && strspn(at + name + 1, "-0123456789kB") == size - name - 1 &&
           name + 1 < size;
}

static bool take_sizes(const char *at, struct oomkill_process *p)
{
    while (*at) {
        size_t size = strcspn(at, ", ");

        if (!take_one(at, p) && !is_other(at, size))
            return false;
        at += size;
        at += strspn(at, ", ");
    }
    return true;
}

static void add_up(struct oomkill_process *p)
{
    if (p->rss_anon == OOMKILL_UNKNOWN || p->rss_file == OOMKILL_UNKNOWN ||
        __builtin_add_overflow(p->rss_anon, p->rss_file, &p->rss) ||
        (p->rss_shmem != OOMKILL_UNKNOWN && __builtin_add_overflow(p->rss, p->rss_shmem, &p->rss)))
        p->rss = OOMKILL_UNKNOWN;
}

/* --- the name -------------------------------------------------------------------------------------------------------
 */

/* The name up to end, and the sizes, into ret: both or nothing. */
static bool take_rest(const char *name, const char *end, const char *sizes, struct oomkill_process *ret)
{
    struct oomkill_process p = *ret;

    if (!end || !scan_copy(name, end, p.name, sizeof(p.name)) || !take_sizes(sizes, &p))
        return false;
    *ret = p;
    return true;
}

/* "NAME) total-vm:1kB, …" and the other formats of kernels. name: behind " (". */
static bool take_name(const char *name, struct oomkill_process *p)
{
    const char *stop = name + strlen(name), *end, *rest;
    uint64_t uid;

    if ((end = scan_last(name, stop, ") total-vm:")) && take_rest(name, end, end + 2, p))
        return true;
    if ((end = scan_last(name, stop, ") vsz:")) && take_rest(name, end, end + 2, p)) /* Linux 2.6.33 to 2.6.35 */
        return true;
    if ((end = scan_last(name, stop, "), UID "))) { /* RHEL 7: "NAME), UID 0, total-vm:1kB, …" */
        rest = end + strlen("), UID ");
        if (!scan_number(&rest, &uid) || !scan_word(&rest, ", total-vm:") ||
            !take_rest(name, end, rest - strlen("total-vm:"), p))
            return false;
        p->uid = uid;
        return true;
    }
    /* Linux 2.6.32: "NAME)" is all; 2.6.18: "NAME)." */
    end = stop > name && stop[-1] == '.' ? stop - 1 : stop;
    return end > name && end[-1] == ')' && take_rest(name, end - 1, "", p);
}

bool oomvictim_killed(const char *text, enum oomvictim_scope *ret_scope, struct oomkill_process *ret)
{
    struct oomkill_process p;
    const char *at = text;
    enum oomvictim_scope scope = take_scope(&at);

    oomkill_process_init(&p);
    if (!(scan_word(&at, "Killed process ") || scan_word(&at, "killed process ")) || !scan_number(&at, &p.pid))
        return false;
    /* RHEL 6: ", UID 0, (NAME) total-vm:1kB, …" */
    if (scan_word(&at, ", UID ") && (!scan_number(&at, &p.uid) || !scan_word(&at, ",")))
        return false;
    if (!scan_word(&at, " (") || !take_name(at, &p))
        return false;
    add_up(&p);
    *ret = p;
    *ret_scope = scope;
    return true;
}

/* --- other lines ----------------------------------------------------------------------------------------------------
 */

bool oomvictim_chosen(const char *text, enum oomvictim_scope *ret_scope)
{
    const char *at = text;
    enum oomvictim_scope scope = take_scope(&at);
    uint64_t pid;

    if (scope == OOMVICTIM_ANY || !(scan_word(&at, "Kill process ") || scan_word(&at, "kill process ")) ||
        !scan_number(&at, &pid) || !(scan_word(&at, " (") || scan_word(&at, ", UID ")))
        return false;
    *ret_scope = scope;
    return true;
}

bool oomvictim_spared(const char *text)
{
    const char *at = text;

    (void)(scan_word(&at, "Kernel panic - not syncing: ") || scan_word(&at, "Memory cgroup out of memory: ") ||
           scan_word(&at, "Out of memory: "));
    return text_starts(at, "Out of memory and no killable processes") || text_starts(at, "Out of memory: ") ||
           text_starts(at, "System is deadlocked on memory") || text_starts(at, "out of memory. panic_on_oom") ||
           (text_starts(at, "OOM victim ") && text_ends(at, ") is already exiting. Skip killing the task"));
}

bool oomvictim_group(const char *text, char ret_cgroup[OOMKILL_PATH_MAX])
{
    static const char END[] = " are going to be killed due to memory.oom.group set";
    const char *at = text;

    return scan_word(&at, "Tasks in ") && *at == '/' && text_ends(at, END) &&
           scan_copy(at, at + strlen(at) - strlen(END), ret_cgroup, OOMKILL_PATH_MAX);
}

bool oomvictim_reaped(const char *text, uint64_t *ret_pid)
{
    const char *at = text;
    uint64_t pid;

    if (!scan_word(&at, "oom_reaper: reaped process ") || !scan_number(&at, &pid) || !scan_word(&at, " (") ||
        !strstr(at, "), now anon-rss:"))
        return false;
    *ret_pid = pid;
    return true;
}
