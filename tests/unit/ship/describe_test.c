/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose evidence it is said to be, in the key and in the manifest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ship/describe.h"
#include "ship/key_template.h"

#define S(text) ((char *)(text))

static const struct whoami HOST = {.host = S("db-1"), .place = S("host/db-1"), .machine = S("m")};
static const struct whoami POD = {.namespace = S("shop"),
                                  .pod = S("cart"),
                                  .container = S("main"),
                                  .image = S("i:1"),
                                  .host = S("cart"),
                                  .place = S("shop/cart"),
                                  .machine = S("m")};
static const struct facts NONE = {0};
static const struct origin SILENT = {0};
static const struct facts TASK = {.cluster = S("demo"),
                                  .family = S("cart"),
                                  .revision = S("7"),
                                  .task = S("8f03"),
                                  .container = S("app"),
                                  .image = S("repo/cart:7"),
                                  .zone = S("z1")};

static void expect_place(const struct whoami *who, const struct facts *f, const char *place)
{
    CLEANUP_FREE char *got = describe_place(who, f);

    assert_string_equal(got, place);
}

static void a_pod_goes_before_a_task_before_a_host(void **state)
{
    (void)state;
    expect_place(&HOST, &NONE, "host/db-1");
    expect_place(&HOST, &TASK, "ecs/demo/cart/8f03");
    expect_place(&POD, &NONE, "shop/cart");
    expect_place(&POD, &TASK, "shop/cart");
}

static void half_a_task_is_none(void **state)
{
    struct facts f = TASK;

    (void)state;
    f.family = NULL;
    expect_place(&HOST, &f, "host/db-1");
}

static void a_hostile_name_stays_one_part(void **state)
{
    struct facts f = TASK;

    (void)state;
    f.cluster = S("..");
    f.family = S("../../etc");
    f.task = S(".a/b");
    expect_place(&HOST, &f, "ecs/_./_._.._etc/_a_b");
}

static void every_variable_has_its_value(void **state)
{
    static const char template[] = "{container}/{container_id}/{image}/{cluster}/{family}/{revision}/{task}/{instance}/"
                                   "{region}/{zone}/{place}/{id}";
    struct claim c = {
        .id = "0123456789abcdef", .name = S("a.hprof"), .cause = S("manual"), .kind = kind_of_name("a.hprof")};
    struct facts f = TASK;
    const struct codec codec = {.ops = &CODEC_NONE};
    CLEANUP_FREE char *of_task = NULL, *of_pod = NULL;

    (void)state;
    f.container_id = S("abc");
    f.instance = S("i-0");
    f.region = S("r");
    of_task = describe_key(template, &(struct described){&c, &SILENT, &HOST, &f, &codec});
    assert_string_equal(of_task, "app/abc/repo_cart_7/demo/cart/7/8f03/i-0/r/z1/ecs/demo/cart/8f03/0123456789abcdef");
    of_pod = describe_key(template, &(struct described){&c, &SILENT, &POD, &NONE, &codec});
    assert_string_equal(of_pod, "main/none/i_1/none/none/none/none/none/none/none/shop/cart/0123456789abcdef");
}

static void the_manifest_says_it_all(void **state)
{
    struct claim c = {
        .id = "0123456789abcdef", .name = S("a.hprof"), .cause = S("manual"), .kind = kind_of_name("a.hprof")};
    const struct codec codec = {.ops = &CODEC_NONE};
    CLEANUP(manifest_done) struct manifest m = {0};

    (void)state;
    assert_int_equal(describe_manifest(&(struct described){&c, &SILENT, &HOST, &TASK, &codec}, "k", &m), 0);
    assert_string_equal(m.where.place, "ecs/demo/cart/8f03");
    assert_string_equal(m.where.cluster, "demo");
    assert_string_equal(m.where.container, "app");
    assert_string_equal(m.where.host, "db-1");
    assert_null(m.where.namespace);
    assert_null(m.where.instance);
}

static void the_evidence_says_why_unless_its_maker_did(void **state)
{
    struct claim c = {
        .id = "0123456789abcdef", .name = S("a.hprof"), .cause = S("unknown"), .kind = kind_of_name("a.hprof")};
    const struct origin said = {
        .cause = "java-oom", .detail = "Java heap space", .jvm = "17", .command = "java A", .pid = 7};
    const struct codec codec = {.ops = &CODEC_NONE};
    CLEANUP(manifest_done) struct manifest m = {0};
    CLEANUP_FREE char *key = describe_key("{cause}/{id}", &(struct described){&c, &said, &HOST, &NONE, &codec});

    (void)state;
    assert_string_equal(key, "java-oom/0123456789abcdef");
    assert_string_equal(describe_cause(&c, &SILENT), "unknown");
    c.jvm = S("17 as the claim has it");
    assert_int_equal(describe_manifest(&(struct described){&c, &said, &HOST, &NONE, &codec}, "k", &m), 0);
    assert_string_equal(m.cause, "java-oom");
    assert_string_equal(m.origin.detail, "Java heap space");
    assert_string_equal(m.process.jvm, "17 as the claim has it");
    assert_string_equal(m.process.command, "java A");
    assert_int_equal(m.process.pid, 7);
    c.cause_given = true;
    assert_string_equal(describe_cause(&c, &said), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pod_goes_before_a_task_before_a_host),
        cmocka_unit_test(half_a_task_is_none),
        cmocka_unit_test(a_hostile_name_stays_one_part),
        cmocka_unit_test(every_variable_has_its_value),
        cmocka_unit_test(the_manifest_says_it_all),
        cmocka_unit_test(the_evidence_says_why_unless_its_maker_did),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
