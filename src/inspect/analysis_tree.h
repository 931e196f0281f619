/* SPDX-License-Identifier: Apache-2.0
 *
 * The nodes of an analysis' tree, checked: a parent stands before its children, so that there is no way round in
 * circles.
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

struct analysis_tree {
    const json_t *list; /* borrowed */
    uint32_t count;     /* 0: there is no tree, or not a sound one */
    /* By node, all owned. The children of node n are child[first[n]] to child[first[n + 1] - 1], those that keep most
     * alive first. */
    uint32_t *first, *child;
    uint64_t *retained;
};

/* 0 or -ENOMEM. */
int analysis_tree_read(const json_t *a, struct analysis_tree *ret);
void analysis_tree_done(struct analysis_tree *t);

const json_t *analysis_tree_node(const struct analysis_tree *t, uint32_t node);
