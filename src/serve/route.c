/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of routes. The first row that fits wins.
 */
#include "serve/route.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "serve/gateway.h"
#include "serve/page.h"
#include "serve/upload_resume.h"
#include "ship/capture_protocol.h"
#include "store/http/gateway_protocol.h"

enum kind { OBJECT, FOLDER, EXACTLY, BELOW };

struct route {
    const char *methods; /* " GET HEAD " */
    enum kind kind;
    const char *name; /* for EXACTLY and BELOW */
    void (*answer)(struct request *r);
};

/* A browser wants to see what died; all others, what is there. */
static void answer_root(struct request *r)
{
    if (!page_is_wanted(r->exchange) || exchange_query(r->exchange, "format")) {
        listing_folder(r);
        return;
    }
    exchange_add_header(r->exchange, "Location", "/" REQUEST_OWN "cases");
    exchange_answer_text(r->exchange, 302, "see /" REQUEST_OWN "cases");
}

/* What is there already is not replaced. A client that asks whether it could store something learns of its rights
 * first. */
static void refuse_folder(struct request *r)
{
    if (!caller_is_anonymous(r->caller) || request_may(r, RIGHT_WRITE))
        exchange_answer_text(r->exchange, 409, "a folder is there: put objects into it");
}

/* clang-format off: one row, one line */
static const struct route ROUTES[] = {
    /* Ours, and no keys. */
    {" GET HEAD ", EXACTLY, "healthz", health_answer},
    {" GET HEAD ", EXACTLY, "readyz", health_answer},
    {" GET HEAD ", EXACTLY, "metrics", metrics_answer},
    {" GET HEAD ", EXACTLY, REQUEST_OWN "api/cases", cases_answer},
    {" GET HEAD ", BELOW, REQUEST_OWN "api/whoami/", whoami_answer},
    {" GET HEAD POST ", EXACTLY, REQUEST_OWN "login", sign_in},
    {" POST ", EXACTLY, REQUEST_OWN "logout", sign_in},
    {" POST ", EXACTLY, REQUEST_OWN "link", sign_in},
    {" POST ", EXACTLY, REQUEST_OWN "pin", page_care},
    {" POST ", EXACTLY, REQUEST_OWN "unpin", page_care},
    {" GET HEAD POST ", EXACTLY, REQUEST_OWN "delete", page_care},
    {" POST ", EXACTLY, REQUEST_OWN "analyse", analyse_answer},
    {" GET HEAD POST ", EXACTLY, REQUEST_OWN "api/analyse", analyse_answer},
    {" POST ", EXACTLY, CAPTURE_PATH, captures_answer},
    {" GET ", BELOW, CAPTURE_PATH "/", captures_answer},
    {" GET ", EXACTLY, CAPTURE_AGENT_PATH, captures_agent},
    {" POST ", BELOW, CAPTURE_AGENT_PATH "/", captures_agent},
    {" HEAD GET PATCH DELETE ", BELOW, UPLOAD_RESOURCES, upload_resume},
    {" POST ", BELOW, GATEWAY_PATH, gateway_direct},
    /* Objects and folders. */
    {" GET HEAD ", OBJECT, NULL, download_object},
    {" GET HEAD ", EXACTLY, "", answer_root},
    {" GET HEAD ", FOLDER, NULL, listing_folder},
    {" PUT POST MKCOL ", OBJECT, NULL, upload_object},
    {" MKCOL ", FOLDER, NULL, upload_object},
    {" OPTIONS PROPFIND ", OBJECT, NULL, webdav_propfind},
    {" OPTIONS PROPFIND ", FOLDER, NULL, webdav_propfind},
    {" PUT ", FOLDER, NULL, refuse_folder},
    {" DELETE ", OBJECT, NULL, remove_object},
    {" GET HEAD ", BELOW, REQUEST_OWN, page_answer},
};
/* clang-format on */

/* With a store elsewhere a row's function stands for another. */
static void answer(const struct route *route, struct request *r)
{
    static const struct {
        void (*here)(struct request *r);
        void (*elsewhere)(struct request *r);
    } rows[] = {{download_object, gateway_get}, {upload_object, gateway_put}, {remove_object, gateway_remove}};

    for (size_t i = 0; r->serve->gateway && i < ARRAY_SIZE(rows); i++) {
        if (rows[i].here == route->answer) {
            rows[i].elsewhere(r);
            return;
        }
    }
    route->answer(r);
}

static bool fits(const struct route *route, const struct request *r)
{
    const char *key = r->key;
    bool own = text_starts(key, REQUEST_OWN), folder = !*key || key[strlen(key) - 1] == '/';

    switch (route->kind) {
    case OBJECT:
        return !own && !folder;
    case FOLDER:
        return !own && folder;
    case EXACTLY:
        return text_eq(key, route->name);
    case BELOW:
        return text_starts(key, route->name);
    }
    return false;
}

static bool has_method(const struct route *route, const char *method)
{
    const char *at = strstr(route->methods, method);
    size_t size = strlen(method);

    return size > 0 && at && at[-1] == ' ' && at[size] == ' ' && !strchr(method, ' ');
}

void route_request(struct request *r)
{
    const char *method = exchange_method(r->exchange);
    bool known = false, ours = false;

    for (size_t i = 0; i < ARRAY_SIZE(ROUTES); i++) {
        bool exact = ROUTES[i].kind == EXACTLY && *ROUTES[i].name;

        if (ours && !exact) /* a name of ours is no key, by whatever method */
            continue;
        if (!fits(&ROUTES[i], r))
            continue;
        known = true;
        ours = exact;
        if (has_method(&ROUTES[i], method)) {
            answer(&ROUTES[i], r);
            return;
        }
    }
    if (known)
        exchange_answer_text(r->exchange, 405, "not possible here: %.20s", method);
    else
        page_fail(r, 404, "not found");
}
