/* SPDX-License-Identifier: Apache-2.0
 *
 * By one listing, without reading a manifest: names of heap dumps end with .hprof and perhaps a codec's suffix.
 */
#include "cmd/inspect_case.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"
#include "ship/catalog.h"
#include "store/sink.h"

enum { SHOWN = 20, ID_DIGITS = 16 };

/* "0123ab", "0123ab/heap", or the beginning of a key. */
struct wanted {
    const char *operand, *name;
    size_t digits; /* of an id; 0: by key */
};

static bool matches(const struct wanted *w, const char *key)
{
    const char *base = text_base_name(key), *id;

    if (text_starts(key, w->operand))
        return true;
    if (w->digits == 0 || base == key || !text_starts(base, w->name))
        return false;
    for (id = base - 1; id > key && id[-1] != '-' && id[-1] != '/'; id--)
        ;
    return id > key && id[-1] == '-' && strncmp(id, w->operand, w->digits) == 0;
}

static bool is_heap_dump(const char *key)
{
    const char *end = strstr(text_base_name(key), ".hprof");

    return end && (text_eq(end, ".hprof") || text_eq(end, ".hprof.zst") || text_eq(end, ".hprof.gz"));
}

static struct wanted understand(const char *operand)
{
    struct wanted w = {.operand = operand, .name = ""};
    size_t digits = strspn(operand, "0123456789abcdef");

    if (digits > 0 && digits <= ID_DIGITS && (operand[digits] == '\0' || operand[digits] == '/')) {
        w.digits = digits;
        w.name = operand[digits] ? operand + digits + 1 : "";
    }
    return w;
}

static void show(const struct sink_config *config, const char *key, unsigned number)
{
    char text[2048];

    CLEANUP_FREE char *url = number < SHOWN ? sink_object_url(config, key) : NULL;
    if (url)
        fprintf(stderr, "%s\n", text_printable(url, text, sizeof(text)));
}

struct found {
    const char *key; /* the newest */
    unsigned count;
};

/* shown: print all URLs but of a single one. */
static struct found look_for(const struct catalog *c, const struct wanted *w, bool heap_dumps,
                             const struct sink_config *shown)
{
    struct found f = {0};

    for (size_t i = 0; i < c->count; i++) {
        const struct catalog_entry *one = &c->entry[i];

        if (!one->whole || !matches(w, one->key) || (heap_dumps && !is_heap_dump(one->key)))
            continue;
        if (shown)
            show(shown, one->key, f.count);
        if (f.count++ == 0)
            f.key = one->key;
    }
    return f;
}

/* Of a case the heap dump counts; without one, what there is. */
static int pick(const struct catalog *c, const struct sink_config *config, const struct wanted *w, char **ret_key,
                struct err *e)
{
    struct found f = look_for(c, w, true, NULL);
    bool heap_dumps = f.count > 0;

    if (!heap_dumps)
        f = look_for(c, w, false, NULL);
    if (f.count == 0)
        return err_set(e, -FAULT_NO_OBJECT, "there is no such file, and no such case in the store");
    if (f.count > 1) {
        look_for(c, w, heap_dumps, config);
        return err_set(e, -FAULT_USAGE, "these are %u %s: name one", f.count, heap_dumps ? "heap dumps" : "objects");
    }
    return (*ret_key = strdup(f.key)) ? 0 : err_set(e, -ENOMEM, "out of memory");
}

static int find(struct sink *sink, const struct sink_config *config, const struct wanted *w, char **ret_key,
                struct err *e)
{
    char *const by_key[] = {(char *)w->operand, NULL}, *const everywhere[] = {NULL};
    CLEANUP(catalog_done) struct catalog catalog = {0};
    int r = catalog_list(&catalog, sink, config, w->digits ? everywhere : by_key, e);

    return r < 0 ? r : pick(&catalog, config, w, ret_key, e);
}

int inspect_case_find(const struct plan_options *plan, const char *operand, struct sink_config *ret, char **ret_key,
                      struct err *e)
{
    CLEANUP(sink_config_done) struct sink_config config = {0};
    CLEANUP_FREE char *folder = NULL;
    const char *url = strstr(operand, "://") ? operand : plan->to;
    struct sink *sink = NULL;
    struct wanted w;
    int r;

    if (!url)
        return err_set(e, -FAULT_USAGE, "there is no such file. If it is a case: --to URL says in which store");
    if ((r = plan_sink_config(&config, plan, url, e)) < 0)
        return r;
    if (url == operand) { /* a case's folder */
        config.url.path[text_size_without_slashes(config.url.path)] = '\0';
        if (!(folder = url_take_last_part(&config.url)))
            return err_set(e, -ENOMEM, "out of memory");
    }
    w = understand(folder ? folder : operand);
    if ((r = sink_open(&config, &sink, e)) == 0)
        r = find(sink, &config, &w, ret_key, e);
    sink_close(sink);
    if (r == 0) {
        *ret = config;
        config = (struct sink_config){0};
    }
    return r;
}
