/* SPDX-License-Identifier: Apache-2.0
 *
 * Relies on this: the name of a process has at most 15 bytes, the name of a cgroup has no '/' and no new line.
 */
#include "oom/oomline.h"

#include <string.h>

#include "base/mem.h"
#include "base/scan.h"
#include "base/text.h"
#include "linux/cgroup.h"

enum {
    CUT_RECORD_MIN = 960
}; /* printk cuts at 1024 bytes less its prefix: 976 to 1024, by version and configuration */

/* --- the head -------------------------------------------------------------------------------------------------------
 */

/* ", order=0, oom_adj=0, oom_score_adj=0", with any blanks, as far as present. */
static void take_invoked_numbers(const char *at, struct oomkill_invoker *ret)
{
    int64_t n;

    ret->order = ret->oom_score_adj = OOMKILL_NO_SCORE;
    while (at) {
        at += strspn(at, ", ");
        if (scan_word(&at, "order=") && scan_int(&at, &n) && n >= -1 && n <= 64)
            ret->order = (int)n;
        else if (scan_word(&at, "oom_score_adj=") && scan_int(&at, &n) && n >= -1000 && n <= 1000)
            ret->oom_score_adj = (int)n;
        at = strpbrk(at, ", ");
    }
}

bool oomline_invoked(const char *text, struct oomkill_invoker *ret)
{
    const char *name_end = strstr(text, " invoked oom-killer: gfp_mask=0x"), *gfp;

    if (!name_end || name_end - text >= OOMKILL_NAME_MAX)
        return false;
    gfp = name_end + strlen(" invoked oom-killer: gfp_mask=");
    scan_copy(text, name_end, ret->name, sizeof(ret->name));
    if (!scan_copy(gfp, gfp + strcspn(gfp, ", "), ret->gfp, sizeof(ret->gfp)))
        ret->gfp[0] = '\0';
    ret->pid = OOMKILL_UNKNOWN;
    take_invoked_numbers(gfp, ret);
    return true;
}

/* "Pid: 4711, comm: java Not tainted 2.6.32", until Linux 3.9. */
static bool old_stack(const char *text, const char *name, uint64_t *ret_pid)
{
    const char *at = text;
    uint64_t pid;

    if (!scan_word(&at, "Pid: ") || !scan_number(&at, &pid) || !scan_word(&at, ", comm: ") || !scan_word(&at, name))
        return false;
    *ret_pid = pid;
    return true;
}

bool oomline_stack(const char *text, const char *name, uint64_t *ret_pid)
{
    const char *at = text;
    uint64_t cpu, uid, pid;

    if (*name && old_stack(text, name, ret_pid))
        return true;
    if (!scan_word(&at, "CPU: ") || !scan_number(&at, &cpu) || (scan_word(&at, " UID: ") && !scan_number(&at, &uid)) ||
        !scan_word(&at, " PID: ") || !scan_number(&at, &pid) || !scan_word(&at, " Comm: ") || !*name ||
        !scan_word(&at, name))
        return false;
    *ret_pid = pid;
    return true;
}

bool oomline_amount(const char *text, const char *what, struct oomkill_amount *ret)
{
    struct oomkill_amount a;
    const char *at = text;

    if (!scan_word(&at, what) || !scan_word(&at, ": usage ") || !scan_kb(&at, &a.usage) ||
        !scan_word(&at, ", limit ") || !scan_kb(&at, &a.limit) || !scan_word(&at, ", failcnt ") ||
        !scan_number(&at, &a.failcnt) || *at)
        return false;
    a.limit = cgroup_limit(a.limit); /* no limit is OOMKILL_UNKNOWN */
    *ret = a;
    return true;
}

bool oomline_ram(const char *text, uint64_t page_size, uint64_t *ret_bytes)
{
    const char *at = text;
    uint64_t pages;

    if (!scan_number(&at, &pages) || !text_eq(at, " pages RAM") || __builtin_mul_overflow(pages, page_size, &pages))
        return false;
    *ret_bytes = pages;
    return true;
}

/* Whether the cgroup "path" (up to end) is top (size bytes) or below it. */
static bool is_below(const char *path, const char *end, const char *top, size_t size)
{
    size_t length = (size_t)(end - path);

    if (size == 1) /* "/" */
        return true;
    return length >= size && memcmp(path, top, size) == 0 && (length == size || path[size] == '/');
}

bool oomline_task_in(const char *text, struct oomkill *ret)
{
    static const char BETWEEN[] = " killed as a result of limit of ";
    const char *task = text, *end = text + strlen(text), *between, *limit;

    if (!scan_word(&task, "Task in ") || *task != '/')
        return false;
    /* The name of a cgroup may contain the separator. */
    for (between = scan_last(task, end, BETWEEN); between; between = scan_last(task, between, BETWEEN)) {
        limit = between + sizeof(BETWEEN) - 1;
        if (*limit != '/' || !is_below(task, between, limit, (size_t)(end - limit)))
            continue;
        return scan_copy(task, between, ret->task_cgroup, OOMKILL_PATH_MAX) &&
               scan_copy(limit, end, ret->limit_cgroup, OOMKILL_PATH_MAX);
    }
    /* "limit of host": the limit of no cgroup. */
    between = scan_last(task, end, BETWEEN);
    limit = between ? between + sizeof(BETWEEN) - 1 : NULL;
    return limit && *limit && !strpbrk(limit, "/ ") && scan_copy(task, between, ret->task_cgroup, OOMKILL_PATH_MAX);
}

/* --- statistics -----------------------------------------------------------------------------------------------------
 */

static bool add_stat(struct oomkill *k, const char *name, size_t size, uint64_t value)
{
    struct oomkill_stat *s = &k->stat[k->stat_count];

    if (k->stat_count == OOMKILL_STATS_MAX || size == 0 || size >= OOMKILL_STAT_NAME_MAX)
        return false;
    memcpy(s->name, name, size);
    s->name[size] = '\0';
    s->value = value;
    k->stat_count++;
    return true;
}

static size_t stat_name(const char *text)
{
    return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");
}

/* " cache:0KB rss:12KB …" up to the end, from the end on: where that begins. */
static const char *find_old_stats(const char *text)
{
    const char *begin = text + strlen(text);

    for (;;) {
        const char *blank = scan_last(text, begin, " "), *at;
        uint64_t n;

        if (!blank)
            return begin;
        at = blank + 1 + stat_name(blank + 1);
        if (!scan_word(&at, ":") || !scan_number(&at, &n) || !scan_word(&at, "KB") || at != begin)
            return begin;
        begin = blank;
    }
}

bool oomline_stats_of(const char *text, struct oomkill *ret)
{
    char path[OOMKILL_PATH_MAX];
    const char *at = text, *stats;
    uint64_t n;

    if (!scan_word(&at, "Memory cgroup stats for ") || *at != '/')
        return false;
    stats = find_old_stats(at);
    if (stats - at < 2 || stats[-1] != ':' || !scan_copy(at, stats - 1, path, sizeof(path)))
        return false;
    if (*ret->limit_cgroup && !text_eq(path, ret->limit_cgroup))
        return true;
    memcpy(ret->limit_cgroup, path, sizeof(path));
    ret->stat_count = 0;
    while (*stats == ' ') {
        const char *name = stats + 1, *end = name + stat_name(name);

        stats = end + 1;
        if (!scan_number(&stats, &n) || !scan_word(&stats, "KB") || __builtin_mul_overflow(n, 1024, &n) ||
            !add_stat(ret, name, (size_t)(end - name), n))
            break;
    }
    return true;
}

bool oomline_stats(const char *text, struct oomkill *ret)
{
    bool cut = strlen(text) >= CUT_RECORD_MIN, any = false;

    while (*text) {
        const char *name = text, *name_end = name + stat_name(name), *at = name_end;
        uint64_t n;

        if (!scan_word(&at, " ") || !scan_number(&at, &n) || (*at && *at != '\n') || (cut && !*at) ||
            !add_stat(ret, name, (size_t)(name_end - name), n))
            break;
        any = true;
        text = at + (*at == '\n');
    }
    return any;
}

/* --- the choice -----------------------------------------------------------------------------------------------------
 */

/* ",pid=4711,uid=0" at the end of text: where that begins; NULL without. */
static const char *find_ids(const char *text, uint64_t *ret_pid, uint64_t *ret_uid)
{
    const char *end = text + strlen(text), *uid = scan_last(text, end, ",uid="), *at;
    const char *pid = uid ? scan_last(text, uid, ",pid=") : NULL;

    if (!pid)
        return NULL;
    at = pid + strlen(",pid=");
    if (!scan_number(&at, ret_pid) || at != uid || !scan_word(&at, ",uid=") || !scan_number(&at, ret_uid) || *at)
        return NULL;
    return pid;
}

static const char *name_of(const struct oomkill *k, uint64_t pid)
{
    for (unsigned i = 0; i < k->task_count; i++)
        if (k->task[i].pid == pid)
            return k->task[i].name;
    return NULL;
}

/* ",task=NAME" that ends at end: where it begins. As the table of tasks has the name, else as short as can be. */
static const char *find_task(const char *text, const char *end, const char *name)
{
    static const char TASK[] = ",task=";
    const char *at = scan_last(text, end, TASK);

    if (name && (size_t)(end - text) >= strlen(TASK) + strlen(name)) {
        const char *whole = end - strlen(name);

        if (memcmp(whole, name, strlen(name)) == 0 && scan_last(text, whole, TASK) == whole - strlen(TASK))
            return whole - strlen(TASK);
    }
    return at && end - at - (ptrdiff_t)strlen(TASK) < OOMKILL_NAME_MAX ? at : NULL;
}

/* "LIMIT,task_memcg=TASK" up to end: the limit is as known, else the first that the task is below of. */
static bool split_cgroups(const char *text, const char *end, const char *known, struct oomline_summary *s)
{
    static const char BETWEEN[] = ",task_memcg=";

    for (const char *p = text; (p = strstr(p, BETWEEN)) && p < end; p++) {
        const char *task = p + strlen(BETWEEN);
        size_t size = (size_t)(p - text);

        if (*task != '/' || (*known && (strlen(known) != size || memcmp(text, known, size) != 0)) ||
            !is_below(task, end, text, size))
            continue;
        return scan_copy(text, p, s->limit_cgroup, OOMKILL_PATH_MAX) &&
               scan_copy(task, end, s->task_cgroup, OOMKILL_PATH_MAX);
    }
    return false;
}

bool oomline_summary(const char *text, const struct oomkill *k, struct oomline_summary *ret)
{
    struct oomline_summary s = {0};
    const char *at = text, *memcg, *global, *ids = find_ids(text, &s.pid, &s.uid), *task;

    if (!ids || !scan_word(&at, "oom-kill:constraint="))
        return false;
    if (!scan_copy(at, at + strcspn(at, ","), s.constraint, sizeof(s.constraint)))
        return false;
    task = find_task(at, ids, name_of(k, s.pid));
    if (!task || !scan_copy(task + strlen(",task="), ids, s.name, sizeof(s.name)))
        return false;
    /* What comes before these, the cpuset's name, has no '/' but as the root's. */
    memcg = strstr(at, ",oom_memcg=/");
    global = strstr(at, ",global_oom,task_memcg=/");
    if (memcg && (!global || memcg < global)) {
        if (!split_cgroups(memcg + strlen(",oom_memcg="), task, k->limit_cgroup, &s))
            return false;
    } else if (global && global < task &&
               !scan_copy(global + strlen(",global_oom,task_memcg="), task, s.task_cgroup, OOMKILL_PATH_MAX)) {
        return false; /* a kernel without memory cgroups says neither */
    }
    *ret = s;
    return true;
}

bool oomline_is_begun(const char *text)
{
    static const char *const begin[] = {
        "Killed process ", "Memory cgroup ", "Out of memory",   "oom-kill:", "Task in /", "Tasks in /",
        "memory: usage ",  "swap: usage ",   "memory+swap: us", "kmem: us",  "[ ",        "oom_reaper: ",
    };

    for (size_t i = 0; i < ARRAY_SIZE(begin); i++)
        if (text_starts(text, begin[i]))
            return true;
    return strstr(text, " invoked oom-k") || (*text == '[' && text[1] >= '0' && text[1] <= '9');
}

bool oomline_is_piece(const char *text)
{
    const char *at = text;
    uint64_t n;

    if (text_starts(text, " killed as a result of limit of ") || text_starts(text, "killed as a result of limit of "))
        return true;
    if (!scan_word(&at, " "))
        return false;
    at += strspn(at, "abcdefghijklmnopqrstuvwxyz_");
    return scan_word(&at, ":") && scan_number(&at, &n) && text_starts(at, "KB");
}

bool oomline_has_end(const char *text)
{
    size_t size = strlen(text);

    return (size > 0 && text[size - 1] == ':' && text_starts(text, "Memory cgroup stats for /")) ||
           strstr(text, ", oom_score_adj=");
}
