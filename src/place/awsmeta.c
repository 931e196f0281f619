/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON of AWS's metadata services. The names of task, cluster and region are cut out of ARNs (IAM User Guide, "Amazon
 * Resource Names": arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE).
 */
#include "place/awsmeta.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

static int load(const char *json, size_t size, json_t **ret)
{
    json_error_t error;
    json_t *root;

    if (size > AWSMETA_MAX)
        return -EBADMSG;
    root = json_loadb(json ? json : "", size, 0, &error);
    if (!root)
        return json_error_code(&error) == json_error_out_of_memory ? -ENOMEM : -EBADMSG;
    if (!json_is_object(root)) {
        json_decref(root);
        return -EBADMSG;
    }
    *ret = root;
    return 0;
}

static const char *get(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name)); /* NULL if it is not a string */
}

/* The text of an ARN from field i on, counted from 0; NULL if it has fewer fields. */
static const char *arn_field(const char *arn, unsigned i)
{
    if (!arn || !text_starts(arn, "arn:"))
        return NULL;
    for (; i > 0 && arn; i--)
        arn = (arn = strchr(arn, ':')) ? arn + 1 : NULL;
    return arn;
}

static int set_region(const char *arn, struct facts *f)
{
    const char *region = arn_field(arn, 3);
    CLEANUP_FREE char *text = NULL;

    if (!region || !arn_field(arn, 5))
        return 0;
    if (!(text = strndup(region, strcspn(region, ":"))))
        return -ENOMEM;
    return facts_set(&f->region, text);
}

/* "task/CLUSTER/ID", before 2018 "task/ID": the ID. */
static int set_task(const char *arn, struct facts *f)
{
    const char *resource = arn_field(arn, 5);

    if (!resource || !text_starts(resource, "task/"))
        return 0;
    if (facts_set(&f->task, strrchr(resource, '/') + 1) < 0)
        return -ENOMEM;
    return set_region(arn, f);
}

/* An ARN on Fargate, a short name on EC2. */
static int set_cluster(const char *name, struct facts *f)
{
    const char *resource = arn_field(name, 5);

    if (resource && text_starts(resource, "cluster/"))
        name = resource + strlen("cluster/");
    return facts_set(&f->cluster, name);
}

int awsmeta_parse_container(const char *json, size_t size, struct facts *ret)
{
    CLEANUP(facts_done) struct facts f = {0};
    json_auto_t *root = NULL;
    const json_t *labels;
    int r = load(json, size, &root);

    if (r < 0)
        return r;
    labels = json_object_get(root, "Labels");
    if (facts_set(&f.container, get(root, "Name")) < 0 || facts_set(&f.container_id, get(root, "DockerId")) < 0 ||
        facts_set(&f.image, get(root, "Image")) < 0 || facts_set(&f.image_digest, get(root, "ImageID")) < 0 ||
        set_cluster(get(labels, "com.amazonaws.ecs.cluster"), &f) < 0 ||
        facts_set(&f.family, get(labels, "com.amazonaws.ecs.task-definition-family")) < 0 ||
        facts_set(&f.revision, get(labels, "com.amazonaws.ecs.task-definition-version")) < 0 ||
        set_task(get(labels, "com.amazonaws.ecs.task-arn"), &f) < 0)
        return -ENOMEM;
    *ret = f;
    f = (struct facts){0};
    return 0;
}

int awsmeta_parse_task(const char *json, size_t size, struct facts *ret)
{
    CLEANUP(facts_done) struct facts f = {0};
    json_auto_t *root = NULL;
    int r = load(json, size, &root);

    if (r < 0)
        return r;
    if (set_cluster(get(root, "Cluster"), &f) < 0 || facts_set(&f.family, get(root, "Family")) < 0 ||
        facts_set(&f.revision, get(root, "Revision")) < 0 || set_task(get(root, "TaskARN"), &f) < 0 ||
        facts_set(&f.launch_type, get(root, "LaunchType")) < 0 || facts_set(&f.zone, get(root, "AvailabilityZone")) < 0)
        return -ENOMEM;
    *ret = f;
    f = (struct facts){0};
    return 0;
}

int awsmeta_parse_instance(const char *json, size_t size, struct facts *ret)
{
    CLEANUP(facts_done) struct facts f = {0};
    json_auto_t *root = NULL;
    int r = load(json, size, &root);

    if (r < 0)
        return r;
    if (facts_set(&f.instance, get(root, "instanceId")) < 0 ||
        facts_set(&f.instance_type, get(root, "instanceType")) < 0 || facts_set(&f.region, get(root, "region")) < 0 ||
        facts_set(&f.zone, get(root, "availabilityZone")) < 0)
        return -ENOMEM;
    *ret = f;
    f = (struct facts){0};
    return 0;
}
