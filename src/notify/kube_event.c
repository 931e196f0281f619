/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Events of the core API rather than of events.k8s.io: every Kubernetes since 1.0 has them, and
 * `kubectl describe` reads them.
 */
#include "notify/kube_event.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json_read.h"
#include "base/mem.h"
#include "base/text.h"
#include "codec/digest.h"
#include "notify/forms.h"

enum { POD_ANSWER_MAX = 256 * 1024, UID_MAX = 64, TAIL_MAX = 700, SUMMARY_MAX = 400 };

static const char REPORTER[] = "salvage";

static const struct {
    const char *cause, *kind; /* NULL: any */
    const char *reason;
} REASONS[] = {
    {NULL, "oom-kill", "OOMKilled"},
    {"oom-kill", NULL, "OOMKilled"},
    {"java-oom", NULL, "OutOfMemoryError"},
    {"native-oom", NULL, "OutOfMemory"},
    {"pressure", NULL, "MemoryPressure"},
    {"signal", NULL, "Crashed"},
    {"assert", NULL, "Crashed"},
    {"exit", NULL, "Ended"},
    {"prestop", NULL, "Stopping"},
    {NULL, "core", "Core"},
    {NULL, "heap-dump", "HeapDump"},
    {NULL, "thread-dump", "ThreadDump"},
    {NULL, NULL, "Evidence"},
};

const char *kube_event_reason(const struct notice *n)
{
    size_t i = 0;

    while ((REASONS[i].cause && !text_eq(REASONS[i].cause, n->cause)) ||
           (REASONS[i].kind && !text_eq(REASONS[i].kind, n->kind)))
        i++;
    return REASONS[i].reason;
}

/* A DNS subdomain (RFC 1123), as names of pods are; a namespace is one without dots. */
static bool is_name(const char *text)
{
    size_t size = text ? strlen(text) : 0;

    return size > 0 && size <= 253 && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-.") == size &&
           text[0] != '.' && text[0] != '-' && !strstr(text, "..");
}

bool kube_event_has_pod(const struct notice *n)
{
    return is_name(n->pod) && is_name(n->namespace) && !strchr(n->namespace, '.') && strlen(n->namespace) <= 63;
}

/* How much of the text fits, without half a character at its end. */
static size_t fit(const char *text, size_t most)
{
    size_t used = 0, length;

    while (text[used] && (length = text_utf8_length(text + used, strlen(text + used))) > 0 && used + length <= most)
        used += length;
    return used;
}

const char *kube_event_message(const struct notice *n, char out[KUBE_EVENT_MESSAGE_MAX + 1])
{
    char head[KUBE_EVENT_MESSAGE_MAX + 1], tail[TAIL_MAX], summary[SUMMARY_MAX], sentence[SUMMARY_MAX], code[64] = "";
    const char *where = n->link ? n->link : n->object ? n->object : n->id;

    text_printable(n->sentence, sentence, sizeof(sentence));
    text_printable(n->summary ? n->summary : "", summary, sizeof(summary));
    if (n->exit_code)
        snprintf(code, sizeof(code), " Exit code %" PRIu64 ".", n->exit_code);
    snprintf(head, sizeof(head), "%s%s%s%s%s", sentence, code, *summary ? " " : "", summary,
             *summary && !text_ends(summary, ".") ? "." : "");
    snprintf(tail, sizeof(tail), "%s%.600s", n->link || !n->object ? " Evidence: " : " Evidence: salvage get ", where);
    snprintf(out, KUBE_EVENT_MESSAGE_MAX + 1, "%.*s", (int)fit(head, KUBE_EVENT_MESSAGE_MAX - strlen(tail)), head);
    text_printable(tail, out + strlen(out), KUBE_EVENT_MESSAGE_MAX + 1 - strlen(out));
    return out;
}

const char *kube_event_name(const struct notice *n, char out[KUBE_EVENT_NAME_MAX])
{
    char hex[DIGEST_HEX_MAX];
    struct digest d;

    digest_init(&d);
    digest_update(&d, n->id, strlen(n->id) + 1);
    digest_update(&d, kube_event_reason(n), strlen(kube_event_reason(n)));
    digest_hex(&d, hex);
    snprintf(out, KUBE_EVENT_NAME_MAX, "%.220s.salvage-%.16s", n->pod, hex);
    return out;
}

const char *kube_event_path(const struct notice *n, const char *name, char *out)
{
    assert(kube_event_has_pod(n));
    snprintf(out, KUBE_EVENT_PATH_MAX, "/api/v1/namespaces/%s/events%s%s", n->namespace, name ? "/" : "",
             name ? name : "");
    return out;
}

const char *kube_event_pod_path(const struct notice *n, char *out)
{
    assert(kube_event_has_pod(n));
    snprintf(out, KUBE_EVENT_PATH_MAX, "/api/v1/namespaces/%s/pods/%s", n->namespace, n->pod);
    return out;
}

/* meta/v1 Time: whole seconds. */
static const char *whole_seconds(int64_t time_ns, char out[CLOCK_TEXT_MAX])
{
    char *dot;

    clock_format(time_ns, out);
    if ((dot = strchr(out, '.')))
        snprintf(dot, 2, "Z");
    return out;
}

static int set(json_t *object, const char *name, const char *value)
{
    return !value || json_object_set_new(object, name, json_string(value)) == 0 ? 0 : -ENOMEM;
}

static json_t *about(const struct notice *n, const char *uid)
{
    json_auto_t *pod =
        json_pack("{s:s, s:s, s:s, s:s}", "apiVersion", "v1", "kind", "Pod", "namespace", n->namespace, "name", n->pod);
    CLEANUP_FREE char *field = NULL;

    if (!pod || set(pod, "uid", uid) < 0)
        return NULL;
    if (is_name(n->container) &&
        (asprintf(&field, "spec.containers{%s}", n->container) < 0 || set(pod, "fieldPath", field) < 0))
        return NULL;
    return json_incref(pod);
}

int kube_event_write(const struct notice *n, const struct kube_event_more *more, int64_t now_ns, struct buf *ret)
{
    char name[KUBE_EVENT_NAME_MAX], message[KUBE_EVENT_MESSAGE_MAX + 1], time[CLOCK_TEXT_MAX], now[CLOCK_TEXT_MAX];
    json_auto_t *root = NULL;
    json_t *source = json_pack("{s:s}", "component", REPORTER), *pod = about(n, more->uid);

    assert(kube_event_has_pod(n) && ret);
    root = json_pack("{s:s, s:s, s:{s:s, s:s}, s:o, s:o, s:s, s:s, s:s, s:s, s:s, s:I, s:s}", "apiVersion", "v1",
                     "kind", "Event", "metadata", "name", kube_event_name(n, name), "namespace", n->namespace,
                     "involvedObject", pod, "source", source, "reason", kube_event_reason(n), "message",
                     kube_event_message(n, message), "type", text_eq(n->cause, "user") ? "Normal" : "Warning",
                     "firstTimestamp", whole_seconds(n->time_ns ? n->time_ns : now_ns, time), "lastTimestamp",
                     whole_seconds(now_ns, now), "count", (json_int_t)n->more + 1, "reportingComponent", REPORTER);
    if (!root || set(source, "host", more->node) < 0 ||
        set(root, "reportingInstance", more->node ? more->node : REPORTER) < 0)
        return -ENOMEM;
    return form_print(root, ret);
}

int kube_event_patch(const struct notice *n, uint64_t count, int64_t now_ns, struct buf *ret)
{
    char message[KUBE_EVENT_MESSAGE_MAX + 1], now[CLOCK_TEXT_MAX];
    json_auto_t *root = json_pack("{s:s, s:s, s:I}", "message", kube_event_message(n, message), "lastTimestamp",
                                  whole_seconds(now_ns, now), "count", (json_int_t)count);

    return form_print(root, ret);
}

int kube_event_annotate(const struct notice *n, struct buf *ret)
{
    json_auto_t *root = json_pack("{s:{s:{s:s}}}", "metadata", "annotations", "salvage.dev/last-case", n->id);

    return form_print(root, ret);
}

char *kube_event_read_uid(const char *text, size_t size)
{
    json_auto_t *root = json_read_object(text, size, POD_ANSWER_MAX);
    const char *uid = json_read_text(json_object_get(root, "metadata"), "uid");

    return *uid && strlen(uid) < UID_MAX && strspn(uid, "0123456789abcdef-") == strlen(uid) ? strdup(uid) : NULL;
}
