/* SPDX-License-Identifier: Apache-2.0
 *
 * v1 refuses (EBUSY) to lower a limit below what is in use and can't be reclaimed: the limit is then lowered as far
 * as possible, so that usage can't grow, and tried again each second. v2 lowers it at once, and kills if it has to.
 */
#include "guard/limit_restorer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/wait.h"
#include "guard/cgroup_setting.h"
#include "linux/bootid.h"

enum { AGAIN_MS = 1000 };

static const char PREFIX[] = "override-", SUFFIX[] = ".json";

struct restorer {
    int folder; /* folder of the journal */
    const char *name;
    int lock; /* descriptor of the journal, locked: no other restorer takes it */
    struct limit_override override;
    bool reported[LIMIT_OVERRIDE_SETTINGS_MAX]; /* that it can't be restored yet */
    bool ended;                                 /* the input has ended; before, only expired holds are restored */
};

static void restorer_done(struct restorer *k)
{
    mem_close_ptr(&k->lock);
}

void limit_restorer_new_name(char ret[LIMIT_RESTORER_NAME_MAX])
{
    uint64_t random = 0;

    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
        random = (uint64_t)getpid() << 32 | clock_mono_ms();
    snprintf(ret, LIMIT_RESTORER_NAME_MAX, "%s%016" PRIx64 "%s", PREFIX, random, SUFFIX);
}

bool limit_restorer_is_name(const char *name)
{
    return text_starts(name, PREFIX) && strspn(name + strlen(PREFIX), "0123456789abcdef") == 16 &&
           text_eq(name + strlen(PREFIX) + 16, SUFFIX);
}

/* --- one setting ----------------------------------------------------------------------------------------------------
 */

static void report(const struct restorer *k, unsigned i, enum event event, const char *value, const char *error)
{
    const struct limit_override_setting *s = &k->override.setting[i];

    log_event(event, LOG_STR("target", k->override.target), LOG_STR("cgroup", s->cgroup),
              LOG_STR("file", limit_override_file_name(s->file)), LOG_STR("value", value), LOG_STR("error", error));
}

/* The journal's descriptor, locked; -EAGAIN: another restorer has it, or has finished. */
static int take_journal(int folder, const char *name)
{
    CLEANUP_FD int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;

    if (fd < 0)
        return errno == ENOENT ? -EAGAIN : -errno;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? -EAGAIN : -errno;
    if (fstat(fd, &st) < 0)
        return -errno;
    return st.st_nlink == 0 ? -EAGAIN : TAKE_FD(fd);
}

/* The lock is taken on the new file before the old one is released. */
static void write_journal(struct restorer *k)
{
    CLEANUP(buf_done) struct buf text = {0};
    int lock;

    if (limit_override_encode(&k->override, &text) < 0 ||
        (lock = file_replace_locked(k->folder, k->name, text.data, text.size, 0600)) < 0)
        return;
    close(k->lock);
    k->lock = lock;
}

/* Lowers the limit as far as possible. The journal first: a value that it lacks would be left alone later. */
static void step_down(struct restorer *k, unsigned i, int folder, const char *current)
{
    struct limit_override_setting *s = &k->override.setting[i];
    uint64_t used, now, before;

    if (s->file != LIMIT_OVERRIDE_V1_LIMIT || setting_usage(folder, s->file, &used) < 0 ||
        text_parse_uint(current, INT64_MAX, &now) < 0 || text_parse_uint(s->before, INT64_MAX, &before) < 0 ||
        used >= now || used <= before)
        return;
    memcpy(s->after, current, sizeof(s->after));
    snprintf(s->step, sizeof(s->step), "%" PRIu64, used);
    write_journal(k);
    setting_write(folder, s->file, s->step);
}

/* True: nothing is left to do. */
static bool restore(struct restorer *k, unsigned i)
{
    struct limit_override_setting *s = &k->override.setting[i];
    CLEANUP_FD int folder = setting_open(s);
    char current[LIMIT_OVERRIDE_VALUE_MAX] = "";
    int r = folder < 0 ? folder : setting_read(folder, s->file, current);
    const char *value = *current ? current : NULL;

    if (r == -ENOENT || r == -ENODEV) {
        report(k, i, EVENT_GUARD_RESTORED, NULL, "the cgroup is gone");
        return true;
    }
    if (r == 0 && text_eq(current, s->before)) {
        report(k, i, EVENT_GUARD_RESTORED, current, NULL);
        return true;
    }
    if (r == -EXDEV || (r == 0 && !text_eq(current, s->after) && !(s->step[0] && text_eq(current, s->step)))) {
        report(k, i, EVENT_GUARD_NOT_RESTORED, r == 0 ? current : NULL,
               "left alone: another program has changed it meanwhile");
        return true;
    }
    if (r == 0)
        r = setting_write(folder, s->file, s->before);
    if (r == 0) {
        report(k, i, EVENT_GUARD_RESTORED, s->before, NULL);
        return true;
    }
    if (r == -EBUSY)
        step_down(k, i, folder, current);
    if (!k->reported[i])
        report(k, i, EVENT_GUARD_NOT_RESTORED, s->step[0] ? s->step : value,
               r == -EBUSY ? "more is in use than the old limit: tried again each second" : strerror(-r));
    k->reported[i] = true;
    return false;
}

static bool is_due(const struct restorer *k, unsigned i, uint64_t now)
{
    return k->ended || (k->override.setting[i].hold && now >= k->override.hold_until_ms);
}

/* The last change first. True: something that is due is not restored yet. */
static bool restore_due(struct restorer *k)
{
    uint64_t now = clock_mono_ms();
    bool waits = false, changed = false;

    for (unsigned i = k->override.count; i-- > 0;) {
        if (!is_due(k, i, now))
            continue;
        if (!restore(k, i)) {
            waits = true;
            continue;
        }
        k->override.count--;
        memmove(&k->override.setting[i], &k->override.setting[i + 1],
                (k->override.count - i) * sizeof(k->override.setting[0]));
        memmove(&k->reported[i], &k->reported[i + 1], (k->override.count - i) * sizeof(k->reported[0]));
        changed = true;
    }
    if (changed && k->override.count > 0)
        write_journal(k);
    return waits;
}

/* --- the process ----------------------------------------------------------------------------------------------------
 */

static int wait_ms(const struct restorer *k, bool waits)
{
    uint64_t until = UINT64_MAX;

    if (waits)
        return AGAIN_MS;
    for (unsigned i = 0; i < k->override.count; i++)
        if (k->override.setting[i].hold)
            until = k->override.hold_until_ms;
    return wait_timeout(clock_mono_ms(), until);
}

static void run(struct restorer *k, int input)
{
    struct pollfd ends = {.fd = input, .events = POLLIN};
    bool waits = false;
    char byte;

    while (k->override.count > 0) {
        if (!k->ended && poll(&ends, 1, wait_ms(k, waits)) > 0)
            k->ended = file_read(input, &byte, 1) <= 0;
        else if (k->ended && waits)
            clock_sleep_ms(AGAIN_MS);
        waits = restore_due(k);
    }
}

int limit_restorer_run(const char *folder, const char *name, int input, int journal, struct err *e)
{
    CLEANUP_FD int dir = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    CLEANUP(buf_done) struct buf text = {.ceiling = LIMIT_OVERRIDE_JOURNAL_MAX};
    CLEANUP(restorer_done) struct restorer k = {.folder = dir, .name = name, .lock = journal};
    char boot[BOOTID_MAX] = "";
    int r;

    if (dir < 0)
        return err_set(e, -errno, "%s: %s", folder, strerror(errno));
    r = 0;
    if (journal < 0 && (r = k.lock = take_journal(dir, name)) == -EAGAIN)
        return 0;
    if (r < 0 || (r = file_load(dir, name, &text)) < 0 ||
        (r = limit_override_decode(text.data, text.size, &k.override)) < 0)
        return err_set(e, r, "%s/%s: %s", folder, name,
                       r == -EBADMSG ? "not a valid journal of changed limits: read it, and remove it" : strerror(-r));
    bootid_read(boot);
    if (text_eq(boot, k.override.boot))
        run(&k, input);
    else
        for (unsigned i = 0; i < k.override.count; i++)
            report(&k, i, EVENT_GUARD_NOT_RESTORED, NULL,
                   "left alone: it was changed before the last boot of this machine");
    unlinkat(dir, name, 0);
    return 0;
}

/* --- its command line -----------------------------------------------------------------------------------------------
 */

void limit_restorer_encode(const struct limit_restorer_request *r, char *ret_argv[LIMIT_RESTORER_ARGS + 1])
{
    const char *const items[] = {"salvage",
                                 "guard-restore",
                                 r->folder,
                                 r->name,
                                 r->json_log ? "json" : "text",
                                 r->has_journal ? "locked" : "left"};

    for (unsigned i = 0; i < LIMIT_RESTORER_ARGS; i++)
        ret_argv[i] = (char *)items[i];
    ret_argv[LIMIT_RESTORER_ARGS] = NULL;
}

int limit_restorer_decode(int argc, char **argv, struct limit_restorer_request *ret, struct err *e)
{
    enum { FOLDER = 1, NAME, LOG, JOURNAL, END };

    _Static_assert(END == LIMIT_RESTORER_ARGS - 1, "both ends have the same order");
    if (argc != END || !limit_restorer_is_name(argv[NAME]))
        return err_set(e, -FAULT_USAGE, "guard-restore: guard starts it");
    *ret = (struct limit_restorer_request){.folder = argv[FOLDER],
                                           .name = argv[NAME],
                                           .json_log = text_eq(argv[LOG], "json"),
                                           .has_journal = text_eq(argv[JOURNAL], "locked")};
    return 0;
}

int limit_restorer_main(const struct limit_restorer_request *request)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    struct err e = {0};
    int r;

    log_set_format(request->json_log ? LOG_JSON : LOG_TEXT);
    /* A signal to the process group is meant for the guard, whose end ends the input. */
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
        signal(signals[i], SIG_IGN);
    r = limit_restorer_run(request->folder, request->name, STDIN_FILENO,
                           request->has_journal ? LIMIT_RESTORER_JOURNAL : -1, &e);
    if (r < 0)
        log_event(EVENT_GUARD_NOT_RESTORED, LOG_STR("error", e.msg));
    /* An invalid journal stays invalid: only other errors are worth another try. */
    return r < 0 && r != -EBADMSG;
}
