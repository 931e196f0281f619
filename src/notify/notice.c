/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. One table of fields (base/json_fields.h).
 */
#include "notify/notice.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/summary_json.h"
#include "base/text.h"

static int encode_top(const void *at, json_t **ret)
{
    const struct notice_top *top = at;

    return summary_rows_encode(top->row, top->count, ret);
}

static int decode_top(const json_t *value, void *at)
{
    struct notice_top *top = at;

    return summary_rows_decode(value, top->row, NOTICE_CLASSES, &top->count);
}

#define AT(k, member) .kind = FIELD_##k, .offset = offsetof(struct notice, member)

const struct json_field NOTICE_FIELDS[] = {
    {"id", "text", "the case: the folder of its objects", AT(TEXT, id), .needed = true},
    {"sentence", "text", "what died, and why", AT(TEXT, sentence), .needed = true},
    {"summary", "text", "what the evidence says, in one sentence", AT(TEXT, summary)},
    {"top", "list", "of a heap: the three classes with most bytes, each with `name`, `count` and `bytes`",
     AT(CUSTOM, top), .encode = encode_top, .decode = decode_top},
    {"place", "text", "what it belongs to: `NAMESPACE/POD`, `ecs/CLUSTER/FAMILY/TASK` or `host/HOSTNAME`",
     AT(TEXT, place)},
    {"namespace", "text", "the pod's namespace", AT(TEXT, namespace)},
    {"workload", "text", "what the pod belongs to, by its name", AT(TEXT, workload)},
    {"pod", "text", "the pod's name", AT(TEXT, pod)},
    {"pod_uid", "text", "the pod's UID", AT(TEXT, pod_uid)},
    {"container", "text", "the container's name", AT(TEXT, container)},
    {"cause", "text", "cause: `java-oom`, `oom-kill`, `signal` …", AT(TEXT, cause)},
    {"kind", "text", "kind of evidence: `heap-dump`, `core` …", AT(TEXT, kind)},
    {"object", "text", "URL of the evidence in its store, for `salvage get`", AT(TEXT, object)},
    {"link", "text", "a page about the case", AT(TEXT, link)},
    {"time", "time", "when it died (RFC 3339, UTC)", AT(TIME, time_ns)},
    {"size", "number", "of the evidence, in bytes", AT(COUNT, size)},
    {"stored_size", "number", "in the store, in bytes", AT(COUNT, stored_size)},
    {"exit_code", "number", "of the process that died, as its container's status has it", AT(NONZERO, exit_code)},
    {"more", "number", "number of similar cases since the last notice", AT(NONZERO, more)},
    {0},
};

void notice_done(struct notice *n)
{
    json_fields_done(NOTICE_FIELDS, n);
    *n = (struct notice){0};
}

json_t *notice_json(const struct notice *n)
{
    json_t *root = NULL;

    return json_fields_encode(NOTICE_FIELDS, n, "", &root) < 0 ? NULL : root;
}

int notice_encode(const struct notice *n, struct buf *ret)
{
    json_auto_t *root = notice_json(n);
    CLEANUP_FREE char *text = root ? json_dumps(root, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;

    assert(ret);
    return text ? buf_printf(ret, "%s\n", text) : -ENOMEM;
}

int notice_decode(const char *json, size_t size, struct notice *ret, struct err *e)
{
    CLEANUP(notice_done) struct notice n = {0};
    const struct json_field *bad = NULL;
    json_auto_t *root = NULL;
    int r;

    assert(ret);
    if (size > NOTICE_MAX)
        return err_set(e, -FAULT_FORMAT, "the notice is larger than 64 KiB");
    if (!(root = json_loadb(json ? json : "", size, JSON_REJECT_DUPLICATES, NULL)))
        return err_set(e, -FAULT_FORMAT, "the notice is no JSON");
    if ((r = json_fields_decode(NOTICE_FIELDS, root, &n, &bad)) < 0)
        return r == -ENOMEM ? err_set(e, r, "out of memory")
                            : err_set(e, -FAULT_FORMAT, "the notice's \"%s\" is missing or wrong", bad->path);
    *ret = n;
    n = (struct notice){0};
    return 0;
}

static int same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

int notice_alike(const struct notice *a, const struct notice *b)
{
    return same(a->namespace, b->namespace) && same(a->workload, b->workload) && same(a->cause, b->cause) &&
           (a->workload || same(a->place, b->place));
}

int notice_alike_in_pod(const struct notice *a, const struct notice *b)
{
    return same(a->namespace, b->namespace) && same(a->pod, b->pod) && same(a->pod_uid, b->pod_uid) &&
           same(a->container, b->container) && same(a->cause, b->cause) && same(a->kind, b->kind);
}

const char *notice_more(const struct notice *n, char *out)
{
    *out = '\0';
    if (n->more)
        snprintf(out, NOTICE_MORE_MAX, ", and %" PRIu64 " more like this", n->more);
    return out;
}

const char *notice_classes(const struct notice *n, char *out)
{
    size_t used = 0;

    *out = '\0';
    for (unsigned i = 0; i < n->top.count; i++) {
        char size[TEXT_SIZE_MAX];

        used += (size_t)snprintf(out + used, NOTICE_CLASSES_MAX - used, "%s%s %s", i > 0 ? ", " : "",
                                 n->top.row[i].name, text_format_size(n->top.row[i].bytes, size));
    }
    return out;
}
