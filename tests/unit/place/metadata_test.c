/* SPDX-License-Identifier: Apache-2.0
 *
 * Metadata services, played here: which are asked, which answer wins, and what a failure leaves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/imds.h"
#include "place/metadata.h"
#include "stand_in.h"

#define CONTAINER "{\"Name\":\"app\",\"Labels\":{\"com.amazonaws.ecs.cluster\":\"shop\"}}"
#define TASK "{\"Cluster\":\"other\",\"Family\":\"cart\",\"AvailabilityZone\":\"us-west-2d\"}"
#define INSTANCE "{\"instanceId\":\"i-1\",\"region\":\"us-west-2\",\"availabilityZone\":\"us-west-2b\"}"

enum { CONTAINER_ANSWER, TASK_ANSWER, INSTANCE_ANSWER, ANSWERS };

static struct {
    const char *body[ANSWERS];
    int result[ANSWERS];
    long status;
    atomic_uint asked; /* a bit for each */
} services;

static int answer(unsigned which, struct http_answer *ret)
{
    atomic_fetch_or(&services.asked, 1U << which);
    if (services.result[which] < 0)
        return services.result[which];
    ret->status = services.status;
    return buf_add_text(&ret->body, services.body[which]);
}

STANDS_IN(fake_service_open, service_open);
int fake_service_open(struct service *s, const struct http_options *o, struct err *e)
{
    (void)e;
    assert_true(o->direct && s->deadline_ms == stand.now_ms + METADATA_MS && s->answer_max > 0);
    return 0;
}

STANDS_IN(fake_service_done, service_done);
void fake_service_done(struct service *s)
{
    (void)s;
}

STANDS_IN(fake_service_ask, service_ask);
int fake_service_ask(const struct service *s, struct http_request *r, struct http_answer *ret, struct err *e)
{
    (void)s;
    (void)e;
    return answer(text_eq(r->url, "http://ecs/task") ? TASK_ANSWER : CONTAINER_ANSWER, ret);
}

STANDS_IN(fake_imds_open, imds_open);
int fake_imds_open(struct imds *s, struct err *e)
{
    (void)s;
    (void)e;
    return 0;
}

STANDS_IN(fake_imds_done, imds_done);
void fake_imds_done(struct imds *s)
{
    (void)s;
}

STANDS_IN(fake_imds_get, imds_get);
int fake_imds_get(const struct imds *s, const char *path, struct http_answer *ret, struct err *e)
{
    (void)e;
    assert_int_equal(s->service.deadline_ms, stand.now_ms + METADATA_MS);
    assert_string_equal(path, "/latest/dynamic/instance-identity/document");
    return answer(INSTANCE_ANSWER, ret);
}

static int set_up(void **state)
{
    (void)state;
    stand_set_up();
    memset(&services, 0, sizeof(services));
    services.body[CONTAINER_ANSWER] = CONTAINER;
    services.body[TASK_ANSWER] = TASK;
    services.body[INSTANCE_ANSWER] = INSTANCE;
    services.status = 200;
    return 0;
}

static const struct metadata_places ALL = {.ecs = "http://ecs", .ec2 = true};

static void the_container_is_believed_before_the_task_and_the_instance(void **state)
{
    CLEANUP(facts_done) struct facts f = {0};

    (void)state;
    assert_int_equal(metadata_ask(&ALL, &f), 0);
    assert_string_equal(f.cluster, "shop");
    assert_string_equal(f.family, "cart");
    assert_string_equal(f.zone, "us-west-2d");
    assert_string_equal(f.instance, "i-1");
}

static void what_is_known_already_stays(void **state)
{
    CLEANUP(facts_done) struct facts f = {0};

    (void)state;
    assert_int_equal(facts_set(&f.cluster, "mine"), 0);
    assert_int_equal(metadata_ask(&ALL, &f), 0);
    assert_string_equal(f.cluster, "mine");
    assert_string_equal(f.container, "app");
}

static void only_the_services_that_are_there_are_asked(void **state)
{
    CLEANUP(facts_done) struct facts ecs = {0}, ec2 = {0};

    (void)state;
    assert_int_equal(metadata_ask(&(struct metadata_places){.ecs = "http://ecs"}, &ecs), 0);
    assert_int_equal(services.asked, 1 << CONTAINER_ANSWER | 1 << TASK_ANSWER);
    assert_null(ecs.instance);
    services.asked = 0;
    assert_int_equal(metadata_ask(&(struct metadata_places){.ec2 = true}, &ec2), 0);
    assert_int_equal(services.asked, 1 << INSTANCE_ANSWER);
    assert_null(ec2.cluster);
    assert_string_equal(ec2.instance, "i-1");
}

static void a_service_that_fails_costs_the_others_nothing(void **state)
{
    CLEANUP(facts_done) struct facts f = {0};

    (void)state;
    services.result[CONTAINER_ANSWER] = -ETIMEDOUT;
    services.body[INSTANCE_ANSWER] = "<html>";
    assert_int_equal(metadata_ask(&ALL, &f), 0);
    assert_null(f.container);
    assert_null(f.instance);
    assert_string_equal(f.cluster, "other");
}

static void an_answer_that_is_no_200_is_none(void **state)
{
    CLEANUP(facts_done) struct facts f = {0};

    (void)state;
    services.status = 404;
    assert_int_equal(metadata_ask(&ALL, &f), 0);
    for (const struct fact_field *field = FACT_FIELDS; field->name; field++)
        assert_null(*(char **)((char *)&f + field->offset));
}

static void only_a_lack_of_memory_is_an_error(void **state)
{
    CLEANUP(facts_done) struct facts f = {0};

    (void)state;
    services.result[TASK_ANSWER] = -ENOMEM;
    assert_int_equal(metadata_ask(&ALL, &f), -ENOMEM);
}

#define TEST(f) cmocka_unit_test_setup(f, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_container_is_believed_before_the_task_and_the_instance),
        TEST(what_is_known_already_stays),
        TEST(only_the_services_that_are_there_are_asked),
        TEST(a_service_that_fails_costs_the_others_nothing),
        TEST(an_answer_that_is_no_200_is_none),
        TEST(only_a_lack_of_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
