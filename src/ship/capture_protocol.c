/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Small JSON objects, strictly.
 */
#include "ship/capture_protocol.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/json_read.h"
#include "base/jsonout.h"
#include "base/mem.h"
#include "base/text.h"

static const char *const WHATS[CAPTURE_WHATS] = {[CAPTURE_HEAP_DUMP] = "heap-dump",
                                                 [CAPTURE_THREADS] = "threads",
                                                 [CAPTURE_HISTOGRAM] = "histogram",
                                                 [CAPTURE_CORE] = "core"};
static const char *const STATES[CAPTURE_STATES] = {
    [CAPTURE_QUEUED] = "queued", [CAPTURE_TAKEN] = "taken", [CAPTURE_DONE] = "done", [CAPTURE_FAILED] = "failed"};

const char *capture_what_name(enum capture_what what)
{
    return WHATS[what];
}

const char *capture_state_name(enum capture_state state)
{
    return STATES[state];
}

bool capture_what_find(const char *name, enum capture_what *ret)
{
    for (unsigned i = 0; i < CAPTURE_WHATS; i++) {
        if (text_eq(WHATS[i], name)) {
            *ret = (enum capture_what)i;
            return true;
        }
    }
    return false;
}

/* RFC 1123, a label; with dots a subdomain. */
static bool is_dns(const char *text, size_t most, bool dots)
{
    size_t size = strlen(text);

    if (size == 0 || size > most || strchr("-.", text[0]) || strchr("-.", text[size - 1]))
        return false;
    return strspn(text, dots ? "abcdefghijklmnopqrstuvwxyz0123456789-." : "abcdefghijklmnopqrstuvwxyz0123456789-") ==
           size;
}

bool capture_is_name(const char *text)
{
    return is_dns(text, CAPTURE_NAME_MAX - 1, true);
}

bool capture_is_id(const char *text)
{
    return strlen(text) == CAPTURE_ID_MAX - 1 && strspn(text, "0123456789abcdef") == CAPTURE_ID_MAX - 1;
}

static bool is_label(const char *text)
{
    return is_dns(text, CAPTURE_NAMESPACE_MAX - 1, false);
}

int capture_order_make(const char *namespace, const char *pod, const char *container, const char *what,
                       struct capture_order *ret, struct err *e)
{
    struct capture_order o = {0};

    if (!namespace || !is_label(namespace))
        return err_set(e, -FAULT_USAGE, "\"namespace\": a name of Kubernetes is needed");
    if (!pod || !capture_is_name(pod))
        return err_set(e, -FAULT_USAGE, "\"pod\": a name of Kubernetes is needed");
    if (container && *container && !is_label(container))
        return err_set(e, -FAULT_USAGE, "\"container\": this is no name of a container");
    if (!what || !capture_what_find(what, &o.what))
        return err_set(e, -FAULT_USAGE, "\"what\": heap-dump, threads, histogram or core");
    snprintf(o.namespace, sizeof(o.namespace), "%s", namespace);
    snprintf(o.pod, sizeof(o.pod), "%s", pod);
    snprintf(o.container, sizeof(o.container), "%s", container ? container : "");
    *ret = o;
    return 0;
}

static int read_order(const json_t *root, struct capture_order *ret, struct err *e)
{
    return capture_order_make(json_read_text(root, "namespace"), json_read_text(root, "pod"),
                              json_read_text(root, "container"), json_read_text(root, "what"), ret, e);
}

static int refuse(struct err *e)
{
    return err_set(e, -FAULT_USAGE, "a JSON object is needed");
}

int capture_order_read(const char *text, size_t size, struct capture_order *ret, struct err *e)
{
    static const char *const known[] = {"namespace", "pod", "container", "what", NULL};
    json_auto_t *root = json_read_object(text, size, CAPTURE_MESSAGE_MAX);
    const char *name;
    json_t *value;

    assert(ret);
    if (!root)
        return refuse(e);
    json_object_foreach(root, name, value)
    {
        size_t i = 0;

        while (known[i] && !text_eq(known[i], name))
            i++;
        if (!known[i])
            return err_set(e, -FAULT_USAGE, "a field that is not known: namespace, pod, container, what");
        if (!json_is_string(value) && !json_is_null(value))
            return err_set(e, -FAULT_USAGE, "\"%s\": a text is needed", known[i]);
    }
    return read_order(root, ret, e);
}

/* Whether it fits and is text of one line. */
static bool take_line(const json_t *root, const char *name, char *out, size_t room)
{
    const char *text = json_read_text(root, name);

    if (strlen(text) >= room)
        return false;
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return false;
    memcpy(out, text, strlen(text) + 1);
    return true;
}

int capture_report_read(const char *text, size_t size, struct capture_report *ret, struct err *e)
{
    json_auto_t *root = json_read_object(text, size, CAPTURE_MESSAGE_MAX);
    struct capture_report r = {.state = CAPTURE_STATES};

    assert(ret);
    if (!root)
        return refuse(e);
    for (unsigned i = CAPTURE_TAKEN; i < CAPTURE_STATES; i++)
        if (text_eq(json_read_text(root, "state"), STATES[i]))
            r.state = (enum capture_state)i;
    if (r.state == CAPTURE_STATES)
        return err_set(e, -FAULT_USAGE, "\"state\": taken, done or failed");
    if (!take_line(root, "node", r.node, sizeof(r.node)) || !capture_is_name(r.node))
        return err_set(e, -FAULT_USAGE, "\"node\": a name of Kubernetes is needed");
    if (!take_line(root, "text", r.text, sizeof(r.text)) || !take_line(root, "key", r.key, sizeof(r.key)) ||
        !take_line(root, "url", r.url, sizeof(r.url)))
        return err_set(e, -FAULT_USAGE, "\"text\", \"key\", \"url\": a line of text is needed, and not so long");
    *ret = r;
    return 0;
}

static int read_offer(const json_t *one, struct capture_offer *ret, struct err *e)
{
    const char *id = json_read_text(one, "id");

    ret->number = json_read_count(one, "number");
    if (!capture_is_id(id) || ret->number == 0 || !take_line(one, "by", ret->by, sizeof(ret->by)))
        return err_set(e, -FAULT_USAGE, "an offer without id or number");
    memcpy(ret->id, id, CAPTURE_ID_MAX);
    return read_order(one, &ret->order, e);
}

int capture_offers_read(const char *text, size_t size, struct capture_offers *ret, struct err *e)
{
    json_auto_t *root = json_read_object(text, size, CAPTURE_MESSAGE_MAX);
    const json_t *list = json_object_get(root, "requests");
    CLEANUP_FREE struct capture_offers *o = calloc(1, sizeof(*o));
    int r;

    assert(ret);
    if (!o)
        return err_set(e, -ENOMEM, "out of memory");
    if (!json_is_array(list) || json_array_size(list) > CAPTURE_OFFERS_MAX)
        return err_set(e, -FAULT_USAGE, "no list of requests");
    for (size_t i = 0; i < json_array_size(list); i++, o->count++)
        if ((r = read_offer(json_array_get(list, i), &o->item[i], e)) < 0)
            return r;
    *ret = *o;
    return 0;
}

/* Takes root over; NULL: out of memory. */
static int dump(json_t *root, struct buf *ret)
{
    CLEANUP_FREE char *text = root ? json_dumps(root, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;

    json_decref(root);
    return text ? buf_add_text(ret, text) : -ENOMEM;
}

int capture_report_write(const struct capture_report *r, struct buf *ret)
{
    char line[CAPTURE_TEXT_MAX];
    size_t n = 0;

    for (const char *c = r->text; *c; c++)
        line[n++] = (char)((unsigned char)*c < ' ' || *c == 0x7f ? ' ' : *c);
    line[n] = '\0';
    return dump(json_pack("{s:s, s:s, s:o, s:o, s:o}", "state", STATES[r->state], "node", r->node, "text",
                          jsonout_text(line, CAPTURE_TEXT_MAX - 1), "key", jsonout_text(r->key, CAPTURE_KEY_MAX - 1),
                          "url", jsonout_text(r->url, CAPTURE_URL_MAX - 1)),
                ret);
}

int capture_offers_write(const struct capture_offers *o, struct buf *ret)
{
    json_auto_t *list = json_array();

    for (unsigned i = 0; list && i < o->count; i++) {
        const struct capture_offer *one = &o->item[i];
        json_t *item =
            json_pack("{s:s, s:I, s:o, s:s, s:s, s:s, s:s}", "id", one->id, "number", (json_int_t)one->number, "by",
                      jsonout_text(one->by, CAPTURE_BY_MAX - 1), "namespace", one->order.namespace, "pod",
                      one->order.pod, "container", one->order.container, "what", WHATS[one->order.what]);

        if (json_array_append_new(list, item) < 0)
            return -ENOMEM;
    }
    return list ? dump(json_pack("{s:O}", "requests", list), ret) : -ENOMEM;
}
