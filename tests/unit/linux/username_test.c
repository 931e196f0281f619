/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/username.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char path[64];

static void write_passwd(const char *text)
{
    int fd;
    FILE *out;

    snprintf(path, sizeof(path), "/tmp/username-XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    out = fdopen(fd, "w");
    fputs(text, out);
    fclose(out);
}

static void a_user_is_found_by_the_third_field(void **state)
{
    (void)state;
    write_passwd("root:x:0:0:root:/root:/bin/sh\nbroken\n:x:7:7::/:\napp:x:1001:0::/:/bin/false\nlast:x:65532:65532");
    assert_true(username_exists(path, 0));
    assert_true(username_exists(path, 1001));
    assert_false(username_exists(path, 100));
    assert_false(username_exists(path, 10010));
    assert_false(username_exists(path, 7));
    assert_true(username_exists(path, 65532));
    unlink(path);
}

static void without_a_file_nobody_has_a_name(void **state)
{
    (void)state;
    assert_false(username_exists("/nonexistent/passwd", 0));
    write_passwd("");
    assert_false(username_exists(path, 0));
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_user_is_found_by_the_third_field),
        cmocka_unit_test(without_a_file_nobody_has_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
