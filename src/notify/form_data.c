/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Notices for programs: a CloudEvent, an alert, the notice itself.
 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/jsonout.h"
#include "base/mem.h"
#include "notify/forms.h"

enum { LABEL_MAX = 1024 };

int form_print(const json_t *root, struct buf *ret)
{
    CLEANUP_FREE char *text = root ? json_dumps(root, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;

    return text ? buf_add_text(ret, text) : -ENOMEM;
}

/* NULL and "" are left out. */
static int add_text(json_t *object, const char *name, const char *text)
{
    return !text || !*text ? 0 : json_object_set_new(object, name, jsonout_text(text, LABEL_MAX)) < 0 ? -ENOMEM : 0;
}

static int add_time(json_t *object, const char *name, int64_t time_ns)
{
    char text[CLOCK_TEXT_MAX];

    return add_text(object, name, clock_format(time_ns, text));
}

int form_command(const struct notice *n, int64_t now_ns, struct buf *ret)
{
    (void)now_ns;
    return notice_encode(n, ret);
}

/* source and id together identify an event: the same case with other followers is another one. */
int form_cloudevent(const struct notice *n, int64_t now_ns, struct buf *ret)
{
    json_auto_t *root = json_object();
    json_t *data = notice_json(n);
    CLEANUP_FREE char *id = NULL;

    if (asprintf(&id, "%s#%llu", n->id, (unsigned long long)n->more) < 0)
        id = NULL;
    if (!root || !data || !id || json_object_set_new(root, "data", data) < 0)
        return -ENOMEM;
    if (add_text(root, "specversion", "1.0") < 0 || add_text(root, "type", "dev.salvage.case") < 0 ||
        add_text(root, "source", "/salvage") < 0 || add_text(root, "subject", n->id) < 0 ||
        add_text(root, "id", id) < 0 || add_text(root, "datacontenttype", "application/json") < 0 ||
        add_time(root, "time", n->time_ns ? n->time_ns : now_ns) < 0)
        return -ENOMEM;
    return form_print(root, ret);
}

static json_t *labels(const struct notice *n)
{
    json_auto_t *l = json_object();

    if (!l || add_text(l, "alertname", "SalvageCase") < 0 || add_text(l, "severity", "warning") < 0 ||
        add_text(l, "namespace", n->namespace) < 0 || add_text(l, "workload", n->workload) < 0 ||
        add_text(l, "pod", n->pod) < 0 || add_text(l, "container", n->container) < 0 ||
        add_text(l, "cause", n->cause) < 0 || add_text(l, "kind", n->kind) < 0 ||
        (!n->pod && add_text(l, "place", n->place) < 0))
        return NULL;
    return json_incref(l);
}

static json_t *annotations(const struct notice *n)
{
    json_auto_t *a = json_object();
    CLEANUP_FREE char *summary = NULL;
    char more[NOTICE_MORE_MAX], classes[NOTICE_CLASSES_MAX];

    if (asprintf(&summary, "%s%s", n->sentence, notice_more(n, more)) < 0)
        summary = NULL;
    if (!a || !summary || add_text(a, "summary", summary) < 0 || add_text(a, "evidence", n->summary) < 0 ||
        add_text(a, "classes", notice_classes(n, classes)) < 0 || add_text(a, "case", n->id) < 0 ||
        add_text(a, "object", n->object) < 0)
        return NULL;
    return json_incref(a);
}

int form_alertmanager(const struct notice *n, int64_t now_ns, struct buf *ret)
{
    json_auto_t *root = json_array();
    json_t *alert = json_object();

    if (!root || json_array_append_new(root, alert) < 0 || json_object_set_new(alert, "labels", labels(n)) < 0 ||
        json_object_set_new(alert, "annotations", annotations(n)) < 0 ||
        add_time(alert, "startsAt", n->time_ns ? n->time_ns : now_ns) < 0 ||
        add_time(alert, "endsAt", now_ns + (int64_t)FORM_ALERT_S * 1000000000) < 0 ||
        add_text(alert, "generatorURL", n->link) < 0)
        return -ENOMEM;
    return form_print(root, ret);
}
