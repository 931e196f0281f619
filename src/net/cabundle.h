/* SPDX-License-Identifier: Apache-2.0
 *
 * Which certificates are trusted for TLS: where each distribution keeps them, and the variables that override it. One
 * for every build: a static program belongs to no distribution, and a libcurl knows the paths of the one it was built
 * for.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct cabundle {
    const char *file;   /* PEM; NULL: none */
    const char *folder; /* certificates by the hash of their subject, beside file; NULL: none */
};

/* Whether the environment names CAs: a file of settings then does not count. */
bool cabundle_named(void);

/* In this order: given (--ca-file) alone; SSL_CERT_FILE and SSL_CERT_DIR; CURL_CA_BUNDLE; AWS_CA_BUNDLE;
 * REQUESTS_CA_BUNDLE; the first of
 * the usual files below root that is there ("" in a program, a folder in tests). ret borrows from given and the
 * environment, or is constant; its paths are without root. -FAULT_TLS: none is there, the message says where it looked;
 * or what the environment names cannot be read. given is not looked at. */
int cabundle_find(const char *given, const char *root, struct cabundle *ret, struct err *e);
