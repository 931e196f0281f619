/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Strict about what counts: kind, version, and that `authenticated` and `allowed` are true; other fields
 * are the API server's, and are handed on as they are.
 */
#include "kubeapi/review.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/mem.h"
#include "base/text.h"

static const char TOKEN_API[] = "authentication.k8s.io/v1", ACCESS_API[] = "authorization.k8s.io/v1";
static const char ACCOUNT[] = "system:serviceaccount:", POD[] = "authentication.kubernetes.io/pod-name",
                  NODE[] = "authentication.kubernetes.io/node-name";

static int dump(json_t *root, struct buf *ret)
{
    char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
    int r = text ? buf_add_text(ret, text) : -ENOMEM;

    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
    json_decref(root);
    return r;
}

int review_token_write(const struct secret *token, const char *audience, struct buf *ret)
{
    assert(token && ret);
    return dump(audience ? json_pack("{s:s, s:s, s:{s:s, s:[s]}}", "apiVersion", TOKEN_API, "kind", "TokenReview",
                                     "spec", "token", secret_expose(token), "audiences", audience)
                         : json_pack("{s:s, s:s, s:{s:s}}", "apiVersion", TOKEN_API, "kind", "TokenReview", "spec",
                                     "token", secret_expose(token)),
                ret);
}

/* Moves a field of the user to the name that it has in a review of access. */
static int take_field(json_t *spec, const char *to, const json_t *user, const char *from)
{
    json_t *value = json_object_get(user, from);

    return value ? json_object_set(spec, to, value) : 0;
}

int review_access_write(const struct review_user *user, const struct review_action *action,
                        const struct review_object *object, struct buf *ret)
{
    json_t *attributes = json_pack("{s:s, s:s, s:s, s:s}", "verb", action->verb, "group", action->group, "resource",
                                   action->resource, "subresource", action->subresource);
    json_t *spec = json_object();

    assert(user && user->user && action && object && ret);
    if (!attributes || !spec ||
        (object->namespace && json_object_set_new(attributes, "namespace", json_string(object->namespace)) < 0) ||
        (object->name && json_object_set_new(attributes, "name", json_string(object->name)) < 0) ||
        take_field(spec, "user", user->user, "username") < 0 || take_field(spec, "uid", user->user, "uid") < 0 ||
        take_field(spec, "groups", user->user, "groups") < 0 || take_field(spec, "extra", user->user, "extra") < 0) {
        json_decref(attributes);
        json_decref(spec);
        return -ENOMEM;
    }
    json_object_set_new(spec, "resourceAttributes", attributes);
    return dump(json_pack("{s:s, s:s, s:o}", "apiVersion", ACCESS_API, "kind", "SubjectAccessReview", "spec", spec),
                ret);
}

/* The status of an answer of this kind; NULL. */
static json_t *status_of(const json_t *root, const char *api, const char *kind)
{
    json_t *status = json_object_get(root, "status");

    if (!text_eq(json_read_text(root, "apiVersion"), api) || !text_eq(json_read_text(root, "kind"), kind))
        return NULL;
    return json_is_object(status) ? status : NULL;
}

static bool has_text(const json_t *array, const char *text)
{
    for (size_t i = 0; i < json_array_size(array); i++)
        if (text_eq(json_string_value(json_array_get(array, i)), text))
            return true;
    return false;
}

static bool user_is_good(const json_t *user)
{
    const char *name = json_read_text(user, "username");

    return json_is_object(user) && *name && strlen(name) < 1024;
}

int review_token_read(const char *text, size_t size, const char *audience, struct review_user *ret)
{
    json_auto_t *root = json_read_object(text, size, REVIEW_MAX);
    json_t *status = status_of(root, TOKEN_API, "TokenReview"), *user = json_object_get(status, "user");

    assert(ret && !ret->user);
    if (!status)
        return -EBADMSG;
    if (!json_is_true(json_object_get(status, "authenticated")))
        return 0;
    /* An API server that does not know audiences does not answer with them: that is no proof of ours. */
    if (audience && !has_text(json_object_get(status, "audiences"), audience))
        return 0;
    if (!user_is_good(user))
        return -EBADMSG;
    ret->user = json_incref(user);
    return 1;
}

int review_access_read(const char *text, size_t size)
{
    json_auto_t *root = json_read_object(text, size, REVIEW_MAX);
    json_t *status = status_of(root, ACCESS_API, "SubjectAccessReview");

    if (!status)
        return -EBADMSG;
    return json_is_true(json_object_get(status, "allowed")) && !json_is_true(json_object_get(status, "denied"));
}

int review_user_write(const struct review_user *user, struct buf *ret)
{
    return dump(json_incref(user->user), ret);
}

int review_user_read(const char *text, size_t size, struct review_user *ret)
{
    json_t *user = json_read_object(text, size, REVIEW_MAX);

    if (!user_is_good(user)) {
        json_decref(user);
        return -EBADMSG;
    }
    ret->user = user;
    return 0;
}

const char *review_user_name(const struct review_user *user)
{
    return json_read_text(user->user, "username");
}

void review_user_done(struct review_user *user)
{
    json_decref(user->user);
    user->user = NULL;
}

bool review_is_namespace(const char *text)
{
    size_t size = strlen(text);

    if (size == 0 || size > 63 || text[0] == '-' || text[size - 1] == '-')
        return false;
    for (const char *c = text; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '-'))
            return false;
    return true;
}

/* Copies size bytes if they fit, as a text. */
static bool take(char *to, size_t room, const char *from, size_t size)
{
    if (size >= room)
        return false;
    memcpy(to, from, size);
    to[size] = '\0';
    return true;
}

/* The first value of that name in `extra`; NULL. */
static const char *extra_text(const struct review_user *user, const char *name)
{
    return json_string_value(json_array_get(json_object_get(json_object_get(user->user, "extra"), name), 0));
}

int review_account_get(const struct review_user *user, struct review_account *ret)
{
    const char *pod = extra_text(user, POD), *node = extra_text(user, NODE), *name = review_user_name(user), *colon;
    struct review_account a = {0};

    if (!text_starts(name, ACCOUNT))
        return -ENOENT;
    name += strlen(ACCOUNT);
    if (!(colon = strchr(name, ':')) || !take(a.namespace, sizeof(a.namespace), name, (size_t)(colon - name)) ||
        !review_is_namespace(a.namespace) || !take(a.name, sizeof(a.name), colon + 1, strlen(colon + 1)) || !*a.name)
        return -ENOENT;
    if (pod && !take(a.pod, sizeof(a.pod), pod, strlen(pod)))
        return -ENOENT;
    if (node && !take(a.node, sizeof(a.node), node, strlen(node)))
        return -ENOENT;
    *ret = a;
    return 0;
}

static bool is_word(const char *text, const char *more)
{
    for (const char *c = text; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '-' || strchr(more, *c)))
            return false;
    return true;
}

int review_action_parse(const char *text, struct review_action *ret)
{
    struct review_action a = {0};
    size_t verb = strcspn(text, " "), resource, sub;
    const char *at = text + verb;

    if (verb == 0 || *at != ' ' || !take(a.verb, sizeof(a.verb), text, verb))
        return -EINVAL;
    at++;
    resource = strcspn(at, "/.");
    if (resource == 0 || !take(a.resource, sizeof(a.resource), at, resource))
        return -EINVAL;
    at += resource;
    if (*at == '/') {
        sub = strcspn(++at, ".");
        if (sub == 0 || !take(a.subresource, sizeof(a.subresource), at, sub))
            return -EINVAL;
        at += sub;
    }
    if (*at == '.' && (!at[1] || !take(a.group, sizeof(a.group), at + 1, strlen(at + 1))))
        return -EINVAL;
    if (!is_word(a.verb, "") || !is_word(a.resource, "") || !is_word(a.subresource, "") || !is_word(a.group, "."))
        return -EINVAL;
    *ret = a;
    return 0;
}
