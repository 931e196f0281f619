/* SPDX-License-Identifier: Apache-2.0
 *
 * Records of OOM kills as a page shows them: one of ours comes back, and what is none is unknown.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "oom/oomkill.h"
#include "serve/oom_record.h"

static struct oomkill_process process(const char *name, uint64_t pid, uint64_t rss)
{
    struct oomkill_process p;

    oomkill_process_init(&p);
    oomkill_set(p.name, sizeof(p.name), name);
    p.pid = pid;
    p.rss = rss;
    return p;
}

static void a_record_of_ours_is_read(void **state)
{
    static struct oomkill k;
    static struct oom_record r;
    CLEANUP(buf_done) struct buf json = {0};

    (void)state;
    oomkill_init(&k);
    k.process = process("java", 42, 500);
    k.memory.usage = k.memory.limit = 1000;
    k.memory.failcnt = 3;
    oomkill_set(k.limit_cgroup, sizeof(k.limit_cgroup), "/kubepods/pod1");
    k.task[0] = process("sh", 41, 10);
    k.task[1] = process("java", 42, 500);
    k.task_count = 2;
    k.task_total = 7;
    oomkill_add_stats(&k, "anon 900\nfile 0\nworkingset_refault 5\nslab 50\n");
    assert_int_equal(oomkill_encode(&k, true, &json), 0);

    oom_record_read(json.data, json.size, &r);
    assert_true(r.known);
    assert_int_equal(r.limit, 1000);
    assert_int_equal(r.usage, 1000);
    assert_int_equal(r.failcnt, 3);
    assert_string_equal(r.cgroup, "/kubepods/pod1");
    assert_int_equal(r.task_count, 2);
    assert_int_equal(r.tasks_total, 7);
    assert_string_equal(r.task[0].name, "java"); /* the largest first */
    assert_true(r.task[0].killed && !r.task[1].killed);
    assert_int_equal(r.stat_count, 2);
    assert_string_equal(r.stat[0].name, "anon");
    assert_int_equal(r.stat[1].bytes, 50);
}

static void what_is_no_record_is_unknown(void **state)
{
    static const char *const texts[] = {
        "", "[]", "{", "null", "{\"schema\": 1}", "{\"schema\": \"salvage.oom-kill/2\", \"memory\": {\"limit\": 1}}"};
    static struct oom_record r;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        oom_record_read(texts[i], strlen(texts[i]), &r);
        assert_false(r.known);
        assert_int_equal(r.limit, 0);
    }
}

static void wrong_types_count_as_unknown(void **state)
{
    static const char json[] =
        "{\"schema\": \"salvage.oom-kill/1\", \"memory\": [1], \"process\": \"java\", \"tasks\": "
        "[1, {\"name\": 5, \"rss\": -7}], \"tasks_count\": \"many\", \"stat\": {\"anon\": \"x\"}}";
    static struct oom_record r;

    (void)state;
    oom_record_read(json, strlen(json), &r);
    assert_true(r.known);
    assert_int_equal(r.task_count, 2);
    assert_int_equal(r.task[1].rss, 0);
    assert_int_equal(r.stat_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_of_ours_is_read),
        cmocka_unit_test(what_is_no_record_is_unknown),
        cmocka_unit_test(wrong_types_count_as_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
