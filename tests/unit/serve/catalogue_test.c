/* SPDX-License-Identifier: Apache-2.0
 *
 * The catalogue over a folder of cases: what it finds, folds, forgets and survives.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "captured_log.h"
#include "scratch.h"
#include "serve/catalogue.h"
#include "ship/manifest.h"

#define HOUR_NS (INT64_C(3600) * 1000000000)
#define INDEX "scratch-index.sqlite"
#define T0 (INT64_C(1793491200) * 1000000000) /* 2026-11-01 */

static struct sink_config store;
static char store_url[4096];

static int set_up(void **state)
{
    CLEANUP_FREE char *root = NULL;
    struct err e;

    if (scratch_set_up(state) < 0 || !capture_log() || mkdirat(scratch_fd, "store", 0755) < 0)
        return -1;
    root = realpath(scratch_root, NULL);
    snprintf(store_url, sizeof(store_url), "file://%s/store", root);
    return url_parse(store_url, &store.url, &e);
}

static int tear_down(void **state)
{
    release_log();
    url_done(&store.url);
    unlink(INDEX);
    return scratch_tear_down(state);
}

static int64_t hour(int n)
{
    return T0 + n * HOUR_NS;
}

/* "shop/cart-…/20261101T…Z-java-oom-…01" */
static void id_of(const char *pod, int n, char out[300])
{
    char when[CLOCK_TEXT_MAX];

    snprintf(out, 300, "%s/%s-java-oom-%016x", pod, clock_format_basic(hour(n), when), n);
}

static const char *top_class; /* of manifests that are put: the second of its classes; NULL: they are unknown */

static void put_manifest(const char *pod, int n, const char *kind, const char *file, const char *detail)
{
    struct manifest_top top = {.count = 2, .row = {{"byte[]", 2, 100}, {"", 1, 50}}};
    CLEANUP(buf_done) struct buf json = {0};
    char folder[320], id[300], key[400], name[100];
    const char *slash = strchr(pod, '/');
    struct manifest m = {.key = key,
                         .codec = (char *)"none",
                         .kind = (char *)kind,
                         .cause = (char *)"java-oom",
                         .size = 1000,
                         .stored_size = 4,
                         .id = (char *)"0123456789abcdef"};

    snprintf(top.row[1].name, sizeof(top.row[1].name), "%s", top_class ? top_class : "");
    m.top = top_class ? &top : NULL;
    id_of(pod, n, id);
    snprintf(folder, sizeof(folder), "store/%s", id);
    snprintf(key, sizeof(key), "%s/%s", id, file);
    memset(m.sha256, 'a', 64);
    memset(m.stored_sha256, 'b', 64);
    m.where.pod = (char *)slash + 1;
    m.where.namespace = (char *)"not-what-the-key-says";
    m.origin.detail = (char *)detail;
    m.time.modified = hour(n);
    assert_int_equal(manifest_encode(&m, &json), 0);
    snprintf(name, sizeof(name), "%s.json", file);
    scratch_put(folder, file, "dump");
    scratch_put(folder, name, buf_text(&json));
}

static void put_case(const char *pod, int n)
{
    put_manifest(pod, n, "heap-dump", "heap.hprof", "java.lang.OutOfMemoryError: Java heap space");
}

static struct catalogue *open_catalogue(const char *file)
{
    struct catalogue *c = NULL;
    struct err e = {0};
    const struct catalogue_config config = {.store = &store, .store_url = store_url, .file = file};

    assert_int_equal(catalogue_open(&config, &c, &e), 0);
    return c;
}

static void wait_ready(struct catalogue *c)
{
    struct err e;

    for (int i = 0; !catalogue_ready(c, &e) && i < 500; i++)
        clock_sleep_ms(10);
    assert_true(catalogue_ready(c, &e));
}

static struct catalogue *open_ready(void)
{
    struct catalogue *c = open_catalogue(NULL);

    wait_ready(c);
    return c;
}

/* Rows as text: "workload kind x3|…", and the last row's cursor. */
struct rows {
    char text[2048], cursor[64];
    unsigned count;
};

static int add_row(void *ctx, const struct case_row *row)
{
    struct rows *rows = ctx;
    size_t size = strlen(rows->text);

    snprintf(rows->text + size, sizeof(rows->text) - size, "%s %s%s x%u%s%s|", row->workload ? row->workload : "-",
             row->kind, row->partial ? " partial" : "", row->folded, row->pinned ? " pinned" : "",
             row->objects > 1 ? " more" : "");
    snprintf(rows->cursor, sizeof(rows->cursor), "%s", row->cursor);
    rows->count++;
    return 0;
}

static struct rows ask(struct catalogue *c, struct catalogue_query q)
{
    struct rows rows = {0};
    struct err e = {0};

    assert_int_equal(catalogue_find(c, &q, add_row, &rows, &e), 0);
    return rows;
}

#define FINDS(c, words, ...)                                                                                           \
    do {                                                                                                               \
        struct rows found = ask(c, (struct catalogue_query){__VA_ARGS__});                                             \
        assert_string_equal(found.text, words);                                                                        \
    } while (0)

static void the_newest_come_first_and_by_filter(void **state)
{
    const char *const shop[] = {"shop", NULL}, *const none[] = {"other", NULL};
    struct catalogue *c;

    (void)state;
    put_case("shop/cart-7f9c8d6b5-x2x7q", 1);
    put_case("bank/ledger-0", 2);
    put_case("shop/web-7f9c8d6b5-x2x7q", 3);
    c = open_ready();
    FINDS(c, "web heap-dump x0|ledger heap-dump x0|cart heap-dump x0|", 0);
    FINDS(c, "web heap-dump x0|cart heap-dump x0|", .namespace = "shop");
    FINDS(c, "web heap-dump x0|cart heap-dump x0|", .visible = shop);
    FINDS(c, "", .visible = none);
    FINDS(c, "", .visible = shop, .namespace = "bank");
    FINDS(c, "ledger heap-dump x0|", .workload = "ledger", .fold = true);
    FINDS(c, "cart heap-dump x0|", .pod = "cart-7f9c8d6b5-x2x7q", .fold = true);
    FINDS(c, "", .cause = "signal");
    FINDS(c, "web heap-dump x0|", .since_ns = hour(3), .fold = true);
    FINDS(c, "cart heap-dump x0|", .until_ns = hour(1), .fold = true);
    catalogue_close(c);
}

static void words_are_found_by_their_beginnings(void **state)
{
    struct catalogue *c;

    (void)state;
    put_case("shop/cart-0", 1);
    put_manifest("shop/web-0", 2, "core", "core", "SIGSEGV (11)");
    c = open_ready();
    FINDS(c, "cart heap-dump x0|", .text = "outofmem heap");
    FINDS(c, "web core x0|", .text = "SIGSEGV", .fold = true);
    FINDS(c, "web core x0|", .text = "\"sigs* (11)");
    FINDS(c, "", .text = "sigsegv heap");
    FINDS(c, "web core x0|cart heap-dump x0|", .text = "-- ()\"*");
    put_case("shop/db-0", 3);
    catalogue_changed(c, "shop/db-0/20261101T030000Z-java-oom-0000000000000003/heap.hprof.json");
    assert_true(catalogue_version(c, catalogue_version(c, 0, 0), 5000) > 0);
    FINDS(c, "db heap-dump x0|cart heap-dump x0|", .text = "outofmem heap");
    catalogue_close(c);
}

static void a_crash_loop_is_one_row(void **state)
{
    struct catalogue *c;
    char id[300];

    (void)state;
    for (int i = 1; i <= 5; i++)
        put_case("shop/cart-7f9c8d6b5-x2x7q", i);
    put_case("shop/cart-7f9c8d6b5-x2x7q", 20); /* long after */
    put_case("bank/cart-7f9c8d6b5-x2x7q", 3);  /* another namespace's */
    c = open_ready();
    FINDS(c, "cart heap-dump x0|cart heap-dump x4|cart heap-dump x0|", .fold = true);
    FINDS(c, "cart heap-dump x0|cart heap-dump x4|", .fold = true, .namespace = "shop");
    FINDS(c, "cart heap-dump x2|", .fold = true, .until_ns = hour(3), .namespace = "shop");
    FINDS(c, "cart heap-dump x0|cart heap-dump x4|", .fold = true, .text = "heap", .namespace = "shop");
    assert_int_equal(ask(c, (struct catalogue_query){.namespace = "shop"}).count, 6);
    put_case("shop/cart-7f9c8d6b5-x2x7q", 10); /* within reach of the five */
    put_case("shop/cart-7f9c8d6b5-x2x7q", 15); /* and joins what is long after */
    id_of("shop/cart-7f9c8d6b5-x2x7q", 10, id);
    strcat(id, "/heap.hprof");
    catalogue_changed(c, id);
    id_of("shop/cart-7f9c8d6b5-x2x7q", 15, id);
    strcat(id, "/heap.hprof");
    catalogue_changed(c, id);
    for (int i = 0; i < 500 && ask(c, (struct catalogue_query){.namespace = "shop"}).count < 8; i++)
        clock_sleep_ms(10);
    FINDS(c, "cart heap-dump x7|", .fold = true, .namespace = "shop");
    catalogue_close(c);
}

static void put_analysis(const char *pod, int n, const char *json)
{
    char id[300], folder[320];

    id_of(pod, n, id);
    snprintf(folder, sizeof(folder), "store/%s", id);
    scratch_put(folder, "analysis.json", json);
}

#define ANALYSIS(holder)                                                                                               \
    "{\"schema\": \"salvage.analysis/1\", \"suspects\": [{\"class\": \"java.util.HashMap\", \"count\": 1, "            \
    "\"holder\": "                                                                                                     \
    "\"" holder "\"}]}"

/* "suspect/class of 2|" */
static int add_suspect(void *ctx, const struct case_row *row)
{
    struct rows *rows = ctx;
    size_t size = strlen(rows->text);

    snprintf(rows->text + size, sizeof(rows->text) - size, "%s/%s of %u|", row->suspect ? row->suspect : "-",
             row->class ? row->class : "-", row->suspects);
    return 0;
}

#define SUSPECTS(c, words, ...)                                                                                        \
    do {                                                                                                               \
        struct rows found = {0};                                                                                       \
        struct err e = {0};                                                                                            \
                                                                                                                       \
        assert_int_equal(catalogue_find(c, &(struct catalogue_query){__VA_ARGS__}, add_suspect, &found, &e), 0);       \
        assert_string_equal(found.text, words);                                                                        \
    } while (0)

static void suspects_are_known_and_found(void **state)
{
    struct catalogue *c;
    char key[400], id[300];

    (void)state;
    top_class = "com.shop.Order";
    put_case("shop/cart-0", 1);
    put_analysis("shop/cart-0", 1, ANALYSIS("static com.shop.Cart.CACHE (java.util.HashMap)"));
    put_case("shop/cart-0", 2);
    top_class = "com.shop.Mail";
    put_case("shop/cart-0", 3);
    top_class = NULL;
    put_case("shop/web-0", 30);
    put_analysis("shop/web-0", 30, "no analysis");
    scratch_put("store/loose", "analysis.json", ANALYSIS("of nothing"));
    c = open_ready();
    SUSPECTS(c, "-/- of 0|-/com.shop.Mail of 2|", .fold = true);
    SUSPECTS(c, "-/com.shop.Order of 0|static com.shop.Cart.CACHE (java.util.HashMap)/com.shop.Order of 0|",
             .suspect = "com.shop.Order");
    SUSPECTS(c, "static com.shop.Cart.CACHE (java.util.HashMap)/com.shop.Order of 1|", .fold = true,
             .suspect = "static com.shop.Cart.CACHE (java.util.HashMap)");
    SUSPECTS(c, "", .suspect = "com.shop");
    FINDS(c, "cart heap-dump x0|", .text = "cart.cache");
    FINDS(c, "cart heap-dump x0|", .text = "shop.mail");
    put_analysis("shop/cart-0", 2, ANALYSIS("a thread's local"));
    id_of("shop/cart-0", 2, id);
    snprintf(key, sizeof(key), "%s/analysis.json", id);
    catalogue_changed(c, key);
    for (int i = 0; i < 500 && ask(c, (struct catalogue_query){.suspect = "a thread's local"}).count == 0; i++)
        clock_sleep_ms(10);
    SUSPECTS(c, "-/com.shop.Mail of 2|", .fold = true, .workload = "cart");
    FINDS(c, "cart heap-dump x0|", .text = "thread local", .suspect = "a thread's local");
    snprintf(key, sizeof(key), "store/%s/analysis.json", id);
    assert_int_equal(unlinkat(scratch_fd, key, 0), 0);
    catalogue_changed(c, key + strlen("store/"));
    for (int i = 0; i < 500 && ask(c, (struct catalogue_query){.suspect = "a thread's local"}).count > 0; i++)
        clock_sleep_ms(10);
    SUSPECTS(c, "", .suspect = "a thread's local");
    SUSPECTS(c, "", .text = "thread local");
    catalogue_close(c);
}

/* The index keeps them, a listing brings and takes them. */
static void suspects_come_and_go_with_listings(void **state)
{
    struct catalogue *c;
    char path[400], id[300];

    (void)state;
    put_case("shop/cart-0", 1);
    put_analysis("shop/cart-0", 1, ANALYSIS("first"));
    scratch_put("store/flat", "a.hprof", "dump"); /* a case by itself, of another key template */
    scratch_put("store/flat", "a.hprof.json", "{}");
    scratch_put("store/flat", "a.hprof.analysis.json", ANALYSIS("of an object"));
    c = open_catalogue(INDEX);
    wait_ready(c);
    SUSPECTS(c, "first/- of 0|", .namespace = "shop");
    SUSPECTS(c, "of an object/- of 0|", .namespace = "flat");
    catalogue_close(c);
    put_analysis("shop/cart-0", 1, ANALYSIS("another"));
    c = open_catalogue(INDEX);
    for (int i = 0; i < 500 && ask(c, (struct catalogue_query){.suspect = "another"}).count == 0; i++)
        clock_sleep_ms(10);
    SUSPECTS(c, "another/- of 0|", .namespace = "shop");
    catalogue_close(c);
    id_of("shop/cart-0", 1, id);
    snprintf(path, sizeof(path), "store/%s/analysis.json", id);
    assert_int_equal(unlinkat(scratch_fd, path, 0), 0);
    c = open_catalogue(INDEX);
    for (int i = 0; i < 500 && ask(c, (struct catalogue_query){.suspect = "another"}).count > 0; i++)
        clock_sleep_ms(10);
    SUSPECTS(c, "-/- of 0|", .namespace = "shop");
    SUSPECTS(c, "of an object/- of 0|", .namespace = "flat");
    assert_false(logged("catalogue-anew"));
    catalogue_close(c);
}

static void pages_follow_each_other(void **state)
{
    struct catalogue *c;
    struct rows page;
    struct err e;

    (void)state;
    for (int i = 0; i < 10; i++)
        put_case(i % 2 ? "shop/cart-0" : "shop/web-0", i);
    c = open_ready();
    for (int fold = 0; fold < 2; fold++) {
        page = ask(c, (struct catalogue_query){.limit = 1, .fold = fold});
        assert_string_equal(page.text, fold ? "cart heap-dump x4|" : "cart heap-dump x0|");
        page = ask(c, (struct catalogue_query){.limit = 1, .fold = fold, .after = page.cursor});
        assert_string_equal(page.text, fold ? "web heap-dump x4|" : "web heap-dump x0|");
    }
    page = ask(c, (struct catalogue_query){.limit = 1, .fold = true, .after = page.cursor});
    assert_int_equal(page.count, 0);
    assert_int_equal(catalogue_find(c, &(struct catalogue_query){.after = "1.2; DROP TABLE cases"}, add_row, &page, &e),
                     -FAULT_USAGE);
    catalogue_close(c);
}

static void a_case_is_all_its_objects(void **state)
{
    struct catalogue *c;
    char id[300];

    (void)state;
    put_manifest("shop/cart-0", 1, "class-histogram", "histogram.txt", NULL);
    put_case("shop/cart-0", 1);
    put_manifest("shop/cart-0", 1, "thread-dump", "threads.txt", NULL);
    id_of("shop/cart-0", 1, id);
    strcat(id, ".pin");
    scratch_put("store/shop/cart-0", id + strlen("shop/cart-0/"), "");
    c = open_ready();
    FINDS(c, "cart heap-dump x0 pinned more|", 0);
    unlinkat(scratch_fd, id, 0);
    catalogue_close(c);
}

static void hostile_manifests_break_nothing(void **state)
{
    static const char *const BAD[] = {"", "{", "[]", "null", "{\"schema\":\"salvage.manifest/1\"}", "\xff\xfe"};
    struct catalogue *c;
    struct rows rows;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(BAD); i++) {
        char name[40], manifest[60];

        snprintf(name, sizeof(name), "object%zu", i);
        snprintf(manifest, sizeof(manifest), "%s.json", name);
        scratch_put("store/shop/x", name, "dump");
        scratch_put("store/shop/x", manifest, BAD[i]);
    }
    scratch_put("store/web", "package.json", "{}"); /* no manifest: no object "package" */
    scratch_put("store", "loose.hprof", "dump");
    put_case("shop/cart-0", 1);
    c = open_ready();
    rows = ask(c, (struct catalogue_query){0});
    assert_int_equal(rows.count, 1 + ARRAY_SIZE(BAD));
    FINDS(c, "cart heap-dump x0|", .workload = "cart");
    catalogue_close(c);
}

static int add_usage(void *ctx, const struct usage_row *row)
{
    char *text = ctx;

    sprintf(text + strlen(text), "%s:%ju/%ju/%ju ", row->namespace, (uintmax_t)row->cases, (uintmax_t)row->objects,
            (uintmax_t)(row->stored_bytes > 10 ? 10 : row->stored_bytes));
    return 0;
}

static void files_without_manifests_count_as_space(void **state)
{
    char text[200] = "";
    struct catalogue *c;
    struct err e;

    (void)state;
    scratch_put("store/old", "a.hprof", "123");
    scratch_put("store/old", "b.hprof", "4567");
    put_case("shop/cart-0", 1);
    c = open_ready();
    FINDS(c, "cart heap-dump x0|", 0);
    assert_int_equal(catalogue_usage(c, NULL, add_usage, text, &e), 0);
    assert_string_equal(text, "shop:1/1/10 old:0/2/7 ");
    catalogue_close(c);
}

static void what_is_removed_vanishes(void **state)
{
    struct catalogue *c;
    char id[300], path[400];

    (void)state;
    put_case("shop/cart-0", 1);
    put_case("shop/web-0", 2);
    put_case("shop/db-0", 3);
    c = open_catalogue(INDEX);
    wait_ready(c);
    id_of("shop/web-0", 2, id);
    snprintf(path, sizeof(path), "store/%s/heap.hprof.json", id);
    assert_int_equal(unlinkat(scratch_fd, path, 0), 0);
    catalogue_changed(c, path + strlen("store/"));
    assert_true(catalogue_version(c, catalogue_version(c, 0, 0), 5000) > 0);
    FINDS(c, "db heap-dump x0|cart heap-dump x0|", 0);
    catalogue_close(c);
    id_of("shop/db-0", 3, id);
    snprintf(path, sizeof(path), "store/%s", id);
    assert_int_equal(file_remove_tree(scratch_fd, path), 0);
    c = open_catalogue(INDEX); /* asked before the listing: as it was */
    for (int i = 0; i < 500 && ask(c, (struct catalogue_query){0}).count > 1; i++)
        clock_sleep_ms(10);
    FINDS(c, "cart heap-dump x0|", 0);
    assert_false(logged("catalogue-anew"));
    catalogue_close(c);
}

static void damage(const char *file, const char *content)
{
    CLEANUP_FD int fd = open(file, O_WRONLY | O_TRUNC | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(file_write(fd, content, strlen(content)), 0);
}

static void an_index_that_is_no_use_is_made_anew(void **state)
{
    struct catalogue *c;

    (void)state;
    put_case("shop/cart-0", 1);
    damage(INDEX, "this is no database, and long enough that SQLite reads its head: ........................"
                  ".........................................................................................");
    c = open_catalogue(INDEX);
    wait_ready(c);
    FINDS(c, "cart heap-dump x0|", 0);
    assert_true(logged("catalogue-anew") && logged("reason="));
    catalogue_close(c);

    store_url[strlen(store_url) - 1] = 'x'; /* another store's */
    c = open_catalogue(INDEX);
    assert_true(logged("it is of another store"));
    wait_ready(c);
    FINDS(c, "cart heap-dump x0|", 0);
    catalogue_close(c);
}

static void without_room_for_a_file_it_is_in_memory(void **state)
{
    struct catalogue *c;

    (void)state;
    put_case("shop/cart-0", 1);
    c = open_catalogue("no/such/folder/index");
    wait_ready(c);
    FINDS(c, "cart heap-dump x0|", 0);
    assert_true(logged("catalogue-in-memory"));
    catalogue_close(c);
}

static int count_days(void *ctx, const char *day, unsigned count)
{
    sprintf((char *)ctx + strlen(ctx), "%s:%u ", day, count);
    return 0;
}

static int add_json(void *ctx, const char *json, size_t size)
{
    strncat(ctx, json, size < 900 ? size : 900);
    return 0;
}

static void days_and_manifests_are_given(void **state)
{
    char text[1000] = "", id[300];
    struct catalogue *c;
    struct err e;

    (void)state;
    put_case("shop/cart-0", 1);
    put_case("shop/cart-0", 2);
    put_case("shop/cart-0", 30);
    c = open_ready();
    assert_int_equal(catalogue_days(c, &(struct catalogue_query){.namespace = "shop"}, count_days, text, &e), 0);
    assert_string_equal(text, "2026-11-02:1 2026-11-01:2 ");
    *text = '\0';
    id_of("shop/cart-0", 2, id);
    assert_int_equal(catalogue_manifests(c, id, add_json, text, &e), 0);
    assert_non_null(strstr(text, "salvage.manifest/1"));
    assert_int_equal(catalogue_manifests(c, "shop/none", add_json, text, &e), -FAULT_NO_OBJECT);
    catalogue_close(c);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(the_newest_come_first_and_by_filter),
        WITH(words_are_found_by_their_beginnings),
        WITH(a_crash_loop_is_one_row),
        WITH(suspects_are_known_and_found),
        WITH(suspects_come_and_go_with_listings),
        WITH(pages_follow_each_other),
        WITH(a_case_is_all_its_objects),
        WITH(hostile_manifests_break_nothing),
        WITH(files_without_manifests_count_as_space),
        WITH(what_is_removed_vanishes),
        WITH(an_index_that_is_no_use_is_made_anew),
        WITH(without_room_for_a_file_it_is_in_memory),
        WITH(days_and_manifests_are_given),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
