/* SPDX-License-Identifier: Apache-2.0
 *
 * The dominator tree, as a picture whose areas are retained sizes and as a tree that unfolds. Both show the same nodes;
 * the script lets a cell of the picture lead to its line in the tree.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/html_svg.h"
#include "base/java_name.h"
#include "base/mem.h"
#include "base/text.h"
#include "inspect/analysis.h"
#include "inspect/analysis_tree.h"
#include "inspect/treemap.h"

enum {
    WIDTH = 1000,
    HEIGHT = 560,
    HEAD = 22,        /* the line with a cell's name, above its children */
    GAP = 3,          /* around the children */
    LEVELS = 4,       /* of the picture */
    TREE_LEVELS = 30, /* each is three elements deep */
    CELL_MIN = 4,     /* a cell's side; nothing is drawn below it */
    INNER_MIN = 14,   /* the side of a cell in which children are drawn */
    CHILDREN_MAX = 200,
    CHARACTER = 9,       /* width of one, a little more than the font's */
    CHARACTER_PHONE = 19 /* there the picture is scaled down, and its letters are larger */
};

static bool is_runtimes(const json_t *node)
{
    const char *of = analysis_text(node, "of_class"), *class = *of ? of : analysis_text(node, "class");

    return !*class || java_name_is_runtime(class);
}

/* "HashMap$Node[] × 3" of "java.util.HashMap$Node[]": without the package. */
static void write_name(struct buf *to, const json_t *node, bool whole)
{
    const char *class = analysis_text(node, "class"), *of = analysis_text(node, "of_class");
    uint64_t count = analysis_number(node, "count");
    const char *text = *of ? of : class, *dot = whole ? NULL : strrchr(text, '.');

    buf_printf(to, "%s%s", *of ? "class " : "", dot ? dot + 1 : *text ? text : "(unknown)");
    if (count > 1)
        buf_printf(to, " × %" PRIu64, count);
}

/* At most `most` characters of it. */
static void write_cut(struct html *h, const char *text, size_t most)
{
    size_t size = strlen(text), at = 0, n = 0;

    while (at < size && n < most) {
        size_t length = text_utf8_length(text + at, size - at);

        at += length ? length : 1;
        n++;
    }
    if (at < size && most < 4)
        return;
    html_text_bytes(h, text, at);
    if (at < size)
        html_text(h, "…");
}

static void write_label(struct html *h, const struct treemap_box *b, const char *text)
{
    if (b->width < 5 * CHARACTER || b->height < HEAD)
        return;
    html_begin(h, "text");
    html_attr_number(h, "x", (uint64_t)b->x + 6);
    html_attr_number(h, "y", (uint64_t)b->y + 16);
    write_cut(h, text, (size_t)((b->width - 8) / CHARACTER));
    html_end(h);
}

/* On a phone the picture is scaled down: larger letters across the outermost cells, above what is in them. */
static void write_phone_label(struct html *h, const struct analysis_tree *t, uint32_t node, const struct treemap_box *b)
{
    CLEANUP(buf_done) struct buf name = {0};

    if (b->width < 9 * CHARACTER_PHONE || b->height < 3 * HEAD)
        return;
    write_name(&name, analysis_tree_node(t, node), false);
    html_begin_class(h, "text", "phone");
    html_attr_number(h, "x", (uint64_t)b->x + 12);
    html_attr_number(h, "y", (uint64_t)(b->y + b->height / 2) + 10);
    write_cut(h, buf_text(&name), (size_t)((b->width - 20) / CHARACTER_PHONE));
    html_end(h);
}

static void write_cell(struct html *h, const struct analysis_tree *t, uint32_t node, const struct treemap_box *b)
{
    CLEANUP(buf_done) struct buf name = {0}, whole = {0};
    const json_t *n = analysis_tree_node(t, node);
    char size[TEXT_SIZE_MAX];

    write_name(&name, n, false);
    write_name(&whole, n, true);
    html_begin(h, "g");
    html_attr_number(h, "data-node", node);
    html_svg_rect(h, is_runtimes(n) ? "jdk" : "app",
                  (unsigned[]){(unsigned)b->x, (unsigned)b->y, (unsigned)(b->x + b->width) - (unsigned)b->x,
                               (unsigned)(b->y + b->height) - (unsigned)b->y});
    html_begin(h, "title");
    html_printf(h, "%s: %s (%.1f %%)", buf_text(&whole), text_format_size(t->retained[node], size),
                t->retained[0] ? (double)t->retained[node] * 100 / (double)t->retained[0] : 0.0);
    html_end(h);
    html_end(h);
    write_label(h, b, buf_text(&name));
    html_end(h);
}

/* The children inside the box of their parent. What it keeps alive beside them keeps its area: the parent's own colour.
 */
static void write_cells(struct html *h, const struct analysis_tree *t, uint32_t node, const struct treemap_box *b,
                        unsigned level)
{
    uint64_t weight[CHILDREN_MAX + 1], sum = 0;
    uint32_t at[CHILDREN_MAX + 1];
    struct treemap_box cell[CHILDREN_MAX + 1];
    size_t count = 0, rest;

    for (uint32_t i = t->first[node]; i < t->first[node + 1] && count < CHILDREN_MAX; i++) {
        at[count] = t->child[i];
        weight[count] = t->retained[t->child[i]];
        sum += weight[count++];
    }
    if (count == 0)
        return;
    for (rest = count; rest > 0 && t->retained[node] > sum && weight[rest - 1] < t->retained[node] - sum; rest--) {
        weight[rest] = weight[rest - 1];
        at[rest] = at[rest - 1];
    }
    weight[rest] = t->retained[node] > sum ? t->retained[node] - sum : 0;
    at[rest] = UINT32_MAX;
    treemap_layout(weight, count + 1, b, cell);
    for (size_t i = 0; i <= count; i++) {
        bool head = cell[i].height > 2 * HEAD && cell[i].width > 5 * CHARACTER;
        struct treemap_box inner = {cell[i].x + GAP, cell[i].y + (head ? HEAD : GAP), cell[i].width - 2 * GAP,
                                    cell[i].height - GAP - (head ? HEAD : GAP)};

        if (at[i] == UINT32_MAX || cell[i].width < CELL_MIN || cell[i].height < CELL_MIN)
            continue;
        write_cell(h, t, at[i], &cell[i]);
        if (level < LEVELS && inner.width > INNER_MIN && inner.height > INNER_MIN)
            write_cells(h, t, at[i], &inner, level + 1);
        if (level == 1)
            write_phone_label(h, t, at[i], &cell[i]);
    }
}

static void write_picture(struct html *h, const struct analysis_tree *t)
{
    html_begin_class(h, "figure", "treemap");
    html_begin(h, "svg"); /* its text keeps its proportions */
    html_attr(h, "viewBox", "0 0 1000 560");
    html_attr(h, "role", "img");
    html_attr(h, "aria-label", "What keeps how much of the heap alive, as areas; the same follows as a tree");
    write_cells(h, t, 0, &(struct treemap_box){0, 0, WIDTH, HEIGHT}, 1);
    html_end(h);
    html_begin(h, "figcaption");
    html_text(h, "Each area is what an object, or objects of a class, keeps alive; inside it what that keeps through "
                 "others. Coloured: classes that are not the JDK's.");
    html_end(h);
    html_end(h);
}

static void write_row(struct html *h, const struct analysis_tree *t, uint32_t node)
{
    CLEANUP(buf_done) struct buf name = {0};
    const json_t *n = analysis_tree_node(t, node);
    char size[TEXT_SIZE_MAX];

    write_name(&name, n, true);
    html_begin_class(h, "span", is_runtimes(n) ? "name" : "name app");
    html_text(h, buf_text(&name));
    html_end(h);
    html_begin_class(h, "span", "share");
    html_printf(h, "%s · %.1f %%", text_format_size(t->retained[node], size),
                t->retained[0] ? (double)t->retained[node] * 100 / (double)t->retained[0] : 0.0);
    html_end(h);
    html_svg_bar(h, t->retained[node], t->retained[0]);
}

static void write_branch(struct html *h, const struct analysis_tree *t, uint32_t node, unsigned level)
{
    html_begin_class(h, "ul", level == 0 ? "tree" : NULL);
    for (uint32_t i = t->first[node]; i < t->first[node + 1]; i++) {
        uint32_t child = t->child[i];
        bool branch = t->first[child] < t->first[child + 1] && level < TREE_LEVELS;
        char id[32];

        snprintf(id, sizeof(id), "n%" PRIu32, child);
        html_begin(h, "li");
        html_attr(h, "id", id);
        html_begin(h, branch ? "details" : "div");
        /* The way along the largest is open at first. */
        if (branch && i == t->first[node] && level < 3)
            html_flag(h, "open");
        if (branch)
            html_begin(h, "summary");
        write_row(h, t, child);
        if (branch) {
            html_end(h);
            write_branch(h, t, child, level + 1);
        }
        html_end(h);
        html_end(h);
    }
    html_end(h);
}

void analysis_html_tree(struct html *h, const json_t *a)
{
    CLEANUP(analysis_tree_done) struct analysis_tree t = {0};

    if (analysis_tree_read(a, &t) < 0) {
        h->failed = h->failed ? h->failed : -ENOMEM;
        return;
    }
    if (t.count < 2)
        return;
    html_begin(h, "section");
    html_element(h, "h2", NULL, "What keeps the heap alive");
    write_picture(h, &t);
    write_branch(h, &t, 0, 0);
    html_end(h);
}
