/* SPDX-License-Identifier: Apache-2.0
 *
 * The key of a piece of evidence, from the template, and its manifest. Our own names (place/whoami.h) take precedence
 * over those that services report (place/facts.h). Pure.
 */
#pragma once

#include "codec/codec.h"
#include "place/facts.h"
#include "place/origin.h"
#include "place/whoami.h"
#include "ship/claim.h"
#include "ship/manifest.h"

/* The place: "NAMESPACE/POD", "ecs/CLUSTER/FAMILY/TASK" or "host/HOSTNAME"; no segment is hidden, "..", or contains
 * '/'. malloc'ed; NULL without memory. */
char *describe_place(const struct whoami *who, const struct facts *facts);

/* The cause: the one that the claim was given, else the evidence's own, else the claim's guess. Borrowed. */
const char *describe_cause(const struct claim *c, const struct origin *o);

/* One piece of evidence; all borrowed. */
struct described {
    const struct claim *claim;
    const struct origin *origin; /* from the evidence itself */
    const struct whoami *who;
    const struct facts *facts;
    const struct codec *codec;
};

/* malloc'ed; NULL without memory. */
char *describe_key(const char *template, const struct described *d);

/* The fields of the manifest that are known before shipping; the job adds sizes, digests and times. 0 or -ENOMEM. */
int describe_manifest(const struct described *d, const char *key, struct manifest *ret);

const char *describe_content_type(const struct codec *codec);
