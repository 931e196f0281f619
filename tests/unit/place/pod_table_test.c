/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of this node's pods, as its readers see it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "place/pod_table.h"

static const char CART[] = "0a1b2c3d-0000-4000-8000-000000000001", OLD[] = "0a1b2c3d-0000-4000-8000-000000000002";

struct folder {
    char dir[32], file[64];
};

static int set_up(void **state)
{
    static struct folder f;

    memcpy(f.dir, "/tmp/pod_table_XXXXXX", 22);
    assert_non_null(mkdtemp(f.dir));
    snprintf(f.file, sizeof(f.file), "%s/pods.json", f.dir);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct folder *f = *state;

    return file_remove_tree(AT_FDCWD, f->dir);
}

static void write_table(const struct folder *f, const char *rows)
{
    CLEANUP(buf_done) struct buf text = {0};

    assert_int_equal(buf_printf(&text, "%s%s", POD_TABLE_HEAD, rows), 0);
    assert_int_equal(file_replace(AT_FDCWD, f->file, text.data, text.size, 0600), 0);
}

static void make_row(struct pod_row *p, const char *uid, const char *created)
{
    *p = (struct pod_row){.known = true};
    snprintf(p->uid, sizeof(p->uid), "%s", uid);
    snprintf(p->namespace, sizeof(p->namespace), "shop");
    snprintf(p->name, sizeof(p->name), "cart-0");
    assert_int_equal(clock_parse(created, &p->created_ns), 0);
}

static void a_row_is_read_as_it_was_written(void **state)
{
    CLEANUP(pod_row_done) struct pod_row p = {0}, q = {0};
    CLEANUP(buf_done) struct buf line = {0}, again = {0};
    struct pod_container *c;

    (void)state;
    make_row(&p, CART, "2026-11-21T01:56:05.123Z");
    snprintf(p.rule, sizeof(p.rule), "shop");
    p.pending = p.host_network = true;
    p.gone_ns = p.created_ns + 1000000;
    assert_int_equal(pod_row_set(&p.owner_kind, "Deployment"), 0);
    assert_int_equal(pod_row_set(&p.owner_name, "cart"), 0);
    assert_int_equal(strv_add(&p.labels, "app=cart"), 0);
    assert_int_equal(strv_add(&p.labels, "empty="), 0);
    assert_int_equal(strv_add(&p.annotations, "salvage.dev/watch=volume:dumps, app:/tmp/a=b"), 0);
    assert_int_equal(strv_add(&p.volumes, "dumps"), 0);
    assert_non_null(c = pod_row_add_container(&p, "app"));
    assert_int_equal(pod_row_set(&c->id, "6d1f"), 0);
    c->restarts = 3;

    assert_int_equal(pod_row_encode(&p, &line), 0);
    assert_int_equal(pod_row_decode(line.data, line.size, &q), 0);
    assert_int_equal(pod_row_encode(&q, &again), 0);
    assert_string_equal(line.data, again.data);
    assert_string_equal(pod_row_value(&q.labels, "app"), "cart");
    assert_string_equal(pod_row_value(&q.labels, "empty"), "");
    assert_null(pod_row_value(&q.labels, "ap"));
    assert_string_equal(pod_row_value(&q.annotations, "salvage.dev/watch"), "volume:dumps, app:/tmp/a=b");
    assert_int_equal(pod_row_container(&q, "app")->restarts, 3);
    assert_ptr_equal(pod_row_container_of_id(&q, "6d1f"), pod_row_container(&q, "app"));
    assert_null(pod_row_container(&q, "other"));
    assert_true(q.pending && q.host_network && q.known && q.gone_ns == p.gone_ns);
    assert_string_equal(q.owner_name, "cart");
}

static void a_row_with_a_wrong_name_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "[]",
        "{\"uid\":\"a\",\"namespace\":\"shop\"}",
        "{\"uid\":\"a\",\"namespace\":\"../shop\",\"name\":\"b\"}",
        "{\"uid\":\"a\",\"namespace\":\"Shop\",\"name\":\"b\"}",
        "{\"uid\":\"a\",\"namespace\":\"shop\",\"name\":\"b/c\"}",
        "{\"uid\":\"0123456789012345678901234567890123456789\",\"namespace\":\"shop\",\"name\":\"b\"}",
        "{\"uid\":\"a\",\"namespace\":\"shop\",\"name\":\"b\",\"labels\":[]}",
        "{\"uid\":\"a\",\"namespace\":\"shop\",\"name\":\"b\",\"labels\":{\"x\":1}}",
        "{\"uid\":\"a\",\"namespace\":\"shop\",\"name\":\"b\",\"containers\":[{}]}",
        "{\"uid\":\"a\",\"namespace\":\"shop\",\"name\":\"b\",\"gone\":\"yesterday\"}",
    };
    struct pod_row p = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(pod_row_decode(bad[i], strlen(bad[i]), &p), -EBADMSG);
}

static void a_table_is_read_when_it_appears_and_when_it_is_replaced(void **state)
{
    const struct folder *f = *state;
    CLEANUP(pod_table_free_ptr) struct pod_table *t = NULL;
    CLEANUP(pod_row_done) struct pod_row p = {0}, q = {0};

    assert_int_equal(pod_table_open(f->file, &t), 0);
    assert_int_equal(pod_table_refresh(t), 0);
    assert_false(pod_table_is_read(t));
    assert_int_equal(pod_table_find(t, CART, &p), -ENOENT);

    write_table(f, "");
    assert_int_equal(pod_table_refresh(t), 1);
    assert_true(pod_table_is_read(t));
    assert_int_equal(pod_table_refresh(t), 0);
    assert_int_equal(pod_table_count(t), 0);

    write_table(f, "{\"uid\":\"0a1b2c3d-0000-4000-8000-000000000001\",\"namespace\":\"shop\",\"name\":\"cart\","
                   "\"rule\":\"shop\"}\n");
    assert_int_equal(pod_table_refresh(t), 1);
    assert_int_equal(pod_table_find(t, CART, &p), 0);
    assert_string_equal(p.rule, "shop");
    assert_int_equal(pod_table_find_name(t, "shop", "cart", &q), 0);
    assert_string_equal(q.uid, CART);
    assert_int_equal(pod_table_find_name(t, "rest", "cart", &q), -ENOENT);
}

static void what_was_known_stays_when_the_file_is_no_table(void **state)
{
    const struct folder *f = *state;
    CLEANUP(pod_table_free_ptr) struct pod_table *t = NULL;
    CLEANUP(pod_row_done) struct pod_row p = {0};

    assert_int_equal(pod_table_open(f->file, &t), 0);
    write_table(f, "{\"uid\":\"0a1b2c3d-0000-4000-8000-000000000001\",\"namespace\":\"shop\",\"name\":\"cart\"}\n");
    assert_int_equal(pod_table_refresh(t), 1);
    write_table(f, "{\"uid\":\"0a1b2c3d\"}\n");
    assert_int_equal(pod_table_refresh(t), -EBADMSG);
    assert_int_equal(pod_table_refresh(t), 0);                                  /* refused once */
    write_table(f, "{\"uid\":\"b\",\"namespace\":\"shop\",\"name\":\"cart\"}"); /* no end of line */
    assert_int_equal(pod_table_refresh(t), -EBADMSG);
    assert_int_equal(file_replace(AT_FDCWD, f->file, "{}\n", 3, 0600), 0);
    assert_int_equal(pod_table_refresh(t), -EBADMSG);
    assert_int_equal(unlink(f->file), 0);
    assert_int_equal(pod_table_refresh(t), 0);
    assert_int_equal(pod_table_find(t, CART, &p), 0);
}

static void of_two_pods_of_a_name_the_one_that_is_there_counts(void **state)
{
    const struct folder *f = *state;
    CLEANUP(pod_table_free_ptr) struct pod_table *t = NULL;
    CLEANUP(pod_row_done) struct pod_row older = {0}, newer = {0}, found = {0}, last = {0};
    CLEANUP(buf_done) struct buf rows = {0};

    make_row(&older, OLD, "2026-11-21T01:00:00.000Z");
    make_row(&newer, CART, "2026-11-21T02:00:00.000Z");
    newer.gone_ns = newer.created_ns + 1;
    assert_int_equal(pod_row_encode(&newer, &rows), 0);
    assert_int_equal(pod_row_encode(&older, &rows), 0);
    write_table(f, rows.data);
    assert_int_equal(pod_table_open(f->file, &t), 0);
    assert_int_equal(pod_table_refresh(t), 1);
    assert_int_equal(pod_table_find_name(t, "shop", "cart-0", &found), 0);
    assert_string_equal(found.uid, OLD);

    older.gone_ns = older.created_ns + 1;
    buf_clear(&rows);
    assert_int_equal(pod_row_encode(&newer, &rows), 0);
    assert_int_equal(pod_row_encode(&older, &rows), 0);
    write_table(f, rows.data);
    assert_int_equal(pod_table_refresh(t), 1);
    assert_int_equal(pod_table_find_name(t, "shop", "cart-0", &last), 0);
    assert_string_equal(last.uid, CART);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_read_as_it_was_written),
        cmocka_unit_test(a_row_with_a_wrong_name_is_refused),
        cmocka_unit_test_setup_teardown(a_table_is_read_when_it_appears_and_when_it_is_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_known_stays_when_the_file_is_no_table, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_two_pods_of_a_name_the_one_that_is_there_counts, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
