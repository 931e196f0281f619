/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests of the kernel, and our answers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "core/coredump_socket.h"

struct wire {
    uint32_t size, other;
    uint64_t mask;
};

static void a_request_is_read_and_answered(void **state)
{
    struct wire request = {16, 16, 0xf}, answer;
    struct coredump_request r = {0};
    unsigned char bytes[COREDUMP_ANSWER_SIZE];

    (void)state;
    assert_int_equal(coredump_request_parse(&request, sizeof(request), &r), 0);
    assert_true(r.size == 16 && r.answer_size == 16 && r.mask == 0xf);
    assert_int_equal(coredump_answer_make(&r, true, bytes), 0);
    memcpy(&answer, bytes, sizeof(answer));
    assert_true(answer.size == 16 && answer.other == 0 && answer.mask == (1 | 8));
    assert_int_equal(coredump_answer_make(&r, false, bytes), 0);
    memcpy(&answer, bytes, sizeof(answer));
    assert_true(answer.mask == (4 | 8));
    request = (struct wire){32, 48, 0x1f}; /* of a later kernel */
    assert_int_equal(coredump_request_parse(&request, sizeof(request), &r), 0);
    r.mask = 1; /* a kernel that can't wait */
    assert_int_equal(coredump_answer_make(&r, true, bytes), -EOPNOTSUPP);
}

static void what_is_no_request_is_refused(void **state)
{
    static const struct wire wrong[] = {{15, 16, 0xf}, {4097, 16, 0xf}, {16, 15, 0xf}, {0, 0, 0}, {UINT32_MAX, 16, 1}};
    struct coredump_request r = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        assert_int_equal(coredump_request_parse(&wrong[i], sizeof(wrong[i]), &r), -EBADMSG);
    assert_int_equal(coredump_request_parse(&wrong[0], 15, &r), -EBADMSG);
    assert_int_equal(r.size, 0);
}

static void a_mark_says_whether_the_answer_was_accepted(void **state)
{
    (void)state;
    for (uint32_t mark = 0; mark < 6; mark++) {
        unsigned char bytes[COREDUMP_MARK_SIZE];

        memcpy(bytes, &mark, sizeof(mark));
        if (mark == 0)
            assert_null(coredump_mark_problem(bytes));
        else
            assert_non_null(coredump_mark_problem(bytes));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_read_and_answered),
        cmocka_unit_test(what_is_no_request_is_refused),
        cmocka_unit_test(a_mark_says_whether_the_answer_was_accepted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
