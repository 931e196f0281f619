/* SPDX-License-Identifier: Apache-2.0
 *
 * What `salvage check` makes of a store's refusals. The test plays the store: each permission can be missing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"
#include "probe/store.h"
#include "probe/store_connection.h"
#include "ship/key_template.h"
#include "stand_in.h"

enum { FOUND_MAX = 16 };

static struct {
    const char *refused; /* "put" …; NULL: nothing */
    int fault;
    bool damages; /* what is read back is not what was put */
    char object[64];
    size_t size;
    struct finding found[FOUND_MAX];
    unsigned count;
} t;

static int answer(const char *what, struct err *e)
{
    return text_eq(what, t.refused) ? err_set(e, -t.fault, "no %s for you", what) : 0;
}

static int store_put(struct sink *s, const struct small_object *o, struct err *e)
{
    (void)s;
    assert_true(strncmp(o->key, "salvage-check-", 14) == 0 && o->size <= sizeof(t.object));
    memcpy(t.object, o->data, o->size);
    t.size = o->size;
    return answer("put", e);
}

static int store_stat(struct sink *s, const char *key, struct object_info *ret, struct err *e)
{
    (void)s, (void)key;
    *ret = (struct object_info){0};
    return answer("head", e);
}

static int store_load(struct sink *s, void **connection, const char *key, struct buf *ret, struct err *e)
{
    int r = answer("get", e);

    (void)s, (void)connection, (void)key;
    return r < 0 ? r : buf_add(ret, t.damages ? "<html>" : t.object, t.damages ? 6 : t.size);
}

static void store_load_end(void *connection)
{
    (void)connection;
}

static int store_list(struct sink *s, const char *prefix, int (*fn)(void *ctx, const struct sink_listing_entry *entry),
                      void *ctx, struct err *e)
{
    (void)s, (void)prefix, (void)fn, (void)ctx;
    return answer("list", e);
}

static int store_remove(struct sink *s, const char *key, struct err *e)
{
    (void)s, (void)key;
    return answer("delete", e);
}

static void store_close(struct sink *s)
{
    (void)s;
}

static const struct sink_ops OPS = {.name = "http",
                                    .put = store_put,
                                    .stat = store_stat,
                                    .load = store_load,
                                    .load_end = store_load_end,
                                    .list = store_list,
                                    .remove = store_remove,
                                    .close = store_close};
static struct sink sink = {.ops = &OPS};

STANDS_IN(fake_sink_open, sink_open);
int fake_sink_open(const struct sink_config *c, struct sink **ret, struct err *e)
{
    (void)c, (void)e;
    *ret = &sink;
    return 0;
}

STANDS_IN(fake_connection, probe_connection);
bool fake_connection(const struct findings *f, const struct plan *plan, const char *origin)
{
    (void)f, (void)plan, (void)origin;
    return true;
}

static void probe(const char *refused, int fault)
{
    struct plan plan = {.template = TEMPLATE_DEFAULT,
                        .sink = {.url = {.scheme = URL_HTTP, .authority = (char *)"store", .path = (char *)""}}};
    struct probe_store o = {.plan = &plan};
    struct finding_group g = {.run = probe_store, .ctx = &o, .child = REPORT_CHILD_NONE};

    assert_int_equal(codec_parse("none", &plan.codec, NULL), 0);
    t.refused = refused;
    t.fault = fault;
    assert_int_equal(finding_start(&g), 0);
    for (t.count = 0; t.count < FOUND_MAX; t.count++)
        if (finding_next(&g, UINT64_MAX, &t.found[t.count]) == 0)
            break;
}

static int set_up(void **state)
{
    (void)state;
    memset(&t, 0, sizeof(t));
    stand_set_up();
    return 0;
}

static const struct finding *find(const char *name, enum finding_result result)
{
    for (unsigned i = 0; i < t.count; i++)
        if (text_eq(t.found[i].name, name) && t.found[i].result == result)
            return &t.found[i];
    return NULL;
}

static void assert_found(const char *name, enum finding_result result, const char *words)
{
    const struct finding *f = find(name, result);

    if (!f || !strstr(f->text, words))
        fail_msg("no %s %s with '%s'", FINDING_WORDS[result], name, words);
}

static void what_is_allowed_is_named(void **state)
{
    (void)state;
    probe(NULL, 0);
    assert_found("permissions", FINDING_OK, "put, head, get, list, delete");
    for (unsigned i = 0; i < t.count; i++)
        assert_int_equal(t.found[i].result, FINDING_OK);
}

static void a_store_that_takes_nothing_fails(void **state)
{
    (void)state;
    probe("put", FAULT_DENIED);
    assert_found("permissions", FINDING_FAIL, "put is refused: no put for you");
    assert_found("permissions", FINDING_OK, "list"); /* asked all the same */
    assert_null(find("bucket", FINDING_OK));
}

static void wrong_keys_are_not_taken_for_a_missing_permission(void **state)
{
    (void)state;
    probe("put", FAULT_CREDENTIALS);
    assert_found("credentials", FINDING_FAIL, "no put for you");
    assert_null(find("permissions", FINDING_FAIL));
}

static void trouble_of_the_store_is_not_taken_for_a_missing_permission(void **state)
{
    (void)state;
    probe("put", FAULT_FULL);
    assert_found("store", FINDING_FAIL, "no put for you");
    assert_null(find("permissions", FINDING_FAIL));
}

static void what_only_reading_needs_is_a_warning(void **state)
{
    static const char *const WHAT[] = {"head", "get", "list", "delete"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(WHAT); i++) {
        char words[40];

        probe(WHAT[i], FAULT_DENIED);
        snprintf(words, sizeof(words), "%s is refused", WHAT[i]);
        assert_found("permissions", FINDING_WARN, words);
        assert_found("bucket", FINDING_OK, "took an object");
        for (unsigned k = 0; k < t.count; k++)
            assert_int_not_equal(t.found[k].result, FINDING_FAIL);
    }
}

static void an_object_that_stays_is_named(void **state)
{
    (void)state;
    probe("delete", FAULT_DENIED);
    assert_found("bucket", FINDING_WARN, "salvage-check-");
}

static void what_comes_back_otherwise_fails(void **state)
{
    (void)state;
    t.damages = true;
    probe(NULL, 0);
    assert_found("store", FINDING_FAIL, "does not read back as it was put");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_is_allowed_is_named, set_up),
        cmocka_unit_test_setup(a_store_that_takes_nothing_fails, set_up),
        cmocka_unit_test_setup(wrong_keys_are_not_taken_for_a_missing_permission, set_up),
        cmocka_unit_test_setup(trouble_of_the_store_is_not_taken_for_a_missing_permission, set_up),
        cmocka_unit_test_setup(what_only_reading_needs_is_a_warning, set_up),
        cmocka_unit_test_setup(an_object_that_stays_is_named, set_up),
        cmocka_unit_test_setup(what_comes_back_otherwise_fails, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
