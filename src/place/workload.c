/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Random parts of names have Kubernetes' alphabet without vowels and without 0, 1 and 3
 * (k8s.io/apimachinery/pkg/util/rand): hardly a word of a person's choice fits.
 */
#include "place/workload.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
    RANDOM = 5, /* behind generateName */
    HASH_MIN = 6,
    HASH_MAX = 10, /* of a pod template: a 32-bit number in decimal, each digit one of the alphabet */
    INDEX_MAX = 5,
    MINUTES_MIN = 8,
    MINUTES_MAX = 10
};

static const char ALPHABET[] = "bcdfghjklmnpqrstvwxz2456789", DIGITS[] = "0123456789";

/* Cuts "-PART" of least to most characters of the set; false, and nothing is cut, if the name doesn't end so. */
static bool cut(char *name, const char *set, size_t least, size_t most)
{
    char *dash = strrchr(name, '-');
    size_t size = dash ? strlen(dash + 1) : 0;

    if (!dash || dash == name || size < least || size > most || strspn(dash + 1, set) != size)
        return false;
    *dash = '\0';
    return true;
}

const char *workload_of_pod(const char *pod, char out[WORKLOAD_MAX])
{
    assert(pod && out);
    snprintf(out, WORKLOAD_MAX, "%s", pod);
    if (!cut(out, ALPHABET, RANDOM, RANDOM))
        cut(out, DIGITS, 1, INDEX_MAX);
    else if (!cut(out, DIGITS, MINUTES_MIN, MINUTES_MAX) && !cut(out, DIGITS, 1, INDEX_MAX))
        cut(out, ALPHABET, HASH_MIN, HASH_MAX);
    return out;
}
