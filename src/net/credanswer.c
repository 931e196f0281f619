/* SPDX-License-Identifier: Apache-2.0
 *
 * Three forms of the same four facts. Judges none of them: what may stand in a key is net/cred.h's.
 */
#include "net/credanswer.h"

#include <errno.h>
#include <expat.h>
#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

static void wipe(char **text)
{
    if (*text)
        explicit_bzero(*text, strlen(*text));
    free(*text);
    *text = NULL;
}

void credanswer_done(struct credanswer *a)
{
    wipe(&a->access_key);
    wipe(&a->secret_key);
    wipe(&a->token);
    *a = (struct credanswer){0};
}

/* Takes over nothing that is empty; times in a form of their own count as unknown. */
static int fill(const char *access_key, const char *secret_key, const char *token, const char *expires,
                struct credanswer *ret)
{
    CLEANUP(credanswer_done) struct credanswer a = {0};

    if (!access_key || !*access_key || !secret_key || !*secret_key)
        return -EBADMSG;
    a.access_key = strdup(access_key);
    a.secret_key = strdup(secret_key);
    a.token = token && *token ? strdup(token) : NULL;
    if (!a.access_key || !a.secret_key || (token && *token && !a.token))
        return -ENOMEM;
    if (expires)
        clock_parse(expires, &a.expires_ns);
    *ret = a;
    a = (struct credanswer){0};
    return 0;
}

static json_t *load(const char *json, size_t size)
{
    return json && size <= CREDANSWER_MAX ? json_loadb(json, size, JSON_REJECT_DUPLICATES, NULL) : NULL;
}

static const char *get(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

int credanswer_parse_json(const char *json, size_t size, struct credanswer *ret)
{
    json_auto_t *j = load(json, size);
    const char *code = get(j, "Code");

    /* EC2 reports this in the body of a 200. */
    if (code && !text_eq(code, "Success"))
        return -EBADMSG;
    return fill(get(j, "AccessKeyId"), get(j, "SecretAccessKey"), get(j, "Token"), get(j, "Expiration"), ret);
}

/* "2026-11-29T10:00:00Z", or with an offset: as Python's isoformat() has it. */
static int parse_time(const char *text, int64_t *ret)
{
    size_t size = strlen(text);
    char utc[64];
    unsigned hours, minutes;
    int64_t ns;

    if (clock_parse(text, ret) == 0)
        return 0;
    if (size < 7 || size + 1 >= sizeof(utc) || !strchr("+-", text[size - 6]) ||
        strspn(text + size - 5, "0123456789") != 2 || text[size - 3] != ':' ||
        strspn(text + size - 2, "0123456789") != 2)
        return -EINVAL;
    hours = (unsigned)(text[size - 5] - '0') * 10 + (unsigned)(text[size - 4] - '0');
    minutes = (unsigned)(text[size - 2] - '0') * 10 + (unsigned)(text[size - 1] - '0');
    memcpy(utc, text, size - 6);
    memcpy(utc + size - 6, "Z", 2);
    if (hours > 14 || minutes > 59 || clock_parse(utc, &ns) < 0)
        return -EINVAL;
    *ret = ns - (text[size - 6] == '+' ? 1 : -1) * (int64_t)(hours * 60 + minutes) * 60 * 1000000000;
    return 0;
}

int credanswer_parse_process(const char *json, size_t size, struct credanswer *ret)
{
    json_auto_t *j = load(json, size);
    const json_t *version = json_object_get(j, "Version"), *expiration = json_object_get(j, "Expiration");
    int64_t expires_ns = 0;
    int r;

    if (!json_is_integer(version) || json_integer_value(version) != 1)
        return -EBADMSG;
    if (expiration && !json_is_null(expiration) &&
        (!json_is_string(expiration) || parse_time(json_string_value(expiration), &expires_ns) < 0))
        return -EBADMSG;
    r = fill(get(j, "AccessKeyId"), get(j, "SecretAccessKey"), get(j, "SessionToken"), NULL, ret);
    if (r == 0)
        ret->expires_ns = expires_ns;
    return r;
}

int credanswer_parse_huawei(const char *json, size_t size, struct credanswer *ret)
{
    json_auto_t *j = load(json, size);
    const json_t *c = json_object_get(j, "credential");

    return fill(get(c, "access"), get(c, "secret"), get(c, "securitytoken"), get(c, "expires_at"), ret);
}

static int copy(const char *text, char **ret)
{
    if (!text)
        return 0;
    *ret = strdup(text);
    return *ret ? 0 : -ENOMEM;
}

int credanswer_parse_json_error(const char *json, size_t size, char **ret_code, char **ret_message)
{
    json_auto_t *j = load(json, size);
    const char *code = get(j, "code"), *message = get(j, "message");

    /* ECS and EKS write them small, EC2 large. */
    if (copy(code ? code : get(j, "Code"), ret_code) < 0 ||
        copy(message ? message : get(j, "Message"), ret_message) < 0)
        return -ENOMEM;
    return *ret_code || *ret_message ? 0 : -EBADMSG;
}

/* STS: leaves are recognised by their names alone, which are unique in its answers. */
enum leaf { ACCESS_KEY, SECRET_KEY, TOKEN, EXPIRES, CODE, MESSAGE, LEAVES };

static const char *const LEAF_NAMES[LEAVES] = {"AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration",
                                               "Code",        "Message"};

struct walk {
    XML_Parser parser;
    struct buf leaf[LEAVES];
    int inside; /* enum leaf; LEAVES: none */
    bool no_memory;
};

static void walk_done(struct walk *w)
{
    for (int i = 0; i < LEAVES; i++)
        buf_wipe(&w->leaf[i]);
}

static void XMLCALL on_start(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
    struct walk *w = ctx;
    const char *colon = strrchr(name, ':');

    (void)attributes;
    for (w->inside = 0; w->inside < LEAVES && !text_eq(LEAF_NAMES[w->inside], colon ? colon + 1 : name); w->inside++)
        ;
    if (w->inside < LEAVES)
        buf_clear(&w->leaf[w->inside]);
}

static void XMLCALL on_end(void *ctx, const XML_Char *name)
{
    struct walk *w = ctx;

    (void)name;
    w->inside = LEAVES;
}

static void XMLCALL on_text(void *ctx, const XML_Char *text, int size)
{
    struct walk *w = ctx;

    if (w->inside < LEAVES && buf_add(&w->leaf[w->inside], text, (size_t)size) == -ENOMEM)
        w->no_memory = true;
}

/* Without DTDs there are no entities to expand. */
static void XMLCALL on_doctype(void *ctx, const XML_Char *name, const XML_Char *sysid, const XML_Char *pubid,
                               int has_subset)
{
    struct walk *w = ctx;

    (void)name;
    (void)sysid;
    (void)pubid;
    (void)has_subset;
    XML_StopParser(w->parser, XML_FALSE);
}

static int walk(const char *xml, size_t size, struct walk *w)
{
    int r = 0;

    w->inside = LEAVES;
    if (!xml || size == 0 || size > CREDANSWER_MAX)
        return -EBADMSG;
    if (!(w->parser = XML_ParserCreate(NULL)))
        return -ENOMEM;
    XML_SetUserData(w->parser, w);
    XML_SetElementHandler(w->parser, on_start, on_end);
    XML_SetCharacterDataHandler(w->parser, on_text);
    XML_SetStartDoctypeDeclHandler(w->parser, on_doctype);
    if (XML_Parse(w->parser, xml, (int)size, XML_TRUE) != XML_STATUS_OK)
        r = XML_GetErrorCode(w->parser) == XML_ERROR_NO_MEMORY ? -ENOMEM : -EBADMSG;
    XML_ParserFree(w->parser);
    return w->no_memory ? -ENOMEM : r;
}

int credanswer_parse_sts(const char *xml, size_t size, struct credanswer *ret)
{
    CLEANUP(walk_done) struct walk w = {0};
    int r = walk(xml, size, &w);

    if (r < 0)
        return r;
    return fill(buf_text(&w.leaf[ACCESS_KEY]), buf_text(&w.leaf[SECRET_KEY]), buf_text(&w.leaf[TOKEN]),
                buf_text(&w.leaf[EXPIRES]), ret);
}

int credanswer_parse_sts_error(const char *xml, size_t size, char **ret_code, char **ret_message)
{
    CLEANUP(walk_done) struct walk w = {0};
    int r = walk(xml, size, &w);

    if (r < 0)
        return r;
    if (copy(w.leaf[CODE].size ? buf_text(&w.leaf[CODE]) : NULL, ret_code) < 0 ||
        copy(w.leaf[MESSAGE].size ? buf_text(&w.leaf[MESSAGE]) : NULL, ret_message) < 0)
        return -ENOMEM;
    return *ret_code || *ret_message ? 0 : -EBADMSG;
}
