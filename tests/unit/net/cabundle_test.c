/* SPDX-License-Identifier: Apache-2.0
 *
 * Where CA certificates are found, told from environments and roots made here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "net/cabundle.h"
#include "scratch.h"

static struct err e;
static struct cabundle found;

static int set_up(void **state)
{
    found = (struct cabundle){.file = "untouched"};
    return scratch_set_up(state);
}

static void finds(const char *given, const char *file, const char *folder)
{
    assert_int_equal(cabundle_find(given, scratch_root, &found, &e), 0);
    file ? assert_string_equal(found.file, file) : assert_null(found.file);
    folder ? assert_string_equal(found.folder, folder) : assert_null(found.folder);
}

static void each_distribution_has_its_file(void **state)
{
    (void)state;
    scratch_put("var/lib/ca-certificates", "ca-bundle.pem", "");
    finds(NULL, "/var/lib/ca-certificates/ca-bundle.pem", NULL);
    scratch_put("etc/pki/tls/certs", "ca-bundle.crt", "");
    finds(NULL, "/etc/pki/tls/certs/ca-bundle.crt", NULL);
    scratch_put("etc/ssl/certs", "ca-certificates.crt", "");
    finds(NULL, "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/certs");
}

static void hashed_certificates_alone_will_do(void **state)
{
    (void)state;
    scratch_put("etc/ssl/certs", "5ed36f99.0", "");
    finds(NULL, NULL, "/etc/ssl/certs");
}

static void an_empty_folder_is_no_bundle(void **state)
{
    (void)state;
    scratch_put("etc/ssl/certs", "README", "");
    assert_int_equal(cabundle_find(NULL, scratch_root, &found, &e), -FAULT_TLS);
}

static void what_is_given_wins_over_all(void **state)
{
    (void)state;
    scratch_put("etc/ssl/certs", "ca-certificates.crt", "");
    assert_int_equal(setenv("SSL_CERT_FILE", "/nowhere", 1), 0);
    finds("my.pem", "my.pem", NULL);
}

static void the_environment_wins_over_the_usual_files(void **state)
{
    (void)state;
    scratch_put("etc/ssl/certs", "ca-certificates.crt", "");
    assert_int_equal(setenv("CURL_CA_BUNDLE", scratch_root, 1), 0);
    finds(NULL, scratch_root, NULL);
    assert_int_equal(setenv("SSL_CERT_DIR", "/a:/b", 1), 0);
    finds(NULL, NULL, "/a:/b");
    assert_int_equal(setenv("SSL_CERT_FILE", "/dev/null", 1), 0);
    finds(NULL, "/dev/null", "/a:/b");
}

static void a_variable_that_is_empty_says_nothing(void **state)
{
    (void)state;
    scratch_put("etc/ssl/certs", "ca-certificates.crt", "");
    assert_int_equal(setenv("SSL_CERT_FILE", "", 1), 0);
    assert_int_equal(setenv("CURL_CA_BUNDLE", "", 1), 0);
    finds(NULL, "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/certs");
}

static void a_variable_that_names_nothing_is_told(void **state)
{
    (void)state;
    scratch_put("etc/ssl/certs", "ca-certificates.crt", "");
    assert_int_equal(setenv("SSL_CERT_FILE", "/nowhere/ca.pem", 1), 0);
    assert_int_equal(cabundle_find(NULL, scratch_root, &found, &e), -FAULT_TLS);
    assert_non_null(strstr(e.msg, "SSL_CERT_FILE names /nowhere/ca.pem"));
    assert_string_equal(found.file, "untouched");
}

static void without_any_it_says_where_it_looked(void **state)
{
    (void)state;
    assert_int_equal(cabundle_find(NULL, scratch_root, &found, &e), -FAULT_TLS);
    assert_non_null(strstr(e.msg, "/etc/ssl/certs/ca-certificates.crt, "));
    assert_non_null(strstr(e.msg, "/etc/ssl/cert.pem: "));
    assert_non_null(strstr(e.msg, "--ca-file"));
    assert_string_equal(found.file, "untouched");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_distribution_has_its_file, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(hashed_certificates_alone_will_do, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(an_empty_folder_is_no_bundle, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(what_is_given_wins_over_all, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(the_environment_wins_over_the_usual_files, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(a_variable_that_is_empty_says_nothing, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(a_variable_that_names_nothing_is_told, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(without_any_it_says_where_it_looked, set_up, scratch_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
