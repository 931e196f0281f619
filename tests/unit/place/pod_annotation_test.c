/* SPDX-License-Identifier: Apache-2.0
 *
 * The annotation that names folders of a pod: what it may say, and how a wrong one is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "place/pod_annotation.h"

static void volumes_and_folders_of_containers_are_read(void **state)
{
    struct pod_annotation a;
    struct err e = {0};

    (void)state;
    assert_int_equal(pod_annotation_read(" volume:dumps,volume:data//sub/ ,\n app:/tmp/dumps,", &a, &e), 0);
    assert_int_equal(a.count, 3);
    assert_true(a.folder[0].volume && a.folder[1].volume && !a.folder[2].volume);
    assert_string_equal(a.folder[0].name, "dumps");
    assert_string_equal(a.folder[0].path, "");
    assert_string_equal(a.folder[1].path, "sub");
    assert_string_equal(a.folder[2].name, "app");
    assert_string_equal(a.folder[2].path, "tmp/dumps");
    /* A container may be called so, too. */
    assert_int_equal(pod_annotation_read("volume:/tmp", &a, &e), 0);
    assert_false(a.folder[0].volume);
    assert_string_equal(a.folder[0].name, "volume");
}

static void a_wrong_one_is_refused_with_its_word(void **state)
{
    static const struct {
        const char *text, *says;
    } wrong[] = {
        {"", "names no folder"},
        {" , ", "names no folder"},
        {"dumps", "\"dumps\": \"volume:NAME\""},
        {"volume:", "no name of a volume"},
        {"volume:Dumps", "no name of a volume"},
        {"volume:dumps/../../x", "\"..\""},
        {"app:/tmp/./x", "\"..\""},
        {"app:tmp", "begins with \"/\""},
        {"app:/", "name a folder"},
        {"app_1:/tmp", "no name of a container"},
        {":/tmp", "no name of a container"},
        {"app:/tmp/\x1b[2J", "can't be printed"},
        {"volume:a,volume:a,volume:a,volume:a,volume:a,volume:a,volume:a,volume:a,volume:a", "more than 8"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        struct pod_annotation a = {.count = 77};
        struct err e = {0};

        assert_int_equal(pod_annotation_read(wrong[i].text, &a, &e), -EINVAL);
        assert_non_null(strstr(e.msg, wrong[i].says));
        assert_int_equal(a.count, 77);
    }
}

static void a_path_that_is_too_long_is_refused(void **state)
{
    char text[600] = "volume:a/";
    struct pod_annotation a;
    struct err e = {0};

    (void)state;
    memset(text + 9, 'x', 254);
    assert_int_equal(pod_annotation_read(text, &a, &e), 0);
    memset(text + 9, 'x', 255);
    assert_int_equal(pod_annotation_read(text, &a, &e), -EINVAL);
    memset(text + 9, 'x', 500);
    assert_int_equal(pod_annotation_read(text, &a, &e), -EINVAL);
    assert_non_null(strstr(e.msg, "too long"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(volumes_and_folders_of_containers_are_read),
        cmocka_unit_test(a_wrong_one_is_refused_with_its_word),
        cmocka_unit_test(a_path_that_is_too_long_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
