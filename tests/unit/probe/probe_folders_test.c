/* SPDX-License-Identifier: Apache-2.0
 *
 * What `salvage check` says of folders, and that it leaves nothing in them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "probe/folders.h"
#include "scratch.h"

enum { PATIENCE_MS = 10 * 1000, FOUND_MAX = 16 };

static struct finding found[FOUND_MAX];
static unsigned count;

static void probe(const char *folder, const char *state)
{
    char path[PATH_MAX];
    char *dirs[] = {path, NULL};
    struct probe_folders o = {.dirs = dirs, .state = state};
    struct finding_group g = {.run = probe_folders, .ctx = &o, .child = REPORT_CHILD_NONE};

    snprintf(path, sizeof(path), "%s/%s", scratch_root, folder);
    assert_int_equal(finding_start(&g), 0);
    for (count = 0; count < FOUND_MAX && finding_next(&g, clock_mono_ms() + PATIENCE_MS, &found[count]) > 0; count++)
        ;
}

static void assert_found(const char *name, enum finding_result result, const char *words)
{
    for (unsigned i = 0; i < count; i++)
        if (strcmp(found[i].name, name) == 0 && found[i].result == result && strstr(found[i].text, words))
            return;
    fail_msg("no %s %s with '%s'", FINDING_WORDS[result], name, words);
}

static unsigned names_in(const char *folder)
{
    CLEANUP_DIR DIR *dir = file_opendir(scratch_fd, folder);
    unsigned names = 0;

    while (readdir(dir))
        names++;
    return names - 2;
}

static void a_folder_of_ours_is_right_and_stays_empty(void **state)
{
    (void)state;
    assert_int_equal(mkdirat(scratch_fd, "dumps", 0755), 0);
    probe("dumps", NULL);
    assert_found("folder", FINDING_OK, "mode 0755");
    assert_found("state", FINDING_OK, ".salvage is made when it is needed");
    for (unsigned i = 0; i < count; i++)
        assert_int_not_equal(found[i].result, FINDING_FAIL);
    assert_int_equal(names_in("dumps"), 0);
}

static void a_folder_that_is_not_there_fails_at_once(void **state)
{
    (void)state;
    probe("none", NULL);
    assert_int_equal(count, 1);
    assert_found("folder", FINDING_FAIL, "does not exist");
    assert_non_null(strstr(found[0].remedy, "mount the volume"));
}

static void a_file_in_the_place_of_the_state_folder_fails(void **state)
{
    (void)state;
    scratch_put("dumps", ".salvage", "x");
    probe("dumps", NULL);
    assert_found("state", FINDING_FAIL, "is no folder");
}

static void a_state_folder_of_ours_is_right(void **state)
{
    char path[PATH_MAX];

    (void)state;
    assert_int_equal(mkdirat(scratch_fd, "dumps", 0755), 0);
    assert_int_equal(mkdirat(scratch_fd, "state", 0700), 0);
    assert_non_null(realpath(scratch_root, path));
    snprintf(path + strlen(path), sizeof(path) - strlen(path), "/state");
    probe("dumps", path);
    assert_found("state", FINDING_OK, "is ours");
    assert_int_equal(names_in("state"), 0);
}

static void a_state_folder_of_another_user_is_not_trusted(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip(); /* only root can make one */
    assert_int_equal(file_mkdirs(scratch_fd, "dumps/.salvage", 0700), 0);
    assert_int_equal(fchownat(scratch_fd, "dumps/.salvage", 65534, 65534, 0), 0);
    probe("dumps", NULL);
    assert_found("state", FINDING_FAIL, "is not trusted");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_folder_of_ours_is_right_and_stays_empty, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(a_folder_that_is_not_there_fails_at_once, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(a_file_in_the_place_of_the_state_folder_fails, scratch_set_up,
                                        scratch_tear_down),
        cmocka_unit_test_setup_teardown(a_state_folder_of_ours_is_right, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(a_state_folder_of_another_user_is_not_trusted, scratch_set_up,
                                        scratch_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
