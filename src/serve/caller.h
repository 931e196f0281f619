/* SPDX-License-Identifier: Apache-2.0
 *
 * A caller as the files that identify one see it. Others use access.h.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "serve/access.h"
#include "serve/seal.h"

enum { CALLER_NAME_MAX = 640, GRANTS_MAX = 256 };

/* Rights in the namespaces that a list of patterns names. */
struct grant {
    unsigned rights;  /* enum right */
    bool exact;       /* namespaces is one name, and no pattern */
    char *namespaces; /* "shop,pay-*"; owned */
};

struct grants {
    struct grant *item;
    size_t count, capacity;
};

struct caller {
    char name[CALLER_NAME_MAX];
    bool anonymous;
    unsigned here;                 /* rights to what the request names, and to nothing else: a signed link's */
    char csrf[SEAL_SIGNATURE_HEX]; /* what a form has to bring back; "": the caller comes by nothing that a browser adds
                                    */
    struct grants grants;
    char node[254];    /* that the token is bound to; "": none */
    json_t *kube_user; /* a person whose rights the API server knows (kubeapi/review.h); NULL: none. Owned */
};

/* 0, -E2BIG above GRANTS_MAX, -ENOMEM. */
int grants_add(struct grants *g, unsigned rights, const char *namespaces, bool exact);
int grants_copy(struct grants *to, const struct grants *from);
void grants_done(struct grants *g);

/* What they give in a namespace; "" and "*" are covered by the pattern "*" alone. A right implies those below it: READ
 * implies LIST, ADMIN all. */
unsigned grants_rights(const struct grants *g, const char *namespace);

/* Whether patterns, a list such as "shop,pay-*", are well formed: letters, digits, '.', '_', '-', '*' and '?'. */
bool grants_patterns_are_good(const char *patterns);

/* "read,write" or "read+write" into a set of enum right; -EINVAL. */
int grants_parse_rights(const char *text, unsigned *ret);
