/* SPDX-License-Identifier: Apache-2.0
 *
 * Callers and their rights.
 */
#include "serve/access.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"

struct access {
    struct access_config config;
};

struct caller {
    const char *name;
};

int access_new(const struct access_config *config, struct access **ret, struct err *e)
{
    struct access *a = calloc(1, sizeof(*a));

    if (!a)
        return err_set(e, -ENOMEM, "out of memory");
    a->config = *config;
    *ret = a;
    return 0;
}

void access_free(struct access *a)
{
    free(a);
}

int access_identify(struct access *a, const struct exchange *x, struct caller **ret, struct err *e)
{
    struct caller *c = calloc(1, sizeof(*c));

    (void)a, (void)x;
    if (!c)
        return err_set(e, -ENOMEM, "out of memory");
    c->name = "anonymous";
    *ret = c;
    return 0;
}

void caller_free(struct caller *c)
{
    free(c);
}

const char *caller_name(const struct caller *c)
{
    return c->name;
}

unsigned caller_rights(struct access *a, struct caller *c, const char *namespace)
{
    (void)c, (void)namespace;
    return a->config.anonymous_read ? RIGHT_LIST | RIGHT_READ : 0;
}
