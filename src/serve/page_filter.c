/* SPDX-License-Identifier: Apache-2.0
 *
 * A GET form: a list that is filtered has a URL to send to others.
 */
#include "serve/page_filter.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/url.h"

#define DAY_NS (24LL * 3600 * 1000000000LL)

static const char *const NAMES[FILTER_FIELDS] = {
    [FILTER_TEXT] = "q",      [FILTER_NAMESPACE] = "namespace",
    [FILTER_CAUSE] = "cause", [FILTER_WORKLOAD] = "workload",
    [FILTER_POD] = "pod",     [FILTER_SUSPECT] = "suspect",
    [FILTER_SINCE] = "since", [FILTER_UNTIL] = "until",
    [FILTER_LOOPS] = "loops",
};

static const char *const CAUSES[] = {"java-oom", "oom-kill", "signal",  "native-oom", "assert", "exception",
                                     "exit",     "pressure", "prestop", "user",       "manual", "unknown"};

static const char *given(const struct exchange *x, const char *name)
{
    const char *value = exchange_query(x, name);

    return value && *value ? value : NULL;
}

/* "2026-11-21" as the beginning of that day; what is none is taken away. */
static int64_t take_day(const char **value, bool *ret_bad)
{
    const char *text = *value;
    char whole[CLOCK_TEXT_MAX];
    int64_t ns;

    if (!text)
        return 0;
    snprintf(whole, sizeof(whole), "%sT00:00:00Z", text);
    if (strlen(text) == strlen("2026-11-21") && clock_parse(whole, &ns) == 0)
        return ns;
    *value = NULL;
    *ret_bad = true;
    return 0;
}

void page_filter_read(struct page_filter *f, const struct exchange *x)
{
    *f = (struct page_filter){.after = given(x, "after")};
    for (unsigned i = 0; i < FILTER_FIELDS; i++) {
        f->value[i] = given(x, NAMES[i]);
        f->any |= f->value[i] && i != FILTER_LOOPS;
    }
    f->since_ns = take_day(&f->value[FILTER_SINCE], &f->bad_date);
    f->until_ns = take_day(&f->value[FILTER_UNTIL], &f->bad_date);
    if (f->until_ns)
        f->until_ns += DAY_NS;
}

int page_filter_url(const struct page_filter *f, enum page_field except, struct buf *ret)
{
    int r = buf_add_text(ret, "/" REQUEST_OWN "cases");

    for (unsigned i = 0; i < FILTER_FIELDS && r == 0; i++)
        if (i != except)
            r = url_add_query(ret, NAMES[i], f->value[i]);
    return r;
}

void page_filter_query(const struct page_filter *f, const struct page_scope *s, struct catalogue_query *ret)
{
    *ret = (struct catalogue_query){
        .visible = page_scope_visible(s),
        .namespace = f->value[FILTER_NAMESPACE],
        .workload = f->value[FILTER_WORKLOAD],
        .pod = f->value[FILTER_POD],
        .cause = f->value[FILTER_CAUSE],
        .suspect = f->value[FILTER_SUSPECT],
        .text = f->value[FILTER_TEXT],
        .since_ns = f->since_ns,
        .until_ns = f->until_ns,
        .after = f->after,
        .fold = !text_eq(f->value[FILTER_LOOPS], "apart"),
    };
}

static void begin_field(struct html *h, enum page_field field, const char *label, const char *class)
{
    char id[32];

    snprintf(id, sizeof(id), "f-%s", NAMES[field]);
    html_begin_class(h, "div", class);
    html_begin(h, "label");
    html_attr(h, "for", id);
    html_text(h, label);
    html_end(h);
}

static void name_field(struct html *h, enum page_field field)
{
    char id[32];

    snprintf(id, sizeof(id), "f-%s", NAMES[field]);
    html_attr(h, "id", id);
    html_attr(h, "name", NAMES[field]);
}

struct input {
    const char *label, *type, *class, *placeholder;
};

static void write_input(struct html *h, const struct page_filter *f, enum page_field field, const struct input *i)
{
    begin_field(h, field, i->label, i->class);
    html_void(h, "input");
    name_field(h, field);
    html_attr(h, "type", i->type);
    html_attr(h, "placeholder", i->placeholder);
    html_attr(h, "value", f->value[field]);
    html_attr(h, "autocomplete", "off");
    html_end(h);
}

static void write_option(struct html *h, const char *value, const char *text, bool selected)
{
    html_begin(h, "option");
    html_attr(h, "value", value);
    if (selected)
        html_flag(h, "selected");
    html_text(h, text);
    html_end(h);
}

/* A value that is not among those known is an option, too: the form says what is applied. */
static void write_select(struct html *h, const struct page_filter *f, enum page_field field, const char *const *values)
{
    const char *label = field == FILTER_CAUSE ? "Cause" : "Namespace", *value = f->value[field];
    bool found = !value;

    begin_field(h, field, label, NULL);
    html_begin(h, "select");
    name_field(h, field);
    write_option(h, "", "Any", !value);
    for (; *values; values++) {
        if (!**values)
            continue;
        write_option(h, *values, *values, text_eq(*values, value));
        found |= text_eq(*values, value);
    }
    if (!found)
        write_option(h, value, value, true);
    html_end(h);
    html_end(h);
}

static void write_more(struct html *h, const struct page_filter *f)
{
    html_begin_class(h, "details", "more");
    if (f->value[FILTER_WORKLOAD] || f->value[FILTER_POD] || f->value[FILTER_SUSPECT] || f->value[FILTER_SINCE] ||
        f->value[FILTER_UNTIL])
        html_flag(h, "open");
    html_element(h, "summary", NULL, "Workload, pod, suspect, time");
    html_begin(h, "div");
    write_input(h, f, FILTER_WORKLOAD, &(struct input){"Workload", "text", NULL, NULL});
    write_input(h, f, FILTER_POD, &(struct input){"Pod", "text", NULL, NULL});
    write_input(h, f, FILTER_SUSPECT, &(struct input){"Suspect or class", "text", NULL, NULL});
    write_input(h, f, FILTER_SINCE, &(struct input){"From", "date", NULL, NULL});
    write_input(h, f, FILTER_UNTIL, &(struct input){"To", "date", NULL, NULL});
    html_end(h);
    html_end(h);
}

void page_filter_form(struct html *h, const struct page_filter *f, const char *const *namespaces)
{
    const char *causes[ARRAY_SIZE(CAUSES) + 1] = {NULL};

    memcpy(causes, CAUSES, sizeof(CAUSES));
    html_begin_class(h, "form", "filter");
    html_attr(h, "method", "get");
    html_attr(h, "action", "/" REQUEST_OWN "cases");
    html_attr(h, "role", "search");
    html_attr(h, "aria-label", "Cases");
    write_input(h, f, FILTER_TEXT, &(struct input){"Search", "search", "wide", "Name, image, node, error …"});
    write_select(h, f, FILTER_NAMESPACE, namespaces);
    write_select(h, f, FILTER_CAUSE, causes);
    html_begin_class(h, "div", "send");
    html_begin_class(h, "button", "primary");
    html_text(h, "Search");
    html_end(h);
    html_end(h);
    if (f->any || f->value[FILTER_LOOPS]) {
        html_begin_class(h, "div", "send");
        html_begin_class(h, "a", "button");
        html_attr(h, "href", "/" REQUEST_OWN "cases");
        html_text(h, "Clear");
        html_end(h);
        html_end(h);
    }
    write_more(h, f);
    if (f->value[FILTER_LOOPS]) {
        html_void(h, "input");
        html_attr(h, "type", "hidden");
        html_attr(h, "name", NAMES[FILTER_LOOPS]);
        html_attr(h, "value", f->value[FILTER_LOOPS]);
    }
    html_end(h);
    if (f->bad_date)
        html_element(h, "p", "note", "A date is written like 2026-11-21. What was given is none, and is ignored.");
}
