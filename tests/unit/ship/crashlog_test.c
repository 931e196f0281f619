/* SPDX-License-Identifier: Apache-2.0
 *
 * Crash logs of JVMs that have ended are copied; files of the same name that are not theirs, or are no crash logs, are
 * not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/wait.h"
#include "scratch.h"
#include "ship/crashlog.h"

#define LOG "#\n# A fatal error has been detected by the Java Runtime Environment:\n#\n#  SIGSEGV (0xb)\n"

static struct crashlogs c;
static char to[PATH_MAX];

static int set_up(void **state)
{
    char cwd[PATH_MAX];

    if (scratch_set_up(state) < 0 || !getcwd(cwd, sizeof(cwd)))
        return -1;
    if (snprintf(to, sizeof(to), "%s/%s/to", cwd, scratch_root) >= (int)sizeof(to))
        return -1;
    c = (struct crashlogs){.to = to};
    return mkdirat(scratch_fd, "to", 0700) < 0 || mkdirat(scratch_fd, "work", 0700) < 0;
}

static int tear_down(void **state)
{
    crashlogs_done(&c);
    return scratch_tear_down(state);
}

static bool works_in(const struct jvm *j, const char *folder)
{
    char path[PATH_MAX];
    ssize_t n = readlinkat(j->proc.fd, "cwd", path, sizeof(path) - 1);

    return n > 0 && (path[n] = '\0', text_eq(text_base_name(path), folder));
}

/* A process that works in that folder, as a JVM would be opened. With SIGUSR1 it goes on in the folder "work". */
static pid_t start_jvm_in(const char *folder, struct jvm *ret)
{
    sigset_t go_on;
    int number;
    int ready[2];
    char byte;
    pid_t child;

    assert_int_equal(pipe(ready), 0);
    sigemptyset(&go_on);
    sigaddset(&go_on, SIGUSR1);
    if ((child = fork()) == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        sigprocmask(SIG_BLOCK, &go_on, NULL);
        if (fchdir(openat(scratch_fd, folder, O_RDONLY | O_DIRECTORY)) < 0 || write(ready[1], "x", 1) != 1)
            _exit(1);
        while (sigwait(&go_on, &number) == 0 && fchdir(openat(scratch_fd, "work", O_RDONLY | O_DIRECTORY)) == 0)
            ;
        _exit(1);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    *ret = (struct jvm)JVM_NONE;
    assert_int_equal(proc_open("/proc", child, &ret->proc), 0);
    assert_int_equal(proc_status(&ret->proc, &ret->status), 0);
    ret->started_ns = clock_wall_ns();
    return child;
}

static pid_t start_jvm(struct jvm *ret)
{
    return start_jvm_in("work", ret);
}

static const char *log_name(pid_t pid)
{
    static char name[64];

    snprintf(name, sizeof(name), "hs_err_pid%d.log", (int)pid);
    return name;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    wait_child(pid);
}

/* Whether its copy is there, with that text. */
static bool is_copied(pid_t pid, const char *text)
{
    CLEANUP(buf_done) struct buf found = {0};
    char path[80];

    snprintf(path, sizeof(path), "to/%s", log_name(pid));
    if (file_load(scratch_fd, path, &found) < 0)
        return false;
    assert_string_equal(buf_text(&found), text);
    return true;
}

static struct jvmtrace trace; /* of the JVM that was noted last */

static void note(const struct jvm *j)
{
    jvmtrace_fill(j, &trace);
    crashlogs_note(&c, &trace);
}

/* A JVM that is noted, leaves a file in its working folder, and ends. */
static pid_t run_jvm(const char *text)
{
    CLEANUP(jvm_done) struct jvm j;
    pid_t pid = start_jvm(&j);

    note(&j);
    scratch_put("work", log_name(pid), text);
    end(pid);
    return pid;
}

static void a_log_is_copied_once_its_jvm_has_ended(void **state)
{
    CLEANUP(jvm_done) struct jvm j;
    pid_t pid = start_jvm(&j);

    (void)state;
    note(&j);
    scratch_put("work", log_name(pid), LOG);
    crashlogs_collect(&c);
    assert_false(is_copied(pid, LOG));
    assert_int_equal(c.count, 1);
    kill(pid, SIGKILL);
    while (proc_status(&j.proc, &j.status) == 0 && j.status.state != 'Z')
        clock_sleep_ms(1);
    crashlogs_note(&c, &trace); /* as after an attempt to attach that it did not survive */
    assert_int_equal(c.count, 1);
    crashlogs_collect(&c); /* it is a zombie, which counts as ended */
    assert_true(is_copied(pid, LOG));
    assert_int_equal(c.count, 0);
    wait_child(pid);
}

static void the_folder_that_a_jvm_works_in_while_it_makes_its_counters_is_not_its_own(void **state)
{
    CLEANUP(jvm_done) struct jvm j;
    pid_t pid;

    (void)state;
    assert_int_equal(mkdirat(scratch_fd, "hsperfdata_root", 0700), 0);
    pid = start_jvm_in("hsperfdata_root", &j);
    note(&j);
    assert_int_equal(kill(pid, SIGUSR1), 0);
    while (!works_in(&j, "work"))
        clock_sleep_ms(1);
    note(&j);
    scratch_put("work", log_name(pid), LOG);
    end(pid);
    crashlogs_collect(&c);
    assert_true(is_copied(pid, LOG));
}

static void a_jvm_that_ended_without_a_log_is_forgotten(void **state)
{
    CLEANUP(jvm_done) struct jvm j;
    pid_t pid = start_jvm(&j);

    (void)state;
    note(&j);
    end(pid);
    crashlogs_collect(&c);
    assert_int_equal(c.count, 0);
}

static void what_is_no_crash_log_is_left_alone(void **state)
{
    pid_t pid = run_jvm("secret=1\n");

    (void)state;
    crashlogs_collect(&c);
    assert_false(is_copied(pid, ""));
}

static void a_log_from_before_the_jvm_is_left_alone(void **state)
{
    const struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
    pid_t pid = run_jvm(LOG);
    char path[80];

    (void)state;
    snprintf(path, sizeof(path), "work/%s", log_name(pid));
    assert_int_equal(utimensat(scratch_fd, path, old, 0), 0);
    crashlogs_collect(&c);
    assert_false(is_copied(pid, LOG));
}

static void a_link_is_not_followed(void **state)
{
    CLEANUP(jvm_done) struct jvm j;
    pid_t pid = start_jvm(&j);
    char path[80];

    (void)state;
    note(&j);
    scratch_put("work", "other", LOG);
    snprintf(path, sizeof(path), "work/%s", log_name(pid));
    assert_int_equal(symlinkat("other", scratch_fd, path), 0);
    end(pid);
    crashlogs_collect(&c);
    assert_false(is_copied(pid, LOG));
}

static void a_copy_that_is_there_is_not_written_over(void **state)
{
    pid_t pid = run_jvm(LOG);

    (void)state;
    scratch_put("to", log_name(pid), "mine");
    crashlogs_collect(&c);
    assert_true(is_copied(pid, "mine"));
}

static void a_jvm_is_noted_once_and_not_with_a_file_of_its_own(void **state)
{
    CLEANUP(jvm_done) struct jvm j, told;
    pid_t pid = start_jvm(&j), other = start_jvm(&told);

    (void)state;
    note(&j);
    note(&j);
    assert_int_equal(c.count, 1);
    told.options.error_file = strdup("/var/log/crash.log");
    note(&told);
    assert_int_equal(c.count, 1);
    end(pid);
    end(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_log_is_copied_once_its_jvm_has_ended, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_folder_that_a_jvm_works_in_while_it_makes_its_counters_is_not_its_own,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_jvm_that_ended_without_a_log_is_forgotten, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_crash_log_is_left_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_log_from_before_the_jvm_is_left_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_link_is_not_followed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_copy_that_is_there_is_not_written_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_jvm_is_noted_once_and_not_with_a_file_of_its_own, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
