/* SPDX-License-Identifier: Apache-2.0
 *
 * The cases of a store by one listing.
 */
#include "ship/case_list.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "place/workload.h"
#include "ship/case_facts.h"
#include "ship/key_template.h"
#include "ship/manifest.h"

/* An object that no folder of a case holds. */
struct loose {
    char *key;
    uint64_t size;
    int64_t time_ns;
};

struct collecting {
    struct case_list *list;
    struct loose *loose;
    size_t loose_count, loose_capacity;
};

void case_list_done(struct case_list *l)
{
    for (size_t i = 0; i < l->count; i++)
        free(l->item[i].id);
    for (size_t i = 0; i < l->other_count; i++)
        free(l->other[i].namespace);
    free(l->item);
    free(l->other);
    *l = (struct case_list){0};
}

static void collecting_done(struct collecting *c)
{
    for (size_t i = 0; i < c->loose_count; i++)
        free(c->loose[i].key);
    free(c->loose);
}

bool case_folder_parse(const char *name, int64_t *ret_time_ns, const char **ret_cause, size_t *ret_cause_size)
{
    enum { TIME = sizeof("20261121T015605Z") - 1 };
    size_t size = strlen(name);
    char text[CLOCK_TEXT_MAX];

    if (size < TIME + 1 + 1 + TEMPLATE_ID_SIZE || name[TIME] != '-' || name[size - TEMPLATE_ID_SIZE - 1] != '-')
        return false;
    for (const char *digit = name + size - TEMPLATE_ID_SIZE; *digit; digit++)
        if (!isdigit((unsigned char)*digit) && (*digit < 'a' || *digit > 'f'))
            return false;
    snprintf(text, sizeof(text), "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", name, name + 4, name + 6, name + 9, name + 11,
             name + 13);
    if (name[8] != 'T' || name[TIME - 1] != 'Z' || clock_parse(text, ret_time_ns) < 0)
        return false;
    *ret_cause = name + TIME + 1;
    *ret_cause_size = size - TEMPLATE_ID_SIZE - 1 > TIME + 1 ? size - TEMPLATE_ID_SIZE - 1 - (TIME + 1) : 0;
    return true;
}

static uint64_t hash_of(const char *text, size_t size, uint64_t seed)
{
    uint64_t hash = XXH3_64bits_withSeed(text, size, seed);

    return hash ? hash : 1;
}

/* place: "shop/cart-7f9c8d6b5-x2x7q", "ecs/CLUSTER/FAMILY/TASK", "host/NAME": what its cases have in common. */
static uint64_t hash_workload(const char *place, size_t size)
{
    char copy[1024], name[WORKLOAD_MAX], *slash;

    snprintf(copy, sizeof(copy), "%.*s", (int)size, place);
    slash = strrchr(copy, '/');
    if (!slash)
        return hash_of(copy, strlen(copy), 0);
    *slash = '\0';
    if (text_starts(copy, "ecs/"))
        return hash_of(copy, strlen(copy), 0);
    workload_of_pod(slash + 1, name);
    return hash_of(name, strlen(name), hash_of(copy, strlen(copy), 0));
}

/* The folder that holds key, if it is a case's: its length; 0 if not. */
static size_t case_folder(const char *key, struct listed_case *ret)
{
    const char *end = strrchr(key, '/'), *begin, *cause;
    char folder[TEMPLATE_SEGMENT_MAX + 1] = "";
    size_t size, cause_size;

    if (!end || !template_match(TEMPLATE_DEFAULT, key))
        return 0;
    for (begin = end; begin > key && begin[-1] != '/';)
        begin--;
    size = (size_t)(end - begin);
    if (size >= sizeof(folder) || begin == key)
        return 0;
    memcpy(folder, begin, size);
    folder[size] = '\0';
    if (!case_folder_parse(folder, &ret->time_ns, &cause, &cause_size))
        return 0;
    ret->folder = true;
    ret->workload = hash_workload(key, (size_t)(begin - 1 - key));
    ret->series = hash_of(cause, cause_size, ret->workload);
    return (size_t)(end - key);
}

static int count_name(struct case_list *l, size_t size)
{
    return (l->name_bytes += size + 1) > CASE_LIST_BYTES ? -EMSGSIZE : 0;
}

/* Objects of a folder come one after the other from most stores; what does not is merged later. */
static int add_to_case(struct case_list *l, const struct sink_listing_entry *entry, size_t size,
                       const struct listed_case *facts)
{
    struct listed_case *one = l->count > 0 ? &l->item[l->count - 1] : NULL;

    if (!one || strncmp(one->id, entry->key, size) != 0 || one->id[size] != '\0') {
        int r = count_name(l, size);

        if (r < 0 || (r = array_reserve(&l->item, l->count + 1, &l->capacity, sizeof(*l->item), SIZE_MAX)) < 0)
            return r;
        one = &l->item[l->count];
        *one = *facts;
        if (!(one->id = strndup(entry->key, size)))
            return -ENOMEM;
        l->count++;
    }
    one->objects++;
    one->manifests += text_ends(entry->key, MANIFEST_SUFFIX) && !case_is_answer(entry->key);
    one->bytes += entry->size;
    if (entry->time_ns > one->newest_ns)
        one->newest_ns = entry->time_ns;
    return 0;
}

static int on_entry(void *ctx, const struct sink_listing_entry *entry)
{
    struct collecting *c = ctx;
    struct listed_case facts = {0};
    size_t size = text_ends(entry->key, CASE_PIN_SUFFIX) ? 0 : case_folder(entry->key, &facts);
    struct loose loose = {.size = entry->size, .time_ns = entry->time_ns};
    int r;

    if (size > 0)
        return add_to_case(c->list, entry, size, &facts);
    if ((r = count_name(c->list, strlen(entry->key))) < 0 ||
        (r = array_reserve(&c->loose, c->loose_count + 1, &c->loose_capacity, sizeof(loose), SIZE_MAX)) < 0)
        return r;
    if (!(loose.key = strdup(entry->key)))
        return -ENOMEM;
    c->loose[c->loose_count++] = loose;
    return 0;
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct listed_case *)a)->id, ((const struct listed_case *)b)->id);
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct loose *)a)->key, ((const struct loose *)b)->key);
}

static int oldest_first(const void *a, const void *b)
{
    const struct listed_case *x = a, *y = b;

    return x->time_ns != y->time_ns ? (x->time_ns < y->time_ns ? -1 : 1) : strcmp(x->id, y->id);
}

static void merge(struct case_list *l)
{
    size_t kept = 0;

    if (l->count > 0)
        qsort(l->item, l->count, sizeof(*l->item), by_id);
    for (size_t i = 0; i < l->count; i++) {
        struct listed_case *before = kept > 0 ? &l->item[kept - 1] : NULL, *one = &l->item[i];

        if (!before || strcmp(before->id, one->id) != 0) {
            l->item[kept++] = *one;
            continue;
        }
        before->objects += one->objects;
        before->manifests += one->manifests;
        before->bytes += one->bytes;
        if (one->newest_ns > before->newest_ns)
            before->newest_ns = one->newest_ns;
        free(one->id);
    }
    l->count = kept;
}

static struct loose *find_loose(const struct collecting *c, const char *key)
{
    const struct loose wanted = {.key = (char *)key};

    return c->loose_count > 0 ? bsearch(&wanted, c->loose, c->loose_count, sizeof(wanted), by_key) : NULL;
}

static int add_object(struct collecting *c, const struct loose *manifest, struct loose *object)
{
    struct case_list *l = c->list;
    const char *slash = strrchr(object->key, '/');
    int r = array_reserve(&l->item, l->count + 1, &l->capacity, sizeof(*l->item), SIZE_MAX);

    if (r < 0)
        return r;
    l->item[l->count++] = (struct listed_case){
        .time_ns = manifest->time_ns,
        .newest_ns = manifest->time_ns,
        .bytes = object->size + manifest->size,
        .objects = 2,
        .manifests = 1,
        .workload = hash_of(object->key, slash ? (size_t)(slash - object->key) : 0, 1),
        .id = strdup(object->key),
    };
    return l->item[l->count - 1].id ? 0 : -ENOMEM;
}

/* What was found out about an object belongs to it. */
static int add_answers(struct collecting *c, const char *key)
{
    struct listed_case *one = &c->list->item[c->list->count - 1];

    for (size_t i = 0; CASE_ANSWERS[i]; i++) {
        CLEANUP(buf_done) struct buf name = {0};
        struct loose *answer;

        if (case_answer_key(key, CASE_ANSWERS[i], &name) < 0)
            return -ENOMEM;
        if (!(answer = find_loose(c, buf_text(&name))))
            continue;
        one->bytes += answer->size;
        one->objects++;
        answer->time_ns = INT64_MIN; /* counted */
    }
    return 0;
}

/* Objects outside of folders of cases, each with its manifest. Their places in `loose` keep their names until all are
 * found: they are sorted by them. */
static int find_objects(struct collecting *c)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < c->loose_count; i++) {
        struct loose *manifest = &c->loose[i], *object;
        CLEANUP_FREE char *key = NULL;

        if (!text_ends(manifest->key, MANIFEST_SUFFIX))
            continue;
        if (!(key = strndup(manifest->key, strlen(manifest->key) - strlen(MANIFEST_SUFFIX))))
            return -ENOMEM;
        if (!(object = find_loose(c, key)) || (r = add_object(c, manifest, object)) < 0)
            continue;
        object->time_ns = manifest->time_ns = INT64_MIN; /* counted */
        r = add_answers(c, key);
    }
    return r;
}

static int set_pins(struct collecting *c)
{
    struct case_list *l = c->list;

    if (l->count > 0)
        qsort(l->item, l->count, sizeof(*l->item), by_id);
    for (size_t i = 0; i < c->loose_count; i++) {
        struct listed_case wanted, *found;
        CLEANUP_FREE char *id = NULL;

        if (!text_ends(c->loose[i].key, CASE_PIN_SUFFIX))
            continue;
        c->loose[i].time_ns = INT64_MIN;
        wanted.id = id = strndup(c->loose[i].key, strlen(c->loose[i].key) - strlen(CASE_PIN_SUFFIX));
        if (!id)
            return -ENOMEM;
        found = l->count > 0 ? bsearch(&wanted, l->item, l->count, sizeof(wanted), by_id) : NULL;
        if (found)
            found->pinned = true;
    }
    return 0;
}

/* loose is sorted: those of a namespace follow each other. */
static int count_others(struct collecting *c)
{
    struct case_list *l = c->list;

    for (size_t i = 0; i < c->loose_count; i++) {
        CLEANUP_FREE char *namespace = case_namespace(c->loose[i].key);
        int r = array_reserve(&l->other, l->other_count + 1, &l->other_capacity, sizeof(*l->other), SIZE_MAX);

        if (r < 0 || !namespace)
            return -ENOMEM;
        if (c->loose[i].time_ns == INT64_MIN)
            continue;
        if (l->other_count == 0 || !text_eq(l->other[l->other_count - 1].namespace, namespace))
            l->other[l->other_count++] = (struct listed_space){.namespace = TAKE_PTR(namespace)};
        l->other[l->other_count - 1].objects++;
        l->other[l->other_count - 1].bytes += c->loose[i].size;
    }
    return 0;
}

int case_list_read(struct case_list *l, struct sink *sink, struct err *e)
{
    CLEANUP(collecting_done) struct collecting c = {.list = l};
    int r;

    assert(l->count == 0 && sink);
    r = sink->ops->list(sink, "", on_entry, &c, e);
    if (r == 0) {
        merge(l);
        if (c.loose_count > 0)
            qsort(c.loose, c.loose_count, sizeof(*c.loose), by_key);
        if ((r = find_objects(&c)) == 0 && (r = set_pins(&c)) == 0)
            r = count_others(&c);
    }
    if (r == 0 && l->count > 0)
        qsort(l->item, l->count, sizeof(*l->item), oldest_first);
    if (r == -ENOMEM)
        return err_set(e, r, "out of memory");
    return r == -EMSGSIZE ? err_set(e, r, "there are too many objects in the store for one list") : r;
}
