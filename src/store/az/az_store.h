/* SPDX-License-Identifier: Apache-2.0
 *
 * A container of Azure's Blob storage: where it is, and its credentials. Sends nothing but requests for credentials
 * (store/az/az_call.h does). Shared by the threads of an upload; each uses a struct http of its own.
 */
#pragma once

#include <stdint.h>

#include "net/azure_auth.h"
#include "net/http.h"
#include "store/sink.h"

struct az; /* begins with its struct sink */

/* az://ACCOUNT/CONTAINER/PREFIX. Endpoint: --endpoint, else the public cloud's. An endpoint that is an address or
 * "localhost" (or path_style) has the account in its path; another one has it in its name. */
int az_open(const struct sink_config *c, struct az **ret, struct err *e);
void az_close(struct az *s);
int az_share(struct az *of, struct az **ret, struct err *e);              /* as sink_ops.share */
int az_origin_of(const struct sink_config *c, char **ret, struct err *e); /* as sink_origin */

const char *az_origin(const struct az *s); /* "https://account.blob.core.windows.net" */
const char *az_container(const struct az *s);
const char *az_prefix(const struct az *s); /* "", or with '/' at its end */
const struct user_headers *az_user_headers(const struct az *s);
unsigned az_uploads(const struct az *s);
struct http *az_http(const struct az *s);                              /* of the thread that the sink belongs to */
int az_http_new(const struct az *s, struct http **ret, struct err *e); /* for a further thread */

/* err_set with "az: " before the message. */
int az_fail(struct err *e, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Copies of the credentials, renewed ahead of their end. One of ret_sas and ret_bearer is NULL; both are the caller's.
 * ret_renewals: which they are. 0 or -ENOMEM. */
struct az_credentials {
    struct secret *sas, *bearer;
    const char *source;
    unsigned renewals;
};
int az_credentials_get(struct az *s, struct az_credentials *ret);
void az_credentials_done(struct az_credentials *c);

/* Those of that number were refused: 0 if there are others now. */
int az_renew(struct az *s, unsigned renewals, struct err *e);
