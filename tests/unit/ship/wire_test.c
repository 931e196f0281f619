/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages between loop and worker: descriptors arrive where they should, and what is malformed leaks none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ship/wire.h"

static int open_descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    int count = 0;

    while (readdir(d))
        count++;
    closedir(d);
    return count;
}

static void a_job_takes_its_descriptors_along(void **state)
{
    int pair[2], null = open("/dev/null", O_RDONLY | O_CLOEXEC), before;
    struct wire w = {.type = WIRE_JOB, .a = 1, .fd = {-1, null}, .text = "{}"}, got = {.fd = {-1, -1}};

    (void)state;
    assert_int_equal(wire_pair(pair), 0);
    before = open_descriptors();
    assert_int_equal(wire_send(pair[0], &w), 0);
    assert_int_equal(wire_receive(pair[1], &got), 1);
    assert_int_equal(got.type, WIRE_JOB);
    assert_int_equal(got.a, 1);
    assert_int_equal(got.fd[0], -1);
    assert_true(got.fd[1] >= 0);
    assert_string_equal(got.text, "{}");
    wire_done(&got);
    assert_int_equal(open_descriptors(), before);
    assert_int_equal(wire_receive(pair[0], &got), -EAGAIN);
    close(pair[0]);
    assert_int_equal(wire_receive(pair[1], &got), 0);
    close(pair[1]);
    close(null);
}

static void malformed_messages_are_refused(void **state)
{
    int pair[2];
    struct wire got = {.fd = {-1, -1}};
    char packet[64] = {0};

    (void)state;
    assert_int_equal(wire_pair(pair), 0);
    assert_int_equal(send(pair[1], packet, 3, 0), 3);
    assert_int_equal(wire_receive(pair[0], &got), -EBADMSG);
    assert_int_equal(send(pair[1], packet, sizeof(packet), 0), sizeof(packet));
    assert_int_equal(wire_receive(pair[0], &got), -EBADMSG);
    close(pair[0]);
    close(pair[1]);
}

static void text_beyond_the_ceiling_is_not_sent(void **state)
{
    static char text[WIRE_TEXT_MAX + 2];
    int pair[2];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    assert_int_equal(wire_pair(pair), 0);
    assert_int_equal(wire_send(pair[0], &(struct wire){.type = WIRE_FAILED, .text = text}), -EMSGSIZE);
    text[WIRE_TEXT_MAX] = '\0';
    assert_int_equal(wire_send(pair[0], &(struct wire){.type = WIRE_FAILED, .text = text}), 0);
    close(pair[0]);
    close(pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_takes_its_descriptors_along),
        cmocka_unit_test(malformed_messages_are_refused),
        cmocka_unit_test(text_beyond_the_ceiling_is_not_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
