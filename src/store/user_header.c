/* SPDX-License-Identifier: Apache-2.0
 *
 * Names, in lower case, and what they belong to (Amazon S3 API Reference, headers of each request; OBS has the same
 * names after "x-obs-"; Azure's Blob service REST API, those after "x-ms-").
 */
#include "store/user_header.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"

enum { NAME_SIZE = 128 };

/* Headers that we set, and hop-by-hop headers. */
static const char *const RESERVED[] = {
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-md5",
    "content-range",
    "content-type",
    "date",
    "depth",
    "destination",
    "expect",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "overwrite",
    "proxy-connection",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
};

/* The same behind "x-amz-", "x-obs-" or "x-ms-", and all that begins so. */
static const char *const RESERVED_OF_STORE[] = {
    "blob-content-",
    "blob-type",
    "bypass-",
    "checksum-",
    "content-sha256",
    "copy-",
    "date",
    "decoded-content-length",
    "meta-sha256",
    "metadata-directive",
    "mp-object-size",
    "range",
    "sdk-",
    "security-token",
    "trailer",
    "version",
    "write-offset-bytes",
};

/* Storage classes whose objects must be restored before they can be read. */
static const char *const ARCHIVES[] = {"GLACIER", "DEEP_ARCHIVE", "COLD"}, *const ARCHIVE_TIERS[] = {"Archive"};

/* Standard headers that belong to an object. */
static const char *const OF_AN_OBJECT[] = {"cache-control", "content-disposition", "content-language", "expires"};

static bool is_one_of(const char *text, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(text, names[i]) == 0)
            return true;
    return false;
}

/* What is behind "x-amz-", "x-obs-", "x-ms-"; NULL without. */
static const char *of_store(const char *name)
{
    if (strncasecmp(name, "x-ms-", 5) == 0)
        return name + 5;
    return strncasecmp(name, "x-amz-", 6) == 0 || strncasecmp(name, "x-obs-", 6) == 0 ? name + 6 : NULL;
}

static bool is_reserved(const char *name)
{
    const char *rest = of_store(name);

    for (size_t i = 0; rest && i < ARRAY_SIZE(RESERVED_OF_STORE); i++)
        if (strncasecmp(rest, RESERVED_OF_STORE[i], strlen(RESERVED_OF_STORE[i])) == 0)
            return true;
    return strncasecmp(name, "proxy-", 6) == 0 || is_one_of(name, RESERVED, ARRAY_SIZE(RESERVED));
}

static enum user_header_scope scope_of(const char *name)
{
    static const char *const everywhere[] = {"request-payer", "expected-bucket-owner", "client-request-id", "lease-id"};
    const char *rest = of_store(name);

    if (!rest)
        return is_one_of(name, OF_AN_OBJECT, ARRAY_SIZE(OF_AN_OBJECT)) ? USER_HEADER_CREATE : USER_HEADER_ALL;
    if (is_one_of(rest, everywhere, ARRAY_SIZE(everywhere)))
        return USER_HEADER_ALL;
    return strncasecmp(rest, "server-side-encryption-customer-", 32) == 0 || strncasecmp(rest, "encryption-", 11) == 0
               ? USER_HEADER_OBJECT
               : USER_HEADER_CREATE;
}

static bool archives(const char *name, const char *value)
{
    const char *rest = of_store(name);

    if (!rest)
        return false;
    return (strcasecmp(rest, "storage-class") == 0 && is_one_of(value, ARCHIVES, ARRAY_SIZE(ARCHIVES))) ||
           (strcasecmp(rest, "access-tier") == 0 && is_one_of(value, ARCHIVE_TIERS, ARRAY_SIZE(ARCHIVE_TIERS)));
}

static bool name_valid(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!isalnum((unsigned char)text[i]) && !strchr("-_.", text[i]))
            return false;
    return size > 0 && size < NAME_SIZE;
}

static int check_value(const char *name, const char *value, struct err *e)
{
    if (!*value)
        return err_set(e, -FAULT_USAGE,
                       "--header: %s has no value: write NAME:VALUE (in SALVAGE_HEADER without blanks, which part the "
                       "headers)",
                       name);
    for (const char *c = value; *c; c++)
        if (*c < ' ' || *c > '~')
            return err_set(e, -FAULT_USAGE, "--header: the value of %s has a character that is not printable ASCII",
                           name);
    return 0;
}

/* Trims the value. */
static int split(const char *text, struct user_header *ret, struct err *e)
{
    size_t size = strcspn(text, ":"), end;
    const char *value = text + size + strspn(text + size, ": \t");

    if (!text[size] || !name_valid(text, size))
        return err_set(e, -FAULT_USAGE,
                       "--header: '%.60s' is not NAME:VALUE, as in x-amz-acl:bucket-owner-full-control", text);
    for (end = strlen(value); end > 0 && strchr(" \t", value[end - 1]);)
        end--;
    ret->name = strndup(text, size);
    ret->value = strndup(value, end);
    return ret->name && ret->value ? 0 : err_set(e, -ENOMEM, "out of memory");
}

static void header_done(struct user_header *h)
{
    free(h->name);
    free(h->value);
    *h = (struct user_header){0};
}

int user_headers_add(struct user_headers *h, const char *text, enum url_scheme scheme, struct err *e)
{
    CLEANUP(header_done) struct user_header made = {0};
    int r;

    if (scheme == URL_FILE)
        return err_set(e, -FAULT_USAGE, "--header: a folder (file://) takes no headers");
    if (h->count >= USER_HEADERS_MAX)
        return err_set(e, -FAULT_USAGE, "--header: at most %d", USER_HEADERS_MAX);
    if ((r = split(text, &made, e)) < 0 || !made.name || !made.value)
        return r;
    if (is_reserved(made.name))
        return err_set(e, -FAULT_USAGE, "--header: %s is salvage's own to set%s", made.name,
                       strcasecmp(made.name, "authorization") == 0
                           ? ": give --credentials-file, or keys of the store in the environment"
                           : "");
    if ((r = check_value(made.name, made.value, e)) < 0)
        return r;
    for (unsigned i = 0; i < h->count; i++)
        if (strcasecmp(h->item[i].name, made.name) == 0)
            return err_set(e, -FAULT_USAGE, "--header: %s is given twice", made.name);
    made.scope = url_in_bucket(scheme) ? scope_of(made.name) : USER_HEADER_ALL;
    made.archives = archives(made.name, made.value);
    h->item[h->count++] = made;
    made = (struct user_header){0};
    return 0;
}

bool user_header_belongs(const struct user_header *h, const struct user_header_request *r)
{
    if (h->archives && r->readable)
        return false;
    return h->scope == USER_HEADER_ALL || (h->scope == USER_HEADER_CREATE && r->creates) ||
           (h->scope == USER_HEADER_OBJECT && r->object);
}

int user_headers_copy(const struct user_headers *from, struct user_headers *ret)
{
    CLEANUP(user_headers_done) struct user_headers made = {0};

    for (; made.count < from->count; made.count++) {
        struct user_header *to = &made.item[made.count];

        *to = from->item[made.count];
        to->name = strdup(to->name);
        to->value = strdup(to->value);
        if (!to->name || !to->value) {
            made.count++;
            return -ENOMEM;
        }
    }
    *ret = made;
    made = (struct user_headers){0};
    return 0;
}

void user_headers_done(struct user_headers *h)
{
    for (unsigned i = 0; i < h->count; i++)
        header_done(&h->item[i]);
    h->count = 0;
}
