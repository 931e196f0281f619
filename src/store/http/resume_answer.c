/* SPDX-License-Identifier: Apache-2.0
 *
 * Fields of answers, and statuses as faults.
 */
#include "store/http/resume_answer.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "net/structured.h"

enum { FIELD_MAX = 256 };

char *resume_resource_url(const struct http_store *s, const char *path)
{
    size_t origin = (size_t)(s->path - s->base);
    char *url;

    if (strncmp(path, s->base, origin) == 0 && path[origin] == '/')
        path += origin;
    if (path[0] != '/' || path[1] == '/' || strlen(path) >= RESUME_LOCATION_MAX)
        return NULL;
    for (const char *c = path; *c; c++)
        if (*c <= ' ' || *c >= 0x7f || *c == '#')
            return NULL;
    return asprintf(&url, "%.*s%s", (int)origin, s->base, path) < 0 ? NULL : url;
}

bool resume_answer_uint(const struct http_answer *a, const char *name, uint64_t *ret)
{
    char text[FIELD_MAX];

    return structured_uint(http_header(a, name, text, sizeof(text)), ret);
}

bool resume_answer_is_complete(const struct http_answer *a)
{
    char text[FIELD_MAX];
    bool complete;

    return structured_boolean(http_header(a, "Upload-Complete", text, sizeof(text)), &complete) && complete;
}

bool resume_answer_has_digest(const struct http_answer *a, const unsigned char *sha256)
{
    char text[FIELD_MAX];
    struct digest_field d;

    return digest_field_parse(http_header(a, "Repr-Digest", text, sizeof(text)), &d) == 0 && d.has_sha256 &&
           memcmp(d.sha256, sha256, sizeof(d.sha256)) == 0;
}

int http_resume_fail(const struct http_store *s, const struct http_request *r, const struct http_answer *a,
                     struct err *e)
{
    if (a->status == 412)
        return err_set(e, -FAULT_EXISTS, "http: 412 for %s %s: another object has this name, and may not be replaced",
                       r->method, r->url);
    if (a->status == 404 && text_eq(r->method, "PUT")) /* what one may not see does not exist */
        return err_set(
            e, -FAULT_DENIED,
            "http: 404 for PUT %s: these credentials may not write there: check which namespaces they are for", r->url);
    if (a->status == 413)
        return err_set(e, -FAULT_REFUSED, "http: 413 for %s %s: the server takes no object that large (--object-max)",
                       r->method, r->url);
    if (a->status == 400 && resume_answer_is_complete(a))
        return err_set(e, -FAULT_CORRUPT, "http: 400 for %s %s: the server got other bytes than we sent", r->method,
                       r->url);
    return http_store_fail(s, r, a, e);
}
