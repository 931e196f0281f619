/* SPDX-License-Identifier: Apache-2.0
 *
 * Limits are back whoever is killed when: the guard at each step of an override, its restorer at each step back. The
 * settings are files of a folder (this file stands in for guard/cgroup_setting.c); the test is its own restorer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/text.h"
#include "guard/cgroup_setting.h"
#include "guard/limit_override.h"
#include "guard/limit_restorer.h"
#include "linux/bootid.h"
#include "scratch.h"

static const char CGROUP[] = "TEST_CGROUP", DIES_AT[] = "TEST_DIES_AT", BOOT[] = "7e1ec4c6-0b52-4fc7-9a45-1de5d0f7d8aa";

static unsigned steps, dies_at; /* 0: lives */
static unsigned forks;

static const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value ? value : "";
}

static void step(void)
{
    if (++steps == dies_at)
        raise(SIGKILL);
}

/* --- in place of guard/cgroup_setting.c and linux/bootid.c ----------------------------------------------------------
 */

int bootid_read(char ret[BOOTID_MAX])
{
    step();
    snprintf(ret, BOOTID_MAX, "%s", BOOT);
    return 0;
}

int setting_open(const struct limit_override_setting *s)
{
    step();
    assert_string_equal(s->cgroup, "/sys/fs/cgroup/memory/a");
    return open(variable(CGROUP), O_PATH | O_DIRECTORY | O_CLOEXEC);
}

int setting_of_level(const struct memcg *m, unsigned level, struct limit_override_setting *ret)
{
    (void)m;
    (void)level;
    *ret = (struct limit_override_setting){.cgroup = "/sys/fs/cgroup/memory/a", .device = 1, .inode = 2};
    return setting_open(ret);
}

static int load(int folder, const char *name, char text[128])
{
    CLEANUP_FD int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -errno : file_pread(fd, text, 127, 0);

    text[n < 0 ? 0 : n] = '\0';
    return n < 0 ? (int)n : 0;
}

int setting_read(int folder, enum limit_override_file file, char ret[LIMIT_OVERRIDE_VALUE_MAX])
{
    char text[128];
    int r = load(folder, limit_override_file_name(file), text);

    step();
    return r < 0 ? r : limit_override_value(file, text, ret);
}

/* At once, as a cgroup's file: nothing is ever half written. */
int setting_write(int folder, enum limit_override_file file, const char *value)
{
    char text[128];

    step();
    snprintf(text, sizeof(text), file == LIMIT_OVERRIDE_V1_OOM ? "oom_kill_disable %s\nunder_oom 0\n" : "%s\n", value);
    CLEANUP_FD int fd = openat(folder, limit_override_file_name(file), O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_int_equal(file_write(fd, text, strlen(text)), 0);
    step();
    return 0;
}

int setting_usage(int folder, enum limit_override_file file, uint64_t *ret)
{
    (void)folder;
    (void)file;
    *ret = 90 << 20;
    return 0;
}

/* --- the test -------------------------------------------------------------------------------------------------------
 */

static int set_up(void **state)
{
    char root[PATH_MAX], path[PATH_MAX + 8];

    if (scratch_set_up(state) < 0 || !realpath(scratch_root, root))
        return -1;
    snprintf(path, sizeof(path), "%s/cg", root);
    setenv(CGROUP, path, 1);
    scratch_put("cg", "memory.limit_in_bytes", "104857600\n");
    scratch_put("cg", "memory.memsw.limit_in_bytes", "104857600\n");
    scratch_put("cg", "memory.usage_in_bytes", "94371840\n");
    scratch_put("cg", "memory.stat", "hierarchical_memory_limit 104857600\n");
    scratch_put("cg", "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n");
    steps = dies_at = forks = 0;
    return prctl(PR_SET_CHILD_SUBREAPER, 1);
}

static bool is_changed(void)
{
    CLEANUP_FD int folder = openat(scratch_fd, "cg", O_PATH | O_CLOEXEC);
    char limit[128], both[128], oom[128];

    assert_int_equal(load(folder, "memory.limit_in_bytes", limit), 0);
    assert_int_equal(load(folder, "memory.memsw.limit_in_bytes", both), 0);
    assert_int_equal(load(folder, "memory.oom_control", oom), 0);
    return !text_eq(limit, "104857600\n") || !text_eq(both, "104857600\n") || !text_starts(oom, "oom_kill_disable 0");
}

static unsigned journals(void)
{
    CLEANUP_DIR DIR *dir = file_opendir(scratch_fd, "overrides");
    unsigned n = 0;

    for (struct dirent *d; dir && (d = readdir(dir));)
        n += limit_restorer_is_name(d->d_name);
    return n;
}

static void init(struct limit_overrides *l)
{
    const struct limit_override_policy policy = {
        .lend = UINT64_C(16) << 20, .hold_ms = UINT64_C(30) * 1000, .state = scratch_root};

    assert_int_equal(limit_overrides_init(l, &policy, NULL), 0);
}

static void begin(struct limit_overrides *l, struct limit_override_outcome *ret)
{
    CLEANUP(memcg_done) struct memcg m = MEMCG_NONE;

    assert_int_equal(memcg_open_path(variable(CGROUP), &m, NULL), 0);
    limit_overrides_begin(l, &m, "a", clock_mono_ms(), ret);
}

/* A guard that has a limit changed, and dies: at that step, or when it is changed. */
static void guard(unsigned at)
{
    struct limit_override_outcome o;
    struct limit_overrides l;

    init(&l);
    dies_at = at;
    begin(&l, &o);
    _exit(o.override.count == 3 && is_changed() ? 0 : 1);
}

/* Of all that is below us: whether the first was killed, and whether any was. */
static void wait_for_all(pid_t first, bool *ret_first, bool *ret_any)
{
    int status;
    pid_t pid;

    *ret_first = *ret_any = false;
    while ((pid = waitpid(-1, &status, 0)) > 0) {
        bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;

        assert_true(killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
        *ret_first |= killed && pid == first;
        *ret_any |= killed;
    }
}

static void next_guard_puts_it_back(void)
{
    struct limit_overrides l;
    bool ignored;

    init(&l);
    limit_overrides_done(&l);
    wait_for_all(0, &ignored, &ignored);
    assert_false(is_changed());
    assert_int_equal(journals(), 0);
}

static void a_guard_that_is_killed_at_any_step_leaves_no_limit_changed(void **state)
{
    bool killed = true, any;
    unsigned n = 0;

    (void)state;
    while (killed) {
        pid_t child = fork();

        if (child == 0)
            guard(n + 1);
        wait_for_all(child, &killed, &any);
        next_guard_puts_it_back();
        n += killed;
    }
    assert_true(n > 15); /* three settings: read, opened, written */
}

static void a_restorer_that_is_killed_at_any_step_is_made_up_for(void **state)
{
    bool first, any = true;
    unsigned n = 0;

    (void)state;
    while (any) {
        char at[16];
        pid_t child;

        snprintf(at, sizeof(at), "%u", n + 1);
        setenv(DIES_AT, at, 1);
        if ((child = fork()) == 0)
            guard(0);
        wait_for_all(child, &first, &any);
        assert_false(first);
        assert_int_equal(journals(), any ? 1 : 0);
        unsetenv(DIES_AT);
        next_guard_puts_it_back();
        n += any;
    }
    assert_true(n >= 12); /* three settings: opened, read, written */
}

static pid_t fork_fails(void)
{
    forks++;
    errno = EAGAIN;
    return -1;
}

static void without_a_restorer_nothing_is_changed(void **state)
{
    struct limit_override_outcome o;
    struct limit_overrides l;

    (void)state;
    init(&l);
    l.fork = fork_fails;
    begin(&l, &o);
    assert_int_equal(forks, 1);
    assert_int_equal(o.restorer, 0);
    assert_int_equal(o.override.count, 0);
    assert_true(strstr(o.lend.msg, "temporarily unavailable"));
    assert_true(strstr(o.hold.msg, "temporarily unavailable"));
    assert_false(is_changed());
    assert_int_equal(journals(), 0);
    limit_overrides_done(&l);
}

/* The number of a process that has ended may be another child's by now. */
static void an_ended_restorer_is_not_reaped_twice(void **state)
{
    struct limit_override_outcome o;
    struct limit_overrides l;
    int status;
    pid_t pid;

    (void)state;
    init(&l);
    begin(&l, &o);
    assert_true(o.restorer > 0 && is_changed());
    limit_overrides_end(&l, o.restorer);
    pid = waitpid(-1, &status, 0);
    assert_true(limit_overrides_reap(&l, pid, status));
    assert_false(limit_overrides_reap(&l, pid, status));
    assert_false(is_changed());
    limit_overrides_end(&l, o.restorer);
    limit_overrides_done(&l);
}

static void the_command_line_is_read_as_it_was_written(void **state)
{
    struct limit_restorer_request r = {.folder = "/state/overrides", .json_log = true, .has_journal = true}, again;
    char name[LIMIT_RESTORER_NAME_MAX], *argv[LIMIT_RESTORER_ARGS + 1];

    (void)state;
    limit_restorer_new_name(name);
    r.name = name;
    limit_restorer_encode(&r, argv);
    assert_string_equal(argv[1], "guard-restore");
    assert_null(argv[LIMIT_RESTORER_ARGS]);
    assert_int_equal(limit_restorer_decode(LIMIT_RESTORER_ARGS - 1, argv + 1, &again, NULL), 0);
    assert_string_equal(again.folder, r.folder);
    assert_string_equal(again.name, name);
    assert_true(again.json_log && again.has_journal);
    argv[3] = (char[]){"override-1.json"};
    assert_true(limit_restorer_decode(LIMIT_RESTORER_ARGS - 1, argv + 1, &again, NULL) < 0);
    assert_true(limit_restorer_decode(2, argv + 1, &again, NULL) < 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_guard_that_is_killed_at_any_step_leaves_no_limit_changed, set_up,
                                        scratch_tear_down),
        cmocka_unit_test_setup_teardown(a_restorer_that_is_killed_at_any_step_is_made_up_for, set_up,
                                        scratch_tear_down),
        cmocka_unit_test_setup_teardown(without_a_restorer_nothing_is_changed, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(an_ended_restorer_is_not_reaped_twice, set_up, scratch_tear_down),
        cmocka_unit_test(the_command_line_is_read_as_it_was_written),
    };
    struct limit_restorer_request request;
    uint64_t at;

    if (argc > 1 && text_eq(argv[1], "guard-restore")) {
        dies_at = text_parse_uint(variable(DIES_AT), UINT32_MAX, &at) < 0 ? 0 : (unsigned)at;
        return limit_restorer_decode(argc - 1, argv + 1, &request, NULL) < 0 ? 2 : limit_restorer_main(&request);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
