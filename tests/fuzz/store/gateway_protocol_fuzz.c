/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever a shipper asks, and whatever a server answers: what is taken is in bounds, and says the same once more.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/http/gateway_protocol.h"

enum { ETAG_MAX = 256 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int truth)
{
    if (!truth)
        abort();
}

static void check_plain(const char *text, size_t max)
{
    require(*text && strlen(text) < max);
    for (const char *c = text; *c; c++)
        require(*c >= ' ' && *c <= '~');
}

static void check_question(enum gateway_verb v, const char *text, size_t size)
{
    CLEANUP(gateway_question_done) struct gateway_question q = {0}, again = {0};
    CLEANUP_FREE char *encoded = NULL;
    uint64_t all = 0;

    if (gateway_question_decode(v, text, size, &q) < 0 || v == GATEWAY_BEGIN)
        return;
    check_plain(q.token, GATEWAY_TOKEN_MAX);
    for (unsigned i = 0; i < q.count; i++) {
        check_plain(q.etags[i], ETAG_MAX);
        all += q.sizes[i];
    }
    require(q.count <= GATEWAY_PARTS_MAX && all == q.size);
    require(v != GATEWAY_PART || (q.part.number > 0 && q.part.number <= GATEWAY_PARTS_MAX));
    require(gateway_question_encode(v, &q, &encoded) == 0);
    require(gateway_question_decode(v, encoded, strlen(encoded), &again) == 0);
    require(strcmp(q.token, again.token) == 0 && q.count == again.count && q.part.size == again.part.size);
}

static void check_answers(const char *text, size_t size)
{
    CLEANUP(handed_request_done) struct handed_request r = {0};
    struct handed_upload u = {0};

    if (gateway_upload_decode(text, size, &u) == 0)
        check_plain(u.token, GATEWAY_TOKEN_MAX);
    free(u.token);
    if (gateway_request_decode(text, size, &r) < 0)
        return;
    check_plain(secret_expose(r.url), GATEWAY_URL_MAX);
    require(strncmp(secret_expose(r.url), "http", 4) == 0 && !strchr(secret_expose(r.url), ' '));
    for (unsigned i = 0; i < r.count; i++) {
        check_plain(r.name[i], 128);
        check_plain(r.value[i], GATEWAY_URL_MAX);
        require(!strpbrk(r.name[i], " :\""));
    }
}

/* The first byte chooses what it is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text, *key = "";
    CLEANUP_FREE char *path = NULL;

    if (size == 0)
        return 0;
    text = (const char *)data + 1;
    size--;
    if (data[0] < GATEWAY_VERB_END) {
        check_question((enum gateway_verb)data[0], text, size);
    } else if (data[0] == GATEWAY_VERB_END) {
        require((path = strndup(text, size)) != NULL);
        if (gateway_verb_find(path, &key) != GATEWAY_VERB_END)
            require(key > path && key[-1] == '/');
    } else {
        check_answers(text, size);
    }
    return 0;
}
