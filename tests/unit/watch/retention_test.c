/* SPDX-License-Identifier: Apache-2.0
 *
 * Retention: when evidence is too old, and which kept copies go.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "watch/retention.h"

enum { COPY = 4096 };

#define HOUR_MS (3600ull * 1000)
#define HOUR_NS (3600ll * 1000 * 1000 * 1000)

static void without_a_limit_nothing_is_ever_too_old(void **state)
{
    struct retention r = {0};

    (void)state;
    assert_true(retention_due(&r, 0, 1000 * HOUR_NS, 5) == UINT64_MAX);
}

static void a_new_claim_has_all_its_time(void **state)
{
    struct retention r = {.age_ms = 24 * HOUR_MS};

    (void)state;
    assert_true(retention_due(&r, 100 * HOUR_NS, 100 * HOUR_NS, 7) == 7 + 24 * HOUR_MS);
}

static void what_an_earlier_run_left_has_what_remains(void **state)
{
    struct retention r = {.age_ms = 24 * HOUR_MS};

    (void)state;
    assert_true(retention_due(&r, 100 * HOUR_NS, 120 * HOUR_NS, 7) == 7 + 4 * HOUR_MS);
}

static void a_start_tries_to_ship_before_it_erases(void **state)
{
    struct retention r = {.age_ms = 24 * HOUR_MS}, brief = {.age_ms = 2000};

    (void)state;
    assert_true(retention_due(&r, 100 * HOUR_NS, 1000 * HOUR_NS, 7) == 7 + RETENTION_TRY_MS);
    assert_true(retention_due(&brief, 100 * HOUR_NS, 1000 * HOUR_NS, 7) == 7 + 2000);
}

static void a_clock_that_jumped_back_gives_no_more_than_all_the_time(void **state)
{
    struct retention r = {.age_ms = 24 * HOUR_MS};

    (void)state;
    assert_true(retention_due(&r, 100 * HOUR_NS, 50 * HOUR_NS, 7) == 7 + 24 * HOUR_MS);
}

/* A state folder with three kept copies of one block (COPY bytes), a then b then c. */
static int make_state(void **state)
{
    static char path[64];
    const char *const names[] = {"c-first", "b-second", "a-third"};
    int fd;

    snprintf(path, sizeof(path), "/tmp/retention-test-XXXXXX");
    if (!mkdtemp(path) || (fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        return -1;
    mkdirat(fd, "kept", 0700);
    for (int i = 0; i < 3; i++) {
        char name[64], data[100] = {0};
        int file;

        snprintf(name, sizeof(name), "kept/%s", names[i]);
        file = openat(fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        file_write(file, data, sizeof(data));
        close(file);
        nanosleep(&(struct timespec){.tv_nsec = 20 * 1000 * 1000}, NULL); /* ctime's grain */
    }
    close(fd);
    *state = path;
    return 0;
}

static int remove_state(void **state)
{
    file_remove_tree(AT_FDCWD, *state);
    return 0;
}

static int is_kept(const char *path, const char *name)
{
    char file[128];

    snprintf(file, sizeof(file), "%s/kept/%s", path, name);
    return access(file, F_OK) == 0;
}

static int trim(const char *path, const struct retention *r, uint64_t waiting, int64_t now_ns)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = retention_trim_kept(r, fd, waiting, now_ns);

    close(fd);
    return n;
}

static void the_oldest_copies_go_first(void **state)
{
    assert_int_equal(trim(*state, &(struct retention){.bytes = 2 * COPY + 100}, 0, clock_wall_ns()), 1);
    assert_false(is_kept(*state, "c-first"));
    assert_true(is_kept(*state, "b-second"));
    assert_true(is_kept(*state, "a-third"));
}

static void what_waits_to_be_shipped_has_the_room_before_copies(void **state)
{
    assert_int_equal(trim(*state, &(struct retention){.bytes = 2 * COPY + 100}, COPY, clock_wall_ns()), 2);
    assert_true(is_kept(*state, "a-third"));
    assert_int_equal(trim(*state, &(struct retention){.bytes = 2 * COPY + 100}, 10 * COPY, clock_wall_ns()), 1);
    assert_false(is_kept(*state, "a-third"));
}

static void copies_of_an_age_go(void **state)
{
    const struct retention r = {.age_ms = HOUR_MS};

    assert_int_equal(trim(*state, &r, 0, clock_wall_ns()), 0);
    assert_int_equal(trim(*state, &r, 0, clock_wall_ns() - 5 * HOUR_NS), 0);
    assert_int_equal(trim(*state, &r, 0, clock_wall_ns() + 2 * HOUR_NS), 3);
}

static void nothing_kept_is_nothing_to_do(void **state)
{
    assert_int_equal(trim("/tmp", &(struct retention){.bytes = 1}, 0, clock_wall_ns()), 0);
    assert_int_equal(trim(*state, &(struct retention){.bytes = 3 * COPY}, 0, clock_wall_ns()), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_limit_nothing_is_ever_too_old),
        cmocka_unit_test(a_new_claim_has_all_its_time),
        cmocka_unit_test(what_an_earlier_run_left_has_what_remains),
        cmocka_unit_test(a_start_tries_to_ship_before_it_erases),
        cmocka_unit_test(a_clock_that_jumped_back_gives_no_more_than_all_the_time),
        cmocka_unit_test_setup_teardown(the_oldest_copies_go_first, make_state, remove_state),
        cmocka_unit_test_setup_teardown(what_waits_to_be_shipped_has_the_room_before_copies, make_state, remove_state),
        cmocka_unit_test_setup_teardown(copies_of_an_age_go, make_state, remove_state),
        cmocka_unit_test_setup_teardown(nothing_kept_is_nothing_to_do, make_state, remove_state),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
