/* SPDX-License-Identifier: Apache-2.0
 *
 * A secret is a copy with an end, and its pages are kept out of core dumps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/secret.h"

static void a_secret_is_a_terminated_copy(void **state)
{
    char source[] = "hunter2";
    struct secret *s = secret_new(source, 6);

    (void)state;
    assert_non_null(s);
    memset(source, 'x', sizeof(source));
    assert_string_equal(secret_expose(s), "hunter");
    assert_int_equal(secret_size(s), 6);
    secret_free(s);
}

static void no_secret_is_empty(void **state)
{
    struct secret *s = secret_new(NULL, 0);

    (void)state;
    assert_string_equal(secret_expose(NULL), "");
    assert_int_equal(secret_size(NULL), 0);
    assert_null(secret_copy(NULL));
    secret_free(NULL);
    assert_non_null(s);
    assert_string_equal(secret_expose(s), "");
    secret_free(s);
}

static void a_copy_lives_on(void **state)
{
    struct secret *s = secret_new("a\0b", 3), *copy = secret_copy(s);

    (void)state;
    secret_free(s);
    assert_int_equal(secret_size(copy), 3);
    assert_memory_equal(secret_expose(copy), "a\0b", 4);
    secret_free(copy);
}

static void a_secret_may_be_longer_than_a_page(void **state)
{
    static char token[20000];
    struct secret *s;

    (void)state;
    memset(token, 't', sizeof(token) - 1);
    for (size_t size = 4060; size < 4110; size++) {
        s = secret_new(token, size);
        assert_non_null(s);
        assert_int_equal(strlen(secret_expose(s)), size);
        secret_free(s);
    }
    s = secret_new(token, sizeof(token) - 1);
    assert_non_null(s);
    assert_string_equal(secret_expose(s), token);
    secret_free(s);
}

static void an_absurd_size_is_no_memory(void **state)
{
    (void)state;
    assert_null(secret_new("x", SIZE_MAX));
    assert_null(secret_new("x", SIZE_MAX - 4096));
}

/* "dd" in /proc/self/smaps: left out of core dumps (proc(5)). */
static bool is_left_out_of_dumps(const void *address)
{
    FILE *maps = fopen("/proc/self/smaps", "re");
    char line[512];
    bool inside = false, out = false;

    assert_non_null(maps);
    while (fgets(line, sizeof(line), maps)) {
        unsigned long from, to;

        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            inside = (uintptr_t)address >= from && (uintptr_t)address < to;
        else if (inside && strncmp(line, "VmFlags:", 8) == 0)
            out = strstr(line, " dd") != NULL;
    }
    fclose(maps);
    return out;
}

static void core_dumps_do_not_hold_it(void **state)
{
    struct secret *s = secret_new("hunter2", 7);

    (void)state;
    assert_non_null(s);
    assert_false(is_left_out_of_dumps(state));
    assert_true(is_left_out_of_dumps(secret_expose(s)));
    secret_free(s);
}

static void a_freed_secrets_pages_are_gone(void **state)
{
    struct secret *s = secret_new("hunter2", 7);
    uintptr_t page = (uintptr_t)s;
    unsigned char resident;

    (void)state;
    assert_int_equal(mincore((void *)page, 1, &resident), 0);
    secret_free(s);
    assert_int_equal(mincore((void *)page, 1, &resident), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_is_a_terminated_copy),
        cmocka_unit_test(no_secret_is_empty),
        cmocka_unit_test(a_copy_lives_on),
        cmocka_unit_test(a_secret_may_be_longer_than_a_page),
        cmocka_unit_test(an_absurd_size_is_no_memory),
        cmocka_unit_test(core_dumps_do_not_hold_it),
        cmocka_unit_test(a_freed_secrets_pages_are_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
