/* SPDX-License-Identifier: Apache-2.0
 *
 * Which cases a page shows: the fields of a form, from the query of a URL and back into one.
 */
#pragma once

#include "serve/catalogue.h"
#include "serve/page.h"

enum page_field {
    FILTER_TEXT,
    FILTER_NAMESPACE,
    FILTER_CAUSE,
    FILTER_WORKLOAD,
    FILTER_POD,
    FILTER_SUSPECT,
    FILTER_SINCE,
    FILTER_UNTIL,
    FILTER_LOOPS, /* "apart": crash loops are not folded */
    FILTER_FIELDS
};

struct page_filter {
    const char *value[FILTER_FIELDS]; /* borrowed from the request; NULL: not given */
    const char *after;                /* a cursor */
    int64_t since_ns, until_ns;       /* until: the end of its day */
    bool bad_date;                    /* one of the dates is none, and is ignored */
    bool any;                         /* one of the fields but FILTER_LOOPS is given */
};

void page_filter_read(struct page_filter *f, const struct exchange *x);

/* Appends "/-/cases" with all fields; but `except` (FILTER_FIELDS: none). */
int page_filter_url(const struct page_filter *f, enum page_field except, struct buf *ret);

/* The form; namespaces: those to choose from. */
void page_filter_form(struct html *h, const struct page_filter *f, const char *const *namespaces);

void page_filter_query(const struct page_filter *f, const struct page_scope *s, struct catalogue_query *ret);
