/* SPDX-License-Identifier: Apache-2.0
 *
 * One case: what is taken in which order, and what of it reaches the store, if actions, processes or the store fail.
 * The store is the test: it keeps the names and the beginning of what is shipped.
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
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/wait.h"
#include "guard/case_run.h"
#include "hotspot/diagnostics.h"
#include "hotspot/jvm.h"
#include "scratch.h"
#include "ship/core_capture.h"
#include "ship/heapdump_capture.h"
#include "ship/key_template.h"
#include "stand_in.h"

enum { NOT_A_PID = 1 << 24 /* above any number that a kernel gives */, PATIENCE_MS = 10000, HEAD_MAX = 4096 };

static const char STATE[] = "/nowhere/state";

static struct {
    struct case_request request;
    struct whoami last;
    struct actions actions;
    bool given, jvm, real_fork;
    int fork_error, child_status;
    const char *fails; /* this piece, or action, */
    int error;         /* so */
    char stats[HEAD_MAX], about[HEAD_MAX];
    pid_t zombie, victim;      /* that evidence was taken of */
    unsigned *shipped;         /* by the child, too */
    char where[64], named[64]; /* the host and the pid that pieces are shipped as */
    bool on_dump_shipped;
} t;

/* --- in place of the system, a JVM and the store --------------------------------------------------------------------
 */

REAL(real_fork, fork);
STANDS_IN(fake_fork, fork);
pid_t fake_fork(void)
{
    journal("fork ");
    errno = t.fork_error;
    return t.fork_error ? -1 : t.real_fork ? real_fork() : NOT_A_PID;
}

REAL(real_wait_child, wait_child);
STANDS_IN(fake_wait_child, wait_child);
int fake_wait_child(pid_t child)
{
    journal("wait ");
    if (t.real_fork)
        return real_wait_child(child);
    assert_int_equal(child, NOT_A_PID);
    return t.child_status;
}

static int outcome(const char *what, struct err *e)
{
    return t.fails && text_eq(t.fails, what) ? err_set(e, t.error, "%s fails", what) : 0;
}

static void keep(const char *name, const char *wanted, int fd, char out[static HEAD_MAX])
{
    ssize_t n = text_eq(name, wanted) ? file_pread(fd, out, HEAD_MAX - 1, 0) : 0;

    assert_true(n >= 0);
}

STANDS_IN(fake_open_file, shipping_open_file);
int fake_open_file(struct shipping *s, const struct open_file *file, struct err *e)
{
    assert_int_equal(file->folder, -1);
    assert_string_equal(file->path, file->name);
    assert_string_equal(s->shared_case->id, "the-case");
    assert_string_equal(s->cause, "pressure");
    assert_null(s->state);
    journal("ship:%s ", file->name);
    keep(file->name, "stats.json", file->fd, t.stats);
    keep(file->name, "guard.json", file->fd, t.about);
    snprintf(t.where, sizeof(t.where), "%s", s->who->host);
    snprintf(t.named, sizeof(t.named), "%" PRIu64, s->pid);
    __atomic_fetch_add(t.shipped, 1, __ATOMIC_SEQ_CST);
    return outcome(file->name, e);
}

STANDS_IN(fake_answer, answer_to_file);
int fake_answer(const struct jvm_request *q, int fd, struct pause *ret, struct err *e)
{
    (void)ret;
    assert_true(q->jvm && q->until_ms > stand.now_ms && fd >= 0);
    journal("ask:%s ", q->diagnostic);
    return outcome(q->diagnostic, e);
}

STANDS_IN(fake_dump, dump_to_store);
int fake_dump(const struct jvm *j, const struct dump_options *o, struct shipping *s, struct err *e)
{
    (void)j;
    assert_string_equal(s->state, STATE);
    for (unsigned i = 0; t.real_fork && i < PATIENCE_MS && __atomic_load_n(t.shipped, __ATOMIC_SEQ_CST) < 2; i++)
        clock_sleep_ms(1);
    t.on_dump_shipped = __atomic_load_n(t.shipped, __ATOMIC_SEQ_CST) == 2;
    o->made->size = 1 << 20;
    journal("dump%s ", o->live ? ":live" : "");
    return outcome("heap-dump", e);
}

STANDS_IN(fake_core, core_to_store);
int fake_core(const struct proc *p, const struct live_core_options *o, struct shipping *s, struct live_core *ret,
              struct err *e)
{
    (void)s, (void)ret;
    assert_int_equal(p->pid, t.victim);
    journal("core:%s ", o->quick ? "quick" : "whole");
    return outcome("core", e);
}

STANDS_IN(fake_jvm_open, jvm_open);
int fake_jvm_open(const char *root, pid_t pid, struct jvm *ret, struct err *e)
{
    (void)root, (void)ret;
    t.victim = pid;
    return t.jvm ? 0 : err_set(e, -FAULT_FORMAT, "process %d is no JVM", (int)pid);
}

/* --- the test -------------------------------------------------------------------------------------------------------
 */

static void put_procs(pid_t pid)
{
    char text[32];

    snprintf(text, sizeof(text), "%d\n", (int)pid);
    scratch_put("cg", "cgroup.procs", text);
}

static int set_up(void **state)
{
    memset(&t, 0, sizeof(t));
    stand_set_up();
    if (scratch_set_up(state) < 0)
        return -1;
    t.shipped = mmap(NULL, sizeof(*t.shipped), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    scratch_put("cg", "memory.current", "94371840\n");
    scratch_put("cg", "memory.events", "oom_kill 1\n");
    scratch_put("cg", "cgroup.procs", "");
    t.request = (struct case_request){.pid = getpid(),
                                      .target = "app",
                                      .why = "memory>=80%",
                                      .id = "the-case",
                                      .time_ns = 1,
                                      .about = "{\"schema\": \"salvage.guard-case/1\"}",
                                      .speed = -1,
                                      .cgroup = openat(scratch_fd, "cg", O_PATH | O_DIRECTORY | O_CLOEXEC),
                                      .last = &t.last};
    return t.shipped == MAP_FAILED || t.request.cgroup < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    if (t.zombie > 0)
        real_wait_child(t.zombie);
    if (t.request.cgroup >= 0)
        close(t.request.cgroup);
    munmap(t.shipped, sizeof(*t.shipped));
    return scratch_tear_down(state);
}

static int run_to(const char *store, const char *todo)
{
    static const struct opt_list none;
    const struct plan_options plan = {
        .to = store, .state = STATE, .key = TEMPLATE_DEFAULT, .threads = 1, .memory = 64 << 20, .timeout_ms = 1000};
    static const struct notify_targets nobody;
    const struct case_config c = {.request = &t.request,
                                  .actions = &t.actions,
                                  .plan = &plan,
                                  .pass_env = &none,
                                  .notify = &nobody,
                                  .given = t.given};
    struct err e = {0};

    t.actions.count = 0;
    assert_int_equal(action_add(todo, &t.actions, &e), 0);
    return case_run(&c);
}

static int run(const char *todo)
{
    return run_to("file:///store", todo);
}

static void small_pieces_are_shipped_in_their_order_and_then_the_guards_account(void **state)
{
    (void)state;
    t.jvm = true;
    assert_int_equal(run("threads,stats,histogram,threads"), 0);
    assert_journal(
        "ask:Thread.print -l ask:GC.class_histogram -all ask:Thread.print -l ship:threads.txt ship:stats.json "
        "ship:histogram.txt ship:threads-2.txt ship:guard.json ");
    assert_string_equal(t.about, t.request.about);
    assert_non_null(strstr(t.stats, "94371840"));
}

static void large_ones_are_made_while_a_child_ships_the_small_ones(void **state)
{
    (void)state;
    t.jvm = t.real_fork = true;
    assert_int_equal(run("stats,heap-dump:live,core"), 0);
    assert_journal("fork dump:live core:whole wait "); /* what the child did is in its memory */
    assert_true(t.on_dump_shipped);
    assert_int_equal(*t.shipped, 2);
}

static void without_a_process_for_it_the_small_ones_are_shipped_first(void **state)
{
    (void)state;
    t.jvm = true;
    t.fork_error = EAGAIN;
    assert_int_equal(run("heap-dump,stats,core@pause=0s"), 0);
    assert_journal("fork ship:stats.json ship:guard.json dump core:quick ");
}

static void what_the_shipping_child_missed_is_the_exit_code(void **state)
{
    (void)state;
    t.jvm = true;
    t.child_status = 40 << 8;
    assert_int_equal(run("stats,heap-dump"), 40);
    assert_journal("fork dump wait ");
}

static void a_shipping_child_that_is_killed_is_a_failure(void **state)
{
    (void)state;
    t.jvm = true;
    t.child_status = SIGKILL;
    assert_int_equal(run("stats,heap-dump"), 1);
    assert_journal("fork dump wait guard-missed ");
    assert_true(was_said("killed by signal 9"));
}

static void the_first_failure_is_the_exit_code_and_all_others_are_taken(void **state)
{
    (void)state;
    t.jvm = true;
    t.fails = "heap-dump";
    t.error = -FAULT_FULL;
    t.child_status = 40 << 8;
    assert_int_equal(run("stats,heap-dump,core"), 43);
    assert_journal("fork dump guard-missed core:whole wait ");
    assert_true(was_said("target=app piece=heap-dump fault=full error=heap-dump fails"));
}

static void an_action_that_fails_costs_no_other(void **state)
{
    (void)state;
    t.jvm = true;
    t.fails = DIAGNOSTIC_HISTOGRAM;
    t.error = -ETIMEDOUT;
    assert_int_equal(run("stats,histogram,threads"), 1);
    assert_journal("ask:GC.class_histogram -all guard-missed ask:Thread.print -l ship:stats.json ship:threads.txt "
                   "ship:guard.json ");
    assert_true(was_said("piece=histogram.txt fault=timed-out"));
}

static void a_piece_that_cannot_be_shipped_costs_no_other(void **state)
{
    (void)state;
    t.jvm = true;
    t.fails = "stats.json";
    t.error = -FAULT_UNREACHABLE;
    assert_int_equal(run("stats,threads"), 40);
    assert_journal("ask:Thread.print -l ship:stats.json guard-missed ship:threads.txt ship:guard.json ");
}

static void an_account_that_cannot_be_shipped_is_missed(void **state)
{
    (void)state;
    t.fails = "guard.json";
    t.error = -FAULT_DENIED;
    assert_int_equal(run("stats"), 30);
    assert_true(was_said("piece=guard.json fault=denied"));
}

static void a_signal_without_a_handler_is_not_sent(void **state)
{
    (void)state;
    assert_int_equal(run("signal:USR2,stats"), 45);
    assert_journal("guard-missed ship:stats.json ship:guard.json ");
    assert_true(was_said("it would end"));
}

static void of_what_is_no_jvm_the_rest_is_taken(void **state)
{
    (void)state;
    assert_int_equal(run("stats,threads,core,heap-dump"), 51);
    assert_journal("guard-missed fork core:whole guard-missed wait ");
    assert_true(was_said("piece=threads.txt fault=format") && was_said("is no JVM"));
}

static void of_an_ended_process_the_cgroups_numbers_are_taken(void **state)
{
    (void)state;
    t.request.pid = NOT_A_PID;
    t.fork_error = EAGAIN;
    assert_int_equal(run("stats,threads,heap-dump,core"), 51);
    assert_journal("guard-missed fork ship:stats.json ship:guard.json guard-missed guard-missed ");
    assert_non_null(strstr(t.stats, "\"process_ended\": 16777216"));
    assert_non_null(strstr(t.stats, "94371840"));
    assert_string_equal(t.named, "0");
    assert_true(was_said("process 16777216 has ended before its evidence could be taken"));
}

static void what_is_left_of_an_ended_process_is_of_the_pod_that_was_seen_last(void **state)
{
    (void)state;
    t.request.pid = NOT_A_PID;
    t.last = (struct whoami){.namespace = (char *)"shop", .pod = (char *)"cart-1", .host = (char *)"cart-1"};
    assert_int_equal(run("stats"), 0);
    assert_string_equal(t.where, "cart-1");
}

static void instead_of_an_ended_process_the_largest_of_its_cgroup_is_taken(void **state)
{
    (void)state;
    t.request.pid = NOT_A_PID;
    put_procs(getpid());
    assert_int_equal(run("stats,core"), 0);
    assert_int_equal(t.victim, getpid());
    assert_journal("fork core:whole wait ");
}

static void instead_of_a_given_process_no_other_is_taken(void **state)
{
    (void)state;
    t.request.pid = NOT_A_PID;
    t.given = true;
    put_procs(getpid());
    assert_int_equal(run("stats,core"), 1);
    assert_int_equal(t.victim, 0);
    assert_journal("fork guard-missed wait ");
}

static void a_zombie_has_ended(void **state)
{
    siginfo_t ended;

    (void)state;
    t.zombie = real_fork();
    if (t.zombie == 0)
        _exit(0);
    assert_true(t.zombie > 0);
    assert_int_equal(waitid(P_PID, (id_t)t.zombie, &ended, WEXITED | WNOWAIT), 0);
    t.request.pid = t.zombie;
    assert_int_equal(run("stats,core"), 1);
    assert_int_equal(t.victim, 0);
    assert_journal("fork guard-missed wait ");
}

static void without_process_and_cgroup_there_is_nothing_to_take(void **state)
{
    (void)state;
    t.request.pid = NOT_A_PID;
    close(t.request.cgroup);
    t.request.cgroup = -1;
    assert_int_equal(run("stats"), 1);
    assert_journal("guard-missed ");
    assert_true(was_said("piece=all"));
}

static void a_store_that_makes_no_sense_is_one_failure(void **state)
{
    (void)state;
    assert_int_equal(run_to("ftp://store", "stats,threads"), 10);
    assert_journal("guard-missed ");
    assert_true(was_said("piece=all fault=scheme"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(small_pieces_are_shipped_in_their_order_and_then_the_guards_account),
        TEST(large_ones_are_made_while_a_child_ships_the_small_ones),
        TEST(without_a_process_for_it_the_small_ones_are_shipped_first),
        TEST(what_the_shipping_child_missed_is_the_exit_code),
        TEST(a_shipping_child_that_is_killed_is_a_failure),
        TEST(the_first_failure_is_the_exit_code_and_all_others_are_taken),
        TEST(an_action_that_fails_costs_no_other),
        TEST(a_piece_that_cannot_be_shipped_costs_no_other),
        TEST(an_account_that_cannot_be_shipped_is_missed),
        TEST(a_signal_without_a_handler_is_not_sent),
        TEST(of_what_is_no_jvm_the_rest_is_taken),
        TEST(of_an_ended_process_the_cgroups_numbers_are_taken),
        TEST(what_is_left_of_an_ended_process_is_of_the_pod_that_was_seen_last),
        TEST(instead_of_an_ended_process_the_largest_of_its_cgroup_is_taken),
        TEST(instead_of_a_given_process_no_other_is_taken),
        TEST(a_zombie_has_ended),
        TEST(without_process_and_cgroup_there_is_nothing_to_take),
        TEST(a_store_that_makes_no_sense_is_one_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
