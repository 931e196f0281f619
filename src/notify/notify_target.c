/* SPDX-License-Identifier: Apache-2.0
 *
 * Targets from texts and files.
 */
#include "notify/notify_target.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "codec/digest.h"
#include "net/url.h"
#include "notify/forms.h"
#include "notify/kube_event.h"

enum { FILE_MAX = 64 * 1024 };

const struct notify_form NOTIFY_FORMS[] = {
    {"json", "application/cloudevents+json", NULL, "a CloudEvent 1.0 by POST", NOTIFY_BY_REQUEST, form_cloudevent},
    {"alertmanager", "application/json", "/api/v2/alerts",
     "an alert for Prometheus's Alertmanager: its routes, silences and receivers apply", NOTIFY_BY_REQUEST,
     form_alertmanager},
    {"slack", "application/json", NULL, "a message for Slack's incoming webhook", NOTIFY_BY_REQUEST, form_slack},
    {"teams", "application/json", NULL, "an Adaptive Card for a Microsoft Teams workflow", NOTIFY_BY_REQUEST,
     form_teams},
    {"discord", "application/json", NULL, "a message for a Discord webhook", NOTIFY_BY_REQUEST, form_discord},
    {"exec", NULL, NULL, "a program, started without arguments, that reads the notice as JSON from its standard input",
     NOTIFY_BY_PROGRAM, form_command},
    {"kubernetes", NULL, NULL, "an Event on the case's pod, for kubectl describe", NOTIFY_BY_KUBE_EVENT, NULL},
    {"kubernetes-annotation", NULL, NULL, "the annotation salvage.dev/last-case of the case's pod",
     NOTIFY_BY_KUBE_ANNOTATION, NULL},
    {0},
};

static const struct notify_form *form_find(const char *text, size_t size)
{
    for (const struct notify_form *f = NOTIFY_FORMS; f->name; f++)
        if (strlen(f->name) == size && strncmp(f->name, text, size) == 0)
            return f;
    return NULL;
}

static bool is_kubernetes(const struct notify_form *form)
{
    return form->via == NOTIFY_BY_KUBE_EVENT || form->via == NOTIFY_BY_KUBE_ANNOTATION;
}

static void identify(struct notify_target *t)
{
    struct digest d;
    char hex[DIGEST_HEX_MAX];
    struct url_parts parts;

    assert(t->form && t->url);
    digest_init(&d);
    digest_update(&d, t->form->name, strlen(t->form->name) + 1);
    digest_update(&d, t->url, strlen(t->url));
    digest_hex(&d, hex);
    snprintf(t->id, sizeof(t->id), "%.16s", hex);
    if (!*t->url)
        snprintf(t->name, sizeof(t->name), "%s", t->form->name);
    else if (!notify_target_is_command(t) && url_split(t->url, &parts) == 0)
        snprintf(t->name, sizeof(t->name), "%s %.*s", t->form->name, (int)parts.authority_size, parts.host);
    else
        snprintf(t->name, sizeof(t->name), "%s %.250s", t->form->name, t->url);
}

static int check_url(const struct notify_target *t, struct err *e)
{
    struct url_parts parts;

    if (notify_target_is_command(t))
        return t->url[0] == '/' ? 0 : err_set(e, -FAULT_USAGE, "notify: exec wants the whole path of a program");
    if (url_split(t->url, &parts) < 0 || strpbrk(t->url, " \t\r\n\"<>"))
        return err_set(e, -FAULT_USAGE, "notify: what follows '%s:' is no http or https URL", t->form->name);
    return 0;
}

/* A '=' before the first ':' ends a namespace. */
static int parse(const char *text, struct notify_target *ret, struct err *e)
{
    size_t size = strcspn(text, ":");
    const char *equals = memchr(text, '=', size), *form = equals ? equals + 1 : text, *end = text + size;

    if (equals && !(ret->namespace = strndup(text, (size_t)(equals - text))))
        return err_set(e, -ENOMEM, "out of memory");
    ret->form = form_find(form, (size_t)(end - form));
    if (!ret->form || (!*end && !is_kubernetes(ret->form)))
        return err_set(e, -FAULT_USAGE,
                       "notify: a target is [NAMESPACE=]FORM:URL, and FORM is json, alertmanager, slack, teams, "
                       "discord or exec; or it is kubernetes or kubernetes-annotation");
    if (!(ret->url = strdup(*end ? end + 1 : "")))
        return err_set(e, -ENOMEM, "out of memory");
    return *end ? check_url(ret, e) : 0;
}

static void target_done(struct notify_target *t)
{
    free(t->namespace);
    free(t->url);
    *t = (struct notify_target){0};
}

int notify_targets_add(struct notify_targets *t, const char *text, struct err *e)
{
    CLEANUP(target_done) struct notify_target one = {0};
    int r;

    assert(t && text);
    if (t->count == NOTIFY_TARGETS_MAX)
        return err_set(e, -FAULT_USAGE, "notify: more than %d targets", NOTIFY_TARGETS_MAX);
    if ((r = parse(text, &one, e)) < 0)
        return r;
    identify(&one);
    t->target[t->count++] = one;
    one = (struct notify_target){0};
    return 0;
}

int notify_targets_load(struct notify_targets *t, const char *path, struct err *e)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = FILE_MAX};
    char *rest, *line;
    unsigned number = 0;
    int r;

    assert(t && path);
    if ((r = file_load(AT_FDCWD, path, &text)) < 0)
        return err_set(e, -FAULT_USAGE, "--notify-file %s: %s", path, strerror(-r));
    rest = text.data;
    while ((line = strsep(&rest, "\n"))) {
        number++;
        line += strspn(line, " \t\r");
        line[strcspn(line, " \t\r")] = '\0';
        if (*line && *line != '#' && (r = notify_targets_add(t, line, e)) < 0)
            return err_prefix(e, r, "%s, line %u", path, number);
    }
    return 0;
}

void notify_targets_done(struct notify_targets *t)
{
    for (size_t i = 0; i < t->count; i++)
        target_done(&t->target[i]);
    t->count = 0;
}

bool notify_target_wants(const struct notify_target *t, const struct notice *n)
{
    if (notify_target_is_kubernetes(t) && !kube_event_has_pod(n))
        return false;
    return !t->namespace || fnmatch(t->namespace, n->namespace ? n->namespace : "", 0) == 0;
}

bool notify_target_is_command(const struct notify_target *t)
{
    return t->form->via == NOTIFY_BY_PROGRAM;
}

bool notify_target_is_kubernetes(const struct notify_target *t)
{
    return is_kubernetes(t->form);
}
