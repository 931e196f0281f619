/* SPDX-License-Identifier: Apache-2.0
 *
 * Asks the server, then uses the sink as shipping does.
 */
#include "probe/store.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/env.h"
#include "base/mem.h"
#include "base/text.h"
#include "linux/volume.h"
#include "net/azure_auth.h"
#include "net/cred.h"
#include "place/environment_facts.h"
#include "probe/store_connection.h"
#include "probe/store_server.h"
#include "ship/preflight.h"

enum { ROOM_WARN = 1024 * 1024 * 1024, ANSWER_MAX = 64 * 1024, CREDENTIALS_TEXT_MAX = 400 };

static const char BODY[] = "salvage check: may be removed\n";

/* --- credentials -------------------------------------------------------------------------------------------------- */

static void find_http_credentials(const char *file, char out[CREDENTIALS_TEXT_MAX])
{
    const char *name = env_get("SALVAGE_HTTP_TOKEN")  ? "SALVAGE_HTTP_TOKEN"
                       : env_get("SALVAGE_HTTP_USER") ? "SALVAGE_HTTP_USER"
                                                      : NULL;

    if (!file)
        file = env_get("SALVAGE_CREDENTIALS_FILE");
    if (!file)
        file = env_get("SALVAGE_TOKEN_FILE");
    if (file)
        snprintf(out, CREDENTIALS_TEXT_MAX, "from the file %s", file);
    else if (name)
        snprintf(out, CREDENTIALS_TEXT_MAX, "from the environment (%s)", name);
    else
        snprintf(out, CREDENTIALS_TEXT_MAX,
                 "none: the server is asked without (--credentials-file, SALVAGE_HTTP_TOKEN, SALVAGE_HTTP_USER)");
}

/* Describes them in out; only the store can tell whether they are valid. */
static bool find_azure_credentials(const struct findings *f, const struct plan *plan, char out[CREDENTIALS_TEXT_MAX])
{
    CLEANUP(azure_auth_done) struct azure_auth found = {0};
    char until[CLOCK_TEXT_MAX];
    struct err e = {0};

    if (azure_auth_get(&plan->sink.http, &found, &e) < 0) {
        finding_fail(f, "credentials", NULL, "%s", e.msg);
        return false;
    }
    snprintf(out, CREDENTIALS_TEXT_MAX, "%s, from: %s%s%s", found.sas ? "a SAS" : "a token", found.source,
             found.expires_ns ? ", until " : "", found.expires_ns ? clock_format(found.expires_ns, until) : "");
    return true;
}

static bool find_credentials(const struct findings *f, const struct plan *plan, char out[CREDENTIALS_TEXT_MAX])
{
    struct credentials found = {0};
    char until[CLOCK_TEXT_MAX], end[80] = "";
    struct err e = {0};
    int r;

    finding_step(f, "credentials", "environment, files and metadata services");
    if (plan->sink.url.scheme == URL_AZ)
        return find_azure_credentials(f, plan, out);
    r = cred_get(plan->sink.url.scheme == URL_OBS ? CRED_OBS : CRED_AWS, &plan->sink.http, &found, &e);
    if (r < 0) {
        finding_fail(f, "credentials", NULL, "%s", e.msg);
        return false;
    }
    if (found.expires_ns)
        snprintf(end, sizeof(end), ", until %s", clock_format(found.expires_ns, until));
    snprintf(out, CREDENTIALS_TEXT_MAX, "access key %s, from: %s%s%s", found.access_key,
             found.source ? found.source : "?", found.token ? ", with a session token" : "", end);
    cred_done(&found);
    return true;
}

/* --- permissions -------------------------------------------------------------------------------------------------- */

struct trial {
    const struct findings *f;
    struct sink *sink;
    const char *key;
    const char *credentials;            /* what was found of them */
    const struct server_rights *rights; /* of a salvage server; NULL: it is none */
    const char *allowed[8];
    unsigned count;
};

/* A request that may be refused, and what that would mean. */
struct permission {
    const char *name;
    enum finding_result weight;
    const char *meaning;
};

/* result: of the request. True if it was allowed. */
static bool report(struct trial *t, int result, const struct permission *p, const struct err *e)
{
    if (result >= 0) {
        t->allowed[t->count++] = p->name;
        return true;
    }
    finding_add(t->f, &(struct finding_head){p->weight, "permissions", p->meaning}, "%s is refused: %s", p->name,
                e->msg);
    return false;
}

static bool is_about_keys(const struct err *e)
{
    static const char *const CODES[] = {"SignatureDoesNotMatch", "InvalidAccessKeyId", "InvalidToken", "401 "};

    for (unsigned i = 0; i < ARRAY_SIZE(CODES); i++)
        if (strstr(e->msg, CODES[i]))
            return true;
    return false;
}

/* It refuses with FAULT_REFUSED what is not allowed, and may know nothing of parts. */
static bool is_file_server(const struct trial *t)
{
    return text_eq(t->sink->ops->name, "http");
}

/* After the first signed request: adds a finding for the credentials. True if it failed for another reason than
 * permissions, which is then a finding, too. */
static bool is_no_refusal(const struct trial *t, int r, const struct err *e)
{
    const char *name = NULL;

    if (r >= 0)
        name = NULL;
    else if (r == -FAULT_NO_BUCKET)
        name = "bucket";
    else if (r == -FAULT_CREDENTIALS || r == -FAULT_EXPIRED || (r == -FAULT_DENIED && is_about_keys(e)))
        name = "credentials";
    else if (r == -FAULT_UNREACHABLE || r == -FAULT_STALLED || r == -FAULT_TLS || r == -FAULT_BUSY ||
             r == -FAULT_FULL || r == -FAULT_USAGE || r == -FAULT_CORRUPT || r == -FAULT_FORMAT ||
             (r == -FAULT_REFUSED && !is_file_server(t))) /* a wrong region */
        name = "store";
    if (!text_eq(name, "credentials"))
        finding_ok(t->f, "credentials", "%s", t->credentials);
    if (name)
        finding_fail(t->f, name, NULL, "%s", e->msg);
    return name != NULL;
}

static int stop_listing(void *ctx, const struct sink_listing_entry *entry)
{
    bool *seen = ctx;
    (void)entry;

    *seen = true;
    return -ECANCELED;
}

static void try_list(struct trial *t)
{
    struct err e = {0};
    bool seen = false;
    int r;

    finding_step(t->f, "permissions", "list");
    if (t->rights && !t->rights->list) /* the root's listing would be empty */
        r = err_set(&e, -FAULT_DENIED, "%s may not in namespace %s", t->rights->name, t->rights->namespace);
    else
        r = t->sink->ops->list(t->sink, "", stop_listing, &seen, &e);
    report(t, seen ? 0 : r, &(struct permission){"list", FINDING_WARN, "'salvage ls' will not work; shipping does"},
           &e);
}

/* A token of a salvage server that may not delete would leave an object behind: an upload is begun and taken back. */
static void try_upload(struct trial *t)
{
    const struct permission put = {"put", FINDING_FAIL, "nothing can be stored here: use a token that may write"};
    struct err e = {0};
    int r;

    finding_step(t->f, "permissions", "put");
    if (!t->rights->write)
        r = err_set(&e, -FAULT_DENIED, "%s may not write in namespace %s", t->rights->name, t->rights->namespace);
    else
        r = t->sink->ops->probe(t->sink, t->key, &e);
    if (is_no_refusal(t, r, &e))
        return;
    if (report(t, r, &put, &e))
        finding_ok(t->f, "bucket", "the store would take an object; none was put, as this token may not delete it");
    try_list(t);
}

/* Puts, compares and removes. */
static void try_object(struct trial *t)
{
    CLEANUP(buf_done) struct buf back = {.ceiling = ANSWER_MAX};
    const struct sink_ops *ops = t->sink->ops;
    struct object_info info;
    struct err e = {0};
    void *connection = NULL;
    int r;

    finding_step(t->f, "permissions", "put");
    r = ops->put(t->sink, &(struct small_object){t->key, "text/plain", BODY, sizeof(BODY) - 1}, &e);
    if (is_no_refusal(t, r, &e))
        return;
    if (!report(t, r,
                &(struct permission){"put", FINDING_FAIL, "nothing can be stored here: allow the role to put objects"},
                &e)) {
        try_list(t);
        return;
    }
    finding_ok(t->f, "bucket", "the store took an object of %zu bytes", sizeof(BODY) - 1);
    if (!is_file_server(t)) {
        finding_step(t->f, "permissions", "multipart");
        r = ops->probe(t->sink, t->key, &e);
        report(t, r,
               &(struct permission){"multipart", FINDING_FAIL,
                                    "what is larger than a part can't be stored: heap dumps are"},
               &e);
    }
    finding_step(t->f, "permissions", "head");
    report(t, ops->stat(t->sink, t->key, &info, &e),
           &(struct permission){"head", FINDING_WARN,
                                "what is stored can't be looked at: the answer to the upload alone counts"},
           &e);
    finding_step(t->f, "permissions", "get");
    r = ops->load(t->sink, &connection, t->key, &back, &e);
    ops->load_end(connection);
    if (r == 0 && (back.size != sizeof(BODY) - 1 || memcmp(back.data, BODY, back.size) != 0))
        finding_fail(t->f, "store", "look at what stands before it: a proxy, a gateway, a cache",
                     "%s does not read back as it was put", t->key);
    else
        report(t, r,
               &(struct permission){"get", FINDING_WARN,
                                    "'salvage ls' and 'salvage get' will not work with these credentials"},
               &e);
    try_list(t);
    finding_step(t->f, "permissions", "delete");
    r = ops->remove(t->sink, t->key, &e);
    if (!report(t, r,
                &(struct permission){"delete", FINDING_WARN,
                                     "only 'salvage check' removes objects: shipping works without"},
                &e))
        finding_warn(t->f, "bucket", "remove it by other means", "the object of this check stays: %s", t->key);
}

static void say_allowed(const struct trial *t)
{
    char text[200] = "";

    for (unsigned i = 0; i < t->count; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i > 0 ? ", " : "", t->allowed[i]);
    if (t->count > 0)
        finding_ok(t->f, "permissions", "%s", text);
}

/* "shop", of the key that evidence from here gets. */
static char *namespace_for(const struct plan *plan, const struct whoami *who, const struct facts *facts)
{
    const char *path = plan->sink.url.path;
    CLEANUP_FREE char *key =
        *path ? strdup(path) : preflight_key(&(struct preflight){.plan = plan, .who = who, .facts = facts}, "x");

    return key ? strndup(key, strcspn(key, "/")) : NULL;
}

static char *key_for(const struct plan *plan, const struct whoami *who, const struct facts *facts,
                     const struct server_rights *rights)
{
    bool in_namespace = rights && !*plan->sink.url.path;
    char *key = NULL;

    if (url_in_bucket(plan->sink.url.scheme))
        return preflight_key(&(struct preflight){.plan = plan, .who = who, .facts = facts}, "salvage-check");
    /* A file server keeps the folders that it had to make. */
    return asprintf(&key, "%s%ssalvage-check-%" PRIx64, in_namespace ? rights->namespace : "", in_namespace ? "/" : "",
                    (uint64_t)clock_wall_ns()) < 0
               ? NULL
               : key;
}

static void check_object_store(const struct findings *f, const struct probe_store *o, const char *credentials)
{
    CLEANUP(whoami_done) struct whoami who = {0};
    CLEANUP(facts_done) struct facts facts = {0};
    CLEANUP_FREE char *key = NULL, *namespace = NULL;
    struct server_rights rights;
    struct trial t = {.f = f, .credentials = credentials};
    struct err e = {0};
    int r;

    finding_step(f, "store", "pod, task or instance");
    if ((r = whoami_get("/", &who, &e)) < 0 || environment_facts_get("/", &who, &facts) < 0 ||
        !(namespace = namespace_for(o->plan, &who, &facts))) {
        finding_fail(f, "store", NULL, "%s", r < 0 ? e.msg : "out of memory");
        return;
    }
    if (!url_in_bucket(o->plan->sink.url.scheme) && probe_server(f, o->plan, namespace, &rights))
        t.rights = &rights;
    if (!(t.key = key = key_for(o->plan, &who, &facts, t.rights))) {
        finding_fail(f, "store", NULL, "out of memory");
        return;
    }
    finding_step(f, "store", "opening it");
    if ((r = sink_open(&o->plan->sink, &t.sink, &e)) < 0) {
        finding_fail(f, r == -FAULT_CREDENTIALS ? "credentials" : "store", NULL, "%s", e.msg);
        return;
    }
    if (t.rights && !(t.rights->write && t.rights->delete))
        try_upload(&t);
    else
        try_object(&t);
    say_allowed(&t);
    sink_close(t.sink);
}

/* --- a folder ----------------------------------------------------------------------------------------------------- */

static void check_folder_store(const struct findings *f, const struct plan *plan)
{
    CLEANUP(whoami_done) struct whoami who = {0};
    const char *path = plan->sink.url.path;
    char size[TEXT_SIZE_MAX];
    struct sink *sink = NULL;
    uint64_t all, room;
    struct stat st;
    struct err e = {0};
    int r;

    finding_step(f, "store", path);
    r = whoami_get("/", &who, &e);
    if (r == 0)
        r = preflight_run(&(struct preflight){.plan = plan, .who = &who}, &sink, &e);
    sink_close(sink);
    if (r < 0) {
        finding_fail(f, "store", "make it, or have it writable by this user; is it mounted read-only?",
                     "%s (this is uid %u)", e.msg, (unsigned)geteuid());
        return;
    }
    if (stat(path, &st) < 0)
        finding_ok(f, "store", "%s is not there yet: it is made with the first evidence", path);
    else
        finding_ok(f, "store", "%s: can be written by uid %u, and is uid %u's", path, (unsigned)geteuid(),
                   (unsigned)st.st_uid);
    if (volume_space_at(path, &all, &room) < 0)
        return;
    finding_add(
        f,
        &(struct finding_head){room < ROOM_WARN ? FINDING_WARN : FINDING_OK, "space",
                               room < ROOM_WARN ? "a heap dump may not fit: make room, or use a larger volume" : NULL},
        "%s free in %s", text_format_size(room, size), path);
}

void probe_store(const struct findings *f, const void *ctx)
{
    const struct probe_store *o = ctx;
    CLEANUP_FREE char *origin = NULL;
    char credentials[CREDENTIALS_TEXT_MAX];
    struct err e = {0};
    bool there;

    assert(((const struct probe_store *)ctx)->plan);
    if (o->plan->sink.url.scheme == URL_FILE) {
        check_folder_store(f, o->plan);
        return;
    }
    if (sink_origin(&o->plan->sink, &origin, &e) < 0) {
        finding_fail(f, "store", NULL, "%s", e.msg);
        return;
    }
    there = probe_connection(f, o->plan, origin);
    if (!url_in_bucket(o->plan->sink.url.scheme))
        find_http_credentials(o->credentials_file, credentials);
    else if (!find_credentials(f, o->plan, credentials))
        return;
    if (there)
        check_object_store(f, o, credentials);
    else
        finding_ok(f, "credentials", "%s", credentials);
}
