/* SPDX-License-Identifier: Apache-2.0
 *
 * One or two requests with the credentials that shipping would use.
 */
#include "probe/store_server.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static bool ask(struct sink *sink, const char *namespace, struct server_rights *ret)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = SERVER_RIGHTS_MAX}, key = {0};
    void *connection = NULL;
    struct err ignored;
    int r = buf_printf(&key, "-/api/whoami/%s", namespace);

    if (r == 0) {
        r = sink->ops->load(sink, &connection, buf_text(&key), &text, &ignored);
        sink->ops->load_end(connection);
    }
    return r == 0 && server_rights_read(buf_text(&text), text.size, ret);
}

static void say(const struct findings *f, const struct server_rights *s)
{
    const char *names[] = {s->list ? "list" : NULL, s->read ? "read" : NULL, s->write ? "write" : NULL,
                           s->delete ? "delete" : NULL};
    char text[64] = "";

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (names[i])
            snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", *text ? ", " : "", names[i]);
    finding_ok(f, "namespace", "%s: %s may %s", s->namespace, s->name, *text ? text : "do nothing");
}

bool probe_server(const struct findings *f, const struct plan *plan, const char *namespace, struct server_rights *ret)
{
    struct sink_config root = plan->sink; /* borrowed, but for the path: what asks is at the server's root */
    char whole[] = "";
    struct sink *sink = NULL;
    struct server_rights here, other;
    struct err ignored;
    bool is_one;

    root.url.path = whole;
    finding_step(f, "namespace", "which rights");
    if (sink_open(&root, &sink, &ignored) < 0)
        return false;
    if ((is_one = ask(sink, namespace, &here))) {
        if (!here.write && *here.writes && !*plan->sink.url.path && ask(sink, here.writes, &other)) {
            finding_warn(f, "namespace", "set POD_NAMESPACE, or use a token of that namespace",
                         "evidence from here belongs to namespace %s, where %s may not write; checked in %s", namespace,
                         here.name, other.namespace);
            here = other;
        }
        say(f, &here);
        *ret = here;
    }
    sink_close(sink);
    return is_one;
}
