/* SPDX-License-Identifier: Apache-2.0
 *
 * One request, and what its answer means.
 */
#include "net/cred_ask.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

enum { TOKEN_MAX = 64 * 1024, WORDS_MAX = 200 };

int cred_ask(const struct http_options *o, struct http_request *r, const char *service, struct http_answer *ret,
             struct err *e)
{
    CLEANUP(service_done)
    struct service s = {.name = service,
                        .deadline_ms = clock_mono_ms() + 2 * r->limit_ms,
                        .try_ms = r->limit_ms,
                        .answer_max = CREDANSWER_MAX};
    int result;

    assert(r->limit_ms > 0);
    result = service_open(&s, o, e);
    if (result == 0)
        result = service_ask(&s, r, ret, e);
    return result < 0 ? err_prefix(e, result, "credentials") : 0;
}

void cred_token_done(char **token)
{
    if (*token)
        explicit_bzero(*token, strlen(*token));
    free(*token);
    *token = NULL;
}

int cred_read_token(const char *path, const char *variable, char **ret, struct err *e)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    CLEANUP(cred_token_done) char *text = NULL;
    ssize_t n = 0;

    if (fd < 0)
        return err_set(e, -FAULT_CREDENTIALS, "credentials: %s=%s: %s", variable, path, strerror(errno));
    if (!(text = calloc(1, TOKEN_MAX + 1)))
        return err_set(e, -ENOMEM, "out of memory");
    if ((n = file_read(fd, text, TOKEN_MAX)) < 0)
        return err_set(e, -FAULT_CREDENTIALS, "credentials: %s=%s: %s", variable, path, strerror((int)-n));
    while (n > 0 && strchr(" \t\r\n", text[n - 1]))
        text[--n] = '\0';
    if (n == 0 || n == TOKEN_MAX || strlen(text) != (size_t)n || strpbrk(text, "\r\n"))
        return err_set(e, -FAULT_CREDENTIALS, "credentials: %s=%s does not hold a token", variable, path);
    *ret = TAKE_PTR(text);
    return 0;
}

static int refuse(const struct cred_service *s, const struct http_answer *a, struct err *e)
{
    CLEANUP_FREE char *code = NULL;
    CLEANUP_FREE char *message = NULL;
    char words[WORDS_MAX], name[WORDS_MAX];

    if (s->parse_error(a->body.data, a->body.size, &code, &message) == -ENOMEM)
        return err_set(e, -ENOMEM, "out of memory");
    return err_set(e, -FAULT_CREDENTIALS, "credentials: %s answers %ld%s%s%s%s", s->name, a->status, code ? " " : "",
                   code ? text_printable(code, name, sizeof(name)) : "", message ? ": " : "",
                   message ? text_printable(message, words, sizeof(words)) : "");
}

int cred_take(const struct cred_service *s, const struct http_answer *a, struct credentials *ret, struct err *e)
{
    CLEANUP(credanswer_done) struct credanswer keys = {0};
    int r = a->status == 200 ? s->parse(a->body.data, a->body.size, &keys) : -EBADMSG;

    if (r == -ENOMEM)
        return err_set(e, r, "out of memory");
    if (r < 0)
        return refuse(s, a, e);
    if ((r = cred_make(&(struct cred_parts){keys.access_key, keys.secret_key, keys.token}, s->name, ret, e)) < 0)
        return r;
    ret->expires_ns = keys.expires_ns;
    ret->source = s->source;
    return 0;
}
