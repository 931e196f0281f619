/* SPDX-License-Identifier: Apache-2.0
 *
 * Claims on disk: written, found again after a restart, finished, whatever was left half done.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "ship/claim.h"
#include "ship/spool.h"

struct place {
    char path[64];
    int fd;
    struct spool *spool;
};

static int set_up(void **state)
{
    static struct place p;
    struct err e;

    snprintf(p.path, sizeof(p.path), "/tmp/spool_test.XXXXXX");
    if (!mkdtemp(p.path))
        return -1;
    p.fd = open(p.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *state = &p;
    return spool_open(p.fd, ".salvage", true, &p.spool, &e);
}

static int tear_down(void **state)
{
    struct place *p = *state;

    spool_close(p->spool);
    close(p->fd);
    return file_remove_tree(AT_FDCWD, p->path);
}

static void make_file(const struct place *p, const char *name, const char *text)
{
    int fd = openat(p->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(file_write(fd, text, strlen(text)), 0);
    close(fd);
}

static struct claim claim_of(const struct place *p, const char *name)
{
    struct claim c = {.id = "0123456789abcdef", .in_place = true, .erase = true, .time_ns = 42, .size = 5};

    assert_true(asprintf(&c.path, "%s/%s", p->path, name) > 0);
    c.name = strdup(name);
    c.cause = strdup("java-oom");
    c.kind = kind_of_name(name);
    c.spool = p->spool;
    return c;
}

/* Makes the file that a claim is about, and gives the claim its id. */
static void make_evidence(const struct place *p, struct claim *c)
{
    struct identity i;
    int fd;

    make_file(p, c->name, "hello");
    fd = openat(p->fd, c->name, O_PATH | O_CLOEXEC);
    assert_int_equal(identity_get(fd, "m", &i), 0);
    close(fd);
    memcpy(c->id, i.id, sizeof(c->id));
}

static const char *in_spool(const struct claim *c, const char *name)
{
    static char path[100];

    snprintf(path, sizeof(path), ".salvage/spool/%s%s", c->id, name);
    return path;
}

static void keep_claim(void *ctx, struct claim *c)
{
    struct claim **found = ctx;

    assert_null(*found);
    *found = c;
}

static struct claim *find_claim(struct place *p)
{
    struct claim *found = NULL;

    assert_int_equal(spool_each(p->spool, keep_claim, &found), 0);
    return found;
}

static bool is_there(const struct place *p, const char *path)
{
    return faccessat(p->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void claimed_file_leaves_its_path_and_is_found_after_a_restart(void **state)
{
    struct stat st;
    struct place *p = *state;
    struct claim c = claim_of(p, "a b\n\xff.hprof"), *found;
    struct err e;

    make_evidence(p, &c);
    assert_int_equal(spool_add(p->spool, &c, &e), 0);
    assert_int_equal(spool_move_in(p->spool, &c, &(struct spool_source){p->fd, c.name, "m"}, &e), 0);
    assert_false(is_there(p, c.name));
    assert_false(c.in_place);
    found = find_claim(p);
    assert_non_null(found);
    assert_string_equal(found->name, c.name);
    assert_string_equal(found->path, c.path);
    assert_string_equal(found->kind->name, "heap-dump");
    assert_int_equal(found->size, 5);
    assert_false(found->in_place);
    /* It was not shipped as it is now: it stays. */
    assert_int_equal(spool_finish(p->spool, found, "m", false, &e), -FAULT_CHANGED);
    assert_int_equal(fstatat(p->fd, in_spool(&c, "/evidence"), &st, 0), 0);
    found->mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    assert_int_equal(spool_finish(p->spool, found, "m", false, &e), 0);
    assert_false(is_there(p, in_spool(&c, "")));
    claim_free(found);
    claim_done(&c);
}

static void evidence_without_a_claim_is_still_found(void **state)
{
    struct place *p = *state;
    struct claim *found;

    assert_int_equal(mkdirat(p->fd, ".salvage/spool/0123456789abcdef", 0700), 0);
    make_file(p, ".salvage/spool/0123456789abcdef/evidence", "hello");
    make_file(p, ".salvage/spool/0123456789abcdef/claim.json", "{\"id\": \"01234");
    found = find_claim(p);
    assert_non_null(found);
    assert_string_equal(found->id, "0123456789abcdef");
    assert_int_equal(found->size, 5);
    claim_free(found);
}

static void claim_whose_evidence_is_gone_is_swept_away(void **state)
{
    struct place *p = *state;
    struct claim c = claim_of(p, "x.hprof");
    struct err e;

    make_evidence(p, &c);
    assert_int_equal(spool_add(p->spool, &c, &e), 0);
    assert_int_equal(spool_move_in(p->spool, &c, &(struct spool_source){p->fd, c.name, "m"}, &e), 0);
    assert_int_equal(unlinkat(p->fd, in_spool(&c, "/evidence"), 0), 0);
    assert_null(find_claim(p));
    assert_false(is_there(p, in_spool(&c, "")));
    claim_done(&c);
}

static void claim_of_another_id_is_not_believed(void **state)
{
    struct place *p = *state;
    struct claim c = claim_of(p, "x.hprof");
    struct err e;

    assert_int_equal(spool_add(p->spool, &c, &e), 0);
    assert_int_equal(renameat(p->fd, ".salvage/spool/0123456789abcdef", p->fd, ".salvage/spool/aaaaaaaaaaaaaaaa"), 0);
    assert_null(find_claim(p));
    claim_done(&c);
}

static void kept_evidence_moves_aside(void **state)
{
    char kept[100];
    struct place *p = *state;
    struct claim c = claim_of(p, "x.hprof");
    struct err e;

    make_evidence(p, &c);
    assert_int_equal(spool_add(p->spool, &c, &e), 0);
    assert_int_equal(spool_move_in(p->spool, &c, &(struct spool_source){p->fd, c.name, "m"}, &e), 0);
    assert_int_equal(spool_finish(p->spool, &c, "m", true, &e), 0);
    snprintf(kept, sizeof(kept), ".salvage/kept/19700101T000000Z-%s-x.hprof", c.id);
    assert_true(is_there(p, kept));
    claim_done(&c);
}

static void what_took_the_files_place_is_put_back(void **state)
{
    struct place *p = *state;
    struct claim c = claim_of(p, "x.hprof");
    struct err e;

    make_evidence(p, &c);
    assert_int_equal(spool_add(p->spool, &c, &e), 0);
    assert_int_equal(unlinkat(p->fd, c.name, 0), 0);
    assert_int_equal(symlinkat("/etc/passwd", p->fd, c.name), 0);
    assert_int_equal(spool_move_in(p->spool, &c, &(struct spool_source){p->fd, c.name, "m"}, &e), -ESTALE);
    assert_true(is_there(p, c.name));
    assert_false(is_there(p, in_spool(&c, "/evidence")));
    claim_done(&c);
}

static void another_file_under_the_same_name_is_not_erased(void **state)
{
    struct place *p = *state;
    struct claim c = claim_of(p, "x.hprof");
    struct err e;

    make_file(p, "x.hprof", "hello"); /* its id is not the claim's */
    assert_int_equal(spool_add(p->spool, &c, &e), 0);
    assert_int_equal(spool_finish(p->spool, &c, "m", false, &e), 0);
    assert_true(is_there(p, "x.hprof"));
    claim_done(&c);
}

static void second_owner_is_turned_away(void **state)
{
    struct place *p = *state;
    struct spool *second = NULL;
    struct err e;

    assert_int_equal(spool_open(p->fd, ".salvage", true, &second, &e), -FAULT_LOCKED);
    assert_null(second);
}

static void spool_behind_a_symlink_is_refused(void **state)
{
    struct place *p = *state;
    struct spool *s = NULL;
    struct err e;

    assert_int_equal(symlinkat("/tmp", p->fd, "link"), 0);
    assert_int_equal(spool_open(p->fd, "link", false, &s, &e), -FAULT_STATE);
}

/* The application of a pod may be root, too, and make links in the spool of its volume. */
static void claims_behind_links_are_none(void **state)
{
    struct place *p = *state;
    struct claim c = claim_of(p, "x.hprof");
    struct err e;

    assert_int_equal(mkdirat(p->fd, "other", 0700), 0);
    make_file(p, "other/evidence", "of another");
    assert_int_equal(symlinkat("../../other", p->fd, in_spool(&c, "")), 0);
    assert_null(find_claim(p));
    make_file(p, c.name, "hello");
    assert_true(spool_add(p->spool, &c, &e) < 0);
    assert_true(spool_evidence(p->spool, &c) < 0);
    assert_true(spool_discard(p->spool, &c) < 0);
    assert_true(is_there(p, "other/evidence") && !is_there(p, "other/claim.json") && is_there(p, c.name));
    claim_done(&c);
}

static void spool_that_others_may_write_to_is_refused(void **state)
{
    struct place *p = *state;
    struct spool *s = NULL;
    struct err e;

    assert_int_equal(mkdirat(p->fd, "trap", 0700), 0);
    assert_int_equal(fchmodat(p->fd, "trap", 0777, 0), 0);
    assert_int_equal(spool_open(p->fd, "trap", false, &s, &e), -FAULT_STATE);
    assert_int_equal(fchmodat(p->fd, "trap", 0755, 0), 0);
    assert_int_equal(spool_open(p->fd, "trap", false, &s, &e), 0);
    spool_close(s);
}

static void state_of_another_user_is_not_used(void **state)
{
    struct place *p = *state;
    struct spool *s = NULL;
    char path[300] = {0}, target[64];
    struct err e;

    snprintf(target, sizeof(target), "/proc/self/fd/%d", p->fd);
    assert_true(readlink(target, path, sizeof(path) - 20) > 0);
    strcat(path, "/given");
    assert_int_equal(mkdirat(p->fd, "given", 0777), 0);
    assert_int_equal(fchmodat(p->fd, "given", 0777, 0), 0);
    assert_int_equal(symlinkat("/tmp", p->fd, "given/spool"), 0);
    assert_int_equal(spool_open(AT_FDCWD, path, true, &s, &e), -FAULT_STATE);
    assert_int_equal(unlinkat(p->fd, "given/spool", 0), 0);
    assert_int_equal(spool_open(AT_FDCWD, path, true, &s, &e), 0); /* as an emptyDir is */
    spool_close(s);
    if (geteuid() != 0)
        return;
    assert_int_equal(fchownat(p->fd, "given/spool", 1001, 1001, 0), 0);
    assert_int_equal(spool_open(AT_FDCWD, path, true, &s, &e), -FAULT_STATE);
    assert_int_equal(fchownat(p->fd, "given/spool", 0, 0, 0), 0);
    assert_int_equal(fchownat(p->fd, "given", 1001, 1001, 0), 0);
    assert_int_equal(spool_open(AT_FDCWD, path, true, &s, &e), -FAULT_STATE);
}

static void a_claim_remembers_the_process_that_it_tells_about(void **state)
{
    char path[] = "/p/a b", name[] = "a b", cause[] = "java-oom", jvm[] = "17 (x)", command[] = "java -Dx=\xff \"%41\"";
    struct claim c = {.id = "0123456789abcdef", .path = path, .name = name, .cause = cause};
    CLEANUP(claim_done) struct claim known = {0}, unknown = {0};
    CLEANUP(buf_done) struct buf text = {0};

    (void)state;
    c.kind = kind_of_name("x.hprof");
    assert_int_equal(claim_encode(&c, &text), 0);
    assert_int_equal(claim_decode(buf_text(&text), text.size, &unknown), 0);
    assert_int_equal(unknown.pid, 0);
    assert_null(unknown.jvm);
    assert_null(unknown.command);
    assert_int_equal(unknown.pause.by, PAUSE_UNKNOWN);
    c.pid = 4711;
    c.pause = (struct pause){PAUSE_ANSWER, 57200, 0};
    c.jvm = jvm;
    c.command = command;
    buf_clear(&text);
    assert_int_equal(claim_encode(&c, &text), 0);
    assert_int_equal(claim_decode(buf_text(&text), text.size, &known), 0);
    assert_int_equal(known.pid, 4711);
    assert_true(known.pause.by == PAUSE_ANSWER && known.pause.us == 57200);
    assert_string_equal(known.jvm, jvm);
    assert_string_equal(known.command, command);
}

static void hostile_claims_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"id\":\"../../../../etc\"}",
        "{\"id\":\"0123456789abcdef\",\"path\":\"/p\",\"name\":\"a/b\",\"kind\":\"core\",\"cause\":\"x\",\"time_ns\":1,"
        "\"found_ns\":1,\"settled_ns\":1,\"size\":1,\"owner\":0,\"in_place\":true,\"erase\":true}",
        "{\"id\":\"0123456789abcdef\",\"path\":\"/"
        "p\",\"name\":\"a%2F..%2Fb\",\"kind\":\"core\",\"cause\":\"x\",\"time_ns\":1,"
        "\"found_ns\":1,\"settled_ns\":1,\"size\":1,\"owner\":0,\"in_place\":true,\"erase\":true}",
        "{\"id\":\"0123456789abcdef\",\"path\":\"/"
        "p\",\"name\":\"%2E%2E\",\"kind\":\"core\",\"cause\":\"x\",\"time_ns\":1,"
        "\"found_ns\":1,\"settled_ns\":1,\"size\":1,\"owner\":0,\"in_place\":true,\"erase\":true}",
        "{\"id\":\"0123456789abcdef\",\"path\":\"/p\",\"name\":\"a\",\"kind\":\"core\",\"cause\":\"x\",\"time_ns\":1,"
        "\"found_ns\":1,\"settled_ns\":1,\"size\":-1,\"owner\":0,\"in_place\":true,\"erase\":true}",
        "{\"id\":\"0123456789abcdef\",\"path\":\"/p\",\"name\":\"a\",\"kind\":\"core\",\"cause\":\"x\",\"time_ns\":1,"
        "\"found_ns\":1,\"settled_ns\":1,\"size\":1,\"owner\":0,\"in_place\":true,\"erase\":true,\"pid\":-1}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct claim c = {0};

        assert_int_equal(claim_decode(bad[i], strlen(bad[i]), &c), -EBADMSG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(claimed_file_leaves_its_path_and_is_found_after_a_restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(evidence_without_a_claim_is_still_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(claim_whose_evidence_is_gone_is_swept_away, set_up, tear_down),
        cmocka_unit_test_setup_teardown(claim_of_another_id_is_not_believed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(kept_evidence_moves_aside, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_took_the_files_place_is_put_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_file_under_the_same_name_is_not_erased, set_up, tear_down),
        cmocka_unit_test_setup_teardown(second_owner_is_turned_away, set_up, tear_down),
        cmocka_unit_test_setup_teardown(spool_behind_a_symlink_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(claims_behind_links_are_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(spool_that_others_may_write_to_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(state_of_another_user_is_not_used, set_up, tear_down),
        cmocka_unit_test(a_claim_remembers_the_process_that_it_tells_about),
        cmocka_unit_test(hostile_claims_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
