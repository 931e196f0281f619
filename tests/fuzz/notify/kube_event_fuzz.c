/* SPDX-License-Identifier: Apache-2.0
 *
 * Any notice as an Event: valid JSON, a message of at most 1,024 bytes that ends with where the evidence is, and a path
 * that stays in its namespace. And any answer about a pod.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "notify/kube_event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_message(const char *message)
{
    char again[KUBE_EVENT_MESSAGE_MAX + 1];

    assert(strlen(message) <= KUBE_EVENT_MESSAGE_MAX && strstr(message, " Evidence: "));
    assert(strcmp(message, text_printable(message, again, sizeof(again))) == 0);
}

static void check_json(const struct buf *text)
{
    json_t *root = json_loadb(text->data, text->size, 0, NULL);

    assert(root);
    json_decref(root);
}

static void check_event(const struct notice *n)
{
    CLEANUP(buf_done) struct buf event = {0}, patch = {0}, annotation = {0};
    char message[KUBE_EVENT_MESSAGE_MAX + 1], name[KUBE_EVENT_NAME_MAX], path[KUBE_EVENT_PATH_MAX];
    const struct kube_event_more more = {.uid = n->pod_uid};

    check_message(kube_event_message(n, message));
    if (!kube_event_has_pod(n))
        return;
    assert(kube_event_write(n, &more, 1, &event) == 0 && kube_event_patch(n, 7, 1, &patch) == 0 &&
           kube_event_annotate(n, &annotation) == 0);
    check_json(&event);
    check_json(&patch);
    check_json(&annotation);
    kube_event_path(n, kube_event_name(n, name), path);
    assert(strlen(name) <= 253 && !strstr(path, "..") && !strpbrk(path, "%?#\\ "));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(notice_done) struct notice n = {0};

    free(kube_event_read_uid((const char *)data, size));
    if (notice_decode((const char *)data, size, &n, NULL) == 0)
        check_event(&n);
    return 0;
}
