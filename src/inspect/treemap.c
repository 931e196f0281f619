/* SPDX-License-Identifier: Apache-2.0
 *
 * Row by row along the shorter side of what is left: a weight joins the row as long as that makes the row's worst
 * rectangle no narrower.
 */
#include "inspect/treemap.h"

#include <assert.h>

/* How far from a square: 1 for one. */
static double ratio(double a, double b)
{
    return a > b ? a / b : b / a;
}

/* The worst rectangle of a row that holds `sum` of area along `side`. */
static double worst(double largest, double least, double sum, double side)
{
    double depth = sum / side;

    return ratio(largest / depth, depth) > ratio(least / depth, depth) ? ratio(largest / depth, depth)
                                                                       : ratio(least / depth, depth);
}

/* Places row[count] along the shorter side of *left, and takes them off it. */
static void place(const uint64_t *weight, size_t count, double scale, struct treemap_box *left, struct treemap_box *out)
{
    double sum = 0, at = 0, depth;
    int upright = left->width >= left->height; /* a column at the left */
    double side = upright ? left->height : left->width;

    for (size_t i = 0; i < count; i++)
        sum += (double)weight[i] * scale;
    depth = side > 0 ? sum / side : 0;
    for (size_t i = 0; i < count; i++) {
        double length = depth > 0 ? (double)weight[i] * scale / depth : 0;

        out[i] = upright ? (struct treemap_box){left->x, left->y + at, depth, length}
                         : (struct treemap_box){left->x + at, left->y, length, depth};
        at += length;
    }
    if (upright) {
        left->x += depth;
        left->width -= depth;
    } else {
        left->y += depth;
        left->height -= depth;
    }
}

/* How many of the weights make the next row. */
static size_t row_length(const uint64_t *weight, size_t count, double scale, double side)
{
    double sum = (double)weight[0] * scale, best = worst(sum, sum, sum, side);
    size_t n = 1;

    for (; n < count && weight[n] > 0; n++) {
        double area = (double)weight[n] * scale, next = worst((double)weight[0] * scale, area, sum + area, side);

        if (next > best)
            break;
        sum += area;
        best = next;
    }
    return n;
}

void treemap_layout(const uint64_t *weight, size_t count, const struct treemap_box *box, struct treemap_box *out)
{
    struct treemap_box left = *box;
    double total = 0, scale;
    size_t i = 0;

    assert(box && (count == 0 || (weight && out)));
    for (size_t n = 0; n < count; n++) {
        out[n] = (struct treemap_box){box->x, box->y, 0, 0};
        total += (double)weight[n];
    }
    if (!(total > 0) || !(box->width > 0) || !(box->height > 0))
        return;
    scale = box->width * box->height / total;
    while (i < count && weight[i] > 0 && left.width > 0 && left.height > 0) {
        size_t n = row_length(weight + i, count - i, scale, left.width < left.height ? left.width : left.height);

        place(weight + i, n, scale, &left, out + i);
        i += n;
    }
}
