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

static bool is_core(const char *key)
{
    const char *base = text_base_name(key);

    return text_eq(base, "core") || text_starts(base, "core.");
}

static bool is_any(const char *key)
{
    (void)key;
    return true;
}

static bool is_crash_log(const char *key)
{
    return text_starts(text_base_name(key), "hs_err");
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
static struct found look_for(const struct catalog *c, const struct wanted *w, bool (*is)(const char *key),
                             const struct sink_config *shown)
{
    struct found f = {0};

    for (size_t i = 0; i < c->count; i++) {
        const struct catalog_entry *one = &c->entry[i];

        if (!one->whole || !matches(w, one->key) || !is(one->key))
            continue;
        if (shown)
            show(shown, one->key, f.count);
        if (f.count++ == 0)
            f.key = one->key;
    }
    return f;
}

/* What stands for a case, and what it is called where there are several. */
static const struct {
    bool (*is)(const char *key);
    const char *several;
} CHOICES[] = {{is_heap_dump, "heap dumps"}, {is_core, "cores"}, {is_crash_log, "crash logs"}, {is_any, "objects"}};

/* The object's name, if it is a crash log in the same folder: a copy; NULL. */
static char *crash_log_beside(const struct catalog *c, const char *key)
{
    size_t folder = (size_t)(text_base_name(key) - key);

    for (size_t i = 0; i < c->count; i++) {
        const char *other = c->entry[i].key, *name = text_base_name(other);

        if (c->entry[i].whole && is_crash_log(other) && (size_t)(name - other) == folder && folder > 0 &&
            memcmp(other, key, folder) == 0 && !strchr(name, ','))
            return strdup(name);
    }
    return NULL;
}

/* Of a case the heap dump counts; without one, the core; without that, the crash log; else what there is. */
static int pick(const struct catalog *c, const struct sink_config *config, const struct wanted *w,
                struct inspect_input *in, struct err *e)
{
    struct found f = {0};
    size_t k = 0;

    while (k < ARRAY_SIZE(CHOICES) && (f = look_for(c, w, CHOICES[k].is, NULL)).count == 0)
        k++;
    if (f.count == 0)
        return err_set(e, -FAULT_NO_OBJECT, "there is no such file, and no such case in the store");
    if (f.count > 1) {
        look_for(c, w, CHOICES[k].is, config);
        return err_set(e, -FAULT_USAGE, "these are %u %s: name one", f.count, CHOICES[k].several);
    }
    if (is_core(f.key))
        in->crash_logs = crash_log_beside(c, f.key);
    return (in->key = strdup(f.key)) ? 0 : err_set(e, -ENOMEM, "out of memory");
}

static int find(struct sink *sink, const struct sink_config *config, const struct wanted *w, struct inspect_input *in,
                struct err *e)
{
    char *const by_key[] = {(char *)w->operand, NULL}, *const everywhere[] = {NULL};
    CLEANUP(catalog_done) struct catalog catalog = {0};
    int r = catalog_list(&catalog, sink, config, w->digits ? everywhere : by_key, e);

    return r < 0 ? r : pick(&catalog, config, w, in, e);
}

int inspect_case_find(const struct plan_options *plan, const char *operand, struct inspect_input *in, struct err *e)
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
        r = find(sink, &config, &w, in, e);
    sink_close(sink);
    if (r == 0) {
        in->config = config;
        config = (struct sink_config){0};
    }
    return r;
}
