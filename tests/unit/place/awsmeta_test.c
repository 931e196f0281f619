/* SPDX-License-Identifier: Apache-2.0
 *
 * AWS's metadata, after the examples in its documentation; and what is none of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "place/awsmeta.h"

#define ARN "arn:aws:ecs:us-west-2:111122223333:"

static const char FARGATE_CONTAINER[] =
    "{\"DockerId\":\"cd189a933e5849daa93386466019ab50-2495160603\",\"Name\":\"curl\",\"DockerName\":\"curl\","
    "\"Image\":\"111122223333.dkr.ecr.us-west-2.amazonaws.com/curltest:latest\",\"ImageID\":\"sha256:25f3\","
    "\"Labels\":{\"com.amazonaws.ecs.cluster\":\"" ARN
    "cluster/default\",\"com.amazonaws.ecs.container-name\":\"curl\","
    "\"com.amazonaws.ecs.task-arn\":\"" ARN "task/default/cd189a933e5849daa93386466019ab50\","
    "\"com.amazonaws.ecs.task-definition-family\":\"curltest\","
    "\"com.amazonaws.ecs.task-definition-version\":\"2\"},\"KnownStatus\":\"RUNNING\",\"Limits\":{\"CPU\":10},"
    "\"Networks\":[{\"IPv4Addresses\":[\"192.0.2.3\"]}],\"Snapshotter\":\"overlayfs\"}";

static const char FARGATE_TASK[] =
    "{\"Cluster\":\"" ARN "cluster/default\",\"TaskARN\":\"" ARN "task/default/e9028f8d5d8e4f258373e7b93ce9a3c3\","
    "\"Family\":\"curltest\",\"Revision\":\"3\",\"Limits\":{\"CPU\":0.25,\"Memory\":512},"
    "\"AvailabilityZone\":\"us-west-2d\",\"Containers\":[],\"LaunchType\":\"FARGATE\"}";

static const char OLD_TASK[] = "{\"Cluster\":\"default\",\"TaskARN\":\"arn:aws-cn:ecs:cn-north-1:012345678910:task/"
                               "9781c248-0edd-4cdb-9a93-f63cb662a5d3\",\"Family\":\"nginx\",\"Revision\":\"5\"}";

static const char INSTANCE[] = "{\"accountId\" : \"123456789012\",\"billingProducts\" : null,"
                               "\"instanceId\" : \"i-1234567890abcdef0\",\"instanceType\" : \"t2.micro\","
                               "\"region\" : \"us-west-2\",\"availabilityZone\" : \"us-west-2b\"}";

static void a_fargate_container_names_its_task(void **state)
{
    CLEANUP(facts_done) struct facts f = {0};

    (void)state;
    assert_int_equal(awsmeta_parse_container(FARGATE_CONTAINER, strlen(FARGATE_CONTAINER), &f), 0);
    assert_string_equal(f.container, "curl");
    assert_string_equal(f.container_id, "cd189a933e5849daa93386466019ab50-2495160603");
    assert_string_equal(f.image, "111122223333.dkr.ecr.us-west-2.amazonaws.com/curltest:latest");
    assert_string_equal(f.image_digest, "sha256:25f3");
    assert_string_equal(f.cluster, "default");
    assert_string_equal(f.family, "curltest");
    assert_string_equal(f.revision, "2");
    assert_string_equal(f.task, "cd189a933e5849daa93386466019ab50");
    assert_string_equal(f.region, "us-west-2");
    assert_null(f.zone);
}

static void a_fargate_task_has_its_zone(void **state)
{
    CLEANUP(facts_done) struct facts f = {0};

    (void)state;
    assert_int_equal(awsmeta_parse_task(FARGATE_TASK, strlen(FARGATE_TASK), &f), 0);
    assert_string_equal(f.cluster, "default");
    assert_string_equal(f.family, "curltest");
    assert_string_equal(f.revision, "3");
    assert_string_equal(f.task, "e9028f8d5d8e4f258373e7b93ce9a3c3");
    assert_string_equal(f.launch_type, "FARGATE");
    assert_string_equal(f.region, "us-west-2");
    assert_string_equal(f.zone, "us-west-2d");
    assert_null(f.container);
}

static void short_names_and_old_arns_are_known(void **state)
{
    CLEANUP(facts_done) struct facts f = {0};

    (void)state;
    assert_int_equal(awsmeta_parse_task(OLD_TASK, strlen(OLD_TASK), &f), 0);
    assert_string_equal(f.cluster, "default");
    assert_string_equal(f.task, "9781c248-0edd-4cdb-9a93-f63cb662a5d3");
    assert_string_equal(f.region, "cn-north-1");
    assert_null(f.launch_type);
    assert_null(f.zone);
}

static void an_instance_is_known_by_its_document(void **state)
{
    CLEANUP(facts_done) struct facts f = {0};

    (void)state;
    assert_int_equal(awsmeta_parse_instance(INSTANCE, strlen(INSTANCE), &f), 0);
    assert_string_equal(f.instance, "i-1234567890abcdef0");
    assert_string_equal(f.instance_type, "t2.micro");
    assert_string_equal(f.region, "us-west-2");
    assert_string_equal(f.zone, "us-west-2b");
}

static void arns_that_are_none_name_nothing(void **state)
{
    static const char *const arns[] = {"",
                                       "arn:",
                                       "arn:::::",
                                       "arn:aws:ecs:r:1:task",
                                       "task/x",
                                       "arn:aws:ecs:r",
                                       "arn:aws:ecs:r:1:service/x",
                                       "arn:aws:ecs:r:1:task/"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(arns); i++) {
        CLEANUP(facts_done) struct facts f = {0};
        CLEANUP(buf_done) struct buf json = {0};

        assert_int_equal(buf_printf(&json, "{\"TaskARN\":\"%s\"}", arns[i]), 0);
        assert_int_equal(awsmeta_parse_task(json.data, json.size, &f), 0);
        assert_null(f.task);
    }
}

static void values_of_other_types_are_unknown(void **state)
{
    static const char json[] = "{\"Cluster\":5,\"TaskARN\":{},\"Family\":null,\"Labels\":\"x\",\"instanceId\":[]}";

    (void)state;
    for (int i = 0; i < 3; i++) {
        CLEANUP(facts_done) struct facts f = {0};

        assert_int_equal((i == 0   ? awsmeta_parse_container
                          : i == 1 ? awsmeta_parse_task
                                   : awsmeta_parse_instance)(json, strlen(json), &f),
                         0);
        for (const struct fact_field *field = FACT_FIELDS; field->name; field++)
            assert_null(*(char **)((char *)&f + field->offset));
    }
}

static void what_is_no_object_is_refused(void **state)
{
    static const char *const bad[] = {"", "[]", "\"x\"", "{", "<html>", "null", "{\"Cluster\":\"a\"} {}"};
    CLEANUP_FREE char *huge = malloc(AWSMETA_MAX + 1);
    struct facts f = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_int_equal(awsmeta_parse_container(bad[i], strlen(bad[i]), &f), -EBADMSG);
        assert_int_equal(awsmeta_parse_task(bad[i], strlen(bad[i]), &f), -EBADMSG);
        assert_int_equal(awsmeta_parse_instance(bad[i], strlen(bad[i]), &f), -EBADMSG);
    }
    assert_int_equal(awsmeta_parse_task(NULL, 0, &f), -EBADMSG);
    memset(huge, ' ', AWSMETA_MAX + 1);
    memcpy(huge, "{}", 2);
    assert_int_equal(awsmeta_parse_task(huge, AWSMETA_MAX + 1, &f), -EBADMSG);
    assert_int_equal(awsmeta_parse_task(huge, AWSMETA_MAX, &f), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fargate_container_names_its_task), cmocka_unit_test(a_fargate_task_has_its_zone),
        cmocka_unit_test(short_names_and_old_arns_are_known), cmocka_unit_test(an_instance_is_known_by_its_document),
        cmocka_unit_test(arns_that_are_none_name_nothing),    cmocka_unit_test(values_of_other_types_are_unknown),
        cmocka_unit_test(what_is_no_object_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
