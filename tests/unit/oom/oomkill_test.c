/* SPDX-License-Identifier: Apache-2.0
 *
 * The JSON of a kill: every field of the table is written, what is unknown is not, and it is JSON whatever the names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <string.h>

#include "base/mem.h"
#include "oom/oomkill.h"

static struct oomkill k;

static json_t *encode(bool indented)
{
    CLEANUP(buf_done) struct buf text = {0};
    json_t *root;

    assert_int_equal(oomkill_encode(&k, indented, &text), 0);
    assert_int_equal(text.data[text.size - 1], '\n');
    assert_int_equal(strcspn(text.data, "\n") == text.size - 1, !indented);
    root = json_loads(text.data, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    return root;
}

static const json_t *at(const json_t *root, const char *path)
{
    char group[32];
    const char *dot = strchr(path, '.');

    if (!dot)
        return json_object_get(root, path);
    snprintf(group, sizeof(group), "%.*s", (int)(dot - path), path);
    return json_object_get(json_object_get(root, group), dot + 1);
}

static void a_text(char *text)
{
    memcpy(text, "text", 5);
}

static void fill(void)
{
    oomkill_init(&k);
    k.source = k.why = k.note = "word";
    k.time_ns = 1;
    k.process = (struct oomkill_process){.name = "java"};
    k.memory = k.swap = k.memory_swap = k.kmem = (struct oomkill_amount){1, 2, 3};
    k.ram = k.kernel.sequence = k.kernel.usec = 0;
    k.invoker = (struct oomkill_invoker){.name = "java", .gfp = "0x0()"};
    k.reaped = true;
    a_text(k.task_cgroup);
    a_text(k.limit_cgroup);
    a_text(k.where.container_id);
    a_text(k.where.pod_uid);
    a_text(k.where.namespace);
    a_text(k.where.pod);
    a_text(k.where.container);
    a_text(k.where.host);
    a_text(k.kernel.release);
    a_text(k.kernel.boot_id);
    a_text(k.case_id);
    a_text(k.group.cgroup);
    k.group.count = k.group.total = 1;
    k.group.process[0] = k.process;
    k.stat_count = k.task_count = k.task_total = 1;
    k.stat[0] = (struct oomkill_stat){"anon", UINT64_MAX - 1};
    k.task[0] = k.process;
}

static void what_is_known_is_written(void **state)
{
    json_auto_t *root = NULL;

    (void)state;
    fill();
    root = encode(true);
    for (const struct json_field *f = OOMKILL_FIELDS; f->path; f++)
        if (!at(root, f->path))
            fail_msg("no %s", f->path);
    assert_string_equal(json_string_value(at(root, "schema")), OOMKILL_SCHEMA);
    assert_int_equal(json_integer_value(at(root, "stat.anon")), INT64_MAX);
    assert_string_equal(json_string_value(at(root, "time")), "1970-01-01T00:00:00.000Z");
    assert_int_equal(json_object_size(json_array_get(at(root, "tasks"), 0)), json_object_size(at(root, "process")));
    assert_int_equal(json_object_size(json_array_get(at(root, "group.killed"), 0)),
                     json_object_size(at(root, "process")));
}

static void what_is_not_known_is_left_out(void **state)
{
    json_auto_t *root = NULL;

    (void)state;
    oomkill_init(&k);
    root = encode(false);
    assert_int_equal(json_object_size(root), 1);
    assert_non_null(at(root, "schema"));
}

static void names_are_any_bytes(void **state)
{
    json_auto_t *root = NULL;

    (void)state;
    oomkill_init(&k);
    memcpy(k.process.name, "a\"\n\xff\x01\\", 7);
    memset(k.task_cgroup, 0xff, sizeof(k.task_cgroup) - 1);
    root = encode(false);
    assert_string_equal(json_string_value(at(root, "process.name")), "a\"\n\xef\xbf\xbd\x01\\");
    assert_int_equal(json_string_length(at(root, "cgroup.process")), 3 * (sizeof(k.task_cgroup) - 1));
}

static void stats_are_lines_of_a_name_and_a_number(void **state)
{
    char many[16 * (OOMKILL_STATS_MAX + 5)] = "";

    (void)state;
    oomkill_init(&k);
    oomkill_add_stats(&k, "anon 1\n\nno number\nnegative -1\n 5\nfile 18446744073709551615000\nlast 7");
    assert_int_equal(k.stat_count, 2);
    assert_string_equal(k.stat[1].name, "last");
    assert_int_equal(k.stat[1].value, 7);
    for (unsigned i = 0; i < OOMKILL_STATS_MAX + 5; i++)
        strcat(many, "name 1\n");
    oomkill_add_stats(&k, many);
    assert_int_equal(k.stat_count, OOMKILL_STATS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_known_is_written),
        cmocka_unit_test(what_is_not_known_is_left_out),
        cmocka_unit_test(names_are_any_bytes),
        cmocka_unit_test(stats_are_lines_of_a_name_and_a_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
