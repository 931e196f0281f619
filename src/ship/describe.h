/* SPDX-License-Identifier: Apache-2.0
 *
 * The key of a piece of evidence, from the template, and its manifest. Our own names (place/whoami.h) go before those
 * that services gave us (place/facts.h). Pure.
 */
#pragma once

#include "codec/codec.h"
#include "place/facts.h"
#include "place/origin.h"
#include "place/whoami.h"
#include "ship/claim.h"
#include "ship/manifest.h"

/* The owner: "NAMESPACE/POD", "ecs/CLUSTER/FAMILY/TASK" or "host/HOSTNAME", no part of it hidden, ".." or two.
 * malloc'ed; NULL without memory. */
char *describe_place(const struct whoami *who, const struct facts *facts);

/* Why it was made: given by the claim's maker, else by the evidence itself, else the claim's guess. Borrowed. */
const char *describe_cause(const struct claim *c, const struct origin *o);

/* One piece of evidence, as far as it is known; all borrowed. */
struct described {
    const struct claim *claim;
    const struct origin *origin; /* what the evidence says itself */
    const struct whoami *who;
    const struct facts *facts;
    const struct codec *codec;
};

/* malloc'ed; NULL without memory. */
char *describe_key(const char *template, const struct described *d);

/* The part of the manifest that is known before shipping; sizes, digests and the like are the job's. 0 or -ENOMEM. */
int describe_manifest(const struct described *d, const char *key, struct manifest *ret);

const char *describe_content_type(const struct codec *codec);
