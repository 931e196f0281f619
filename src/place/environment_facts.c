/* SPDX-License-Identifier: Apache-2.0
 *
 * Which services to ask, and where a claim stores the answers.
 */
#include "place/environment_facts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/env.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/imds.h"
#include "place/container.h"
#include "place/metadata.h"

enum { URL_MAX = 512 };

static const char NAME[] = "facts"; /* in the claim's folder */

static int find_container(const char *root, struct facts *f)
{
    CLEANUP_FD int rootfd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    CLEANUP_FD int self = rootfd < 0 ? -1 : openat(rootfd, "proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
    char id[CONTAINERID_MAX];

    return self >= 0 && container_of_process(self, id) ? facts_set(&f->container_id, id) : 0;
}

/* A pod on EC2 is identified by its name, not by its node; a Fargate task runs on no EC2 instance of its owner. */
static const char *find_ec2(const char *root, const struct whoami *who)
{
    if (who->namespace || env_get("KUBERNETES_SERVICE_HOST") || imds_disabled() ||
        text_eq(env_get("AWS_EXECUTION_ENV"), "AWS_ECS_FARGATE"))
        return NULL;
    return imds_given() || whoami_on_ec2(root) ? imds_url() : NULL;
}

static const char *find_ecs(void)
{
    const char *url = env_get("ECS_CONTAINER_METADATA_URI_V4");

    return url ? url : env_get("ECS_CONTAINER_METADATA_URI");
}

/* The URL without trailing '/'; NULL if it is not an HTTP URL. */
static const char *trim(const char *url, char out[URL_MAX])
{
    size_t size = url ? strnlen(url, URL_MAX) : 0;

    if (size == 0 || size == URL_MAX || (!text_starts(url, "http://") && !text_starts(url, "https://")))
        return NULL;
    while (url[size - 1] == '/')
        size--;
    memcpy(out, url, size);
    out[size] = '\0';
    return out;
}

int environment_facts_get(const char *root, const struct whoami *who, struct facts *ret)
{
    CLEANUP(facts_done) struct facts f = {0};
    char ecs[URL_MAX], ec2[URL_MAX];
    const struct metadata_places places = {.ecs = trim(find_ecs(), ecs), .ec2 = trim(find_ec2(root, who), ec2) != NULL};

    f.asked = places.ecs || places.ec2;
    if (find_container(root, &f) < 0 || (f.asked && metadata_ask(&places, &f) < 0))
        return -ENOMEM;
    *ret = f;
    f = (struct facts){0};
    return 0;
}

static bool is_empty(const struct facts *f)
{
    for (const struct fact_field *field = FACT_FIELDS; field->name; field++)
        if (*(char *const *)((const char *)f + field->offset))
            return false;
    return !f->asked;
}

static void save(int claim_dir, const struct facts *f)
{
    CLEANUP(buf_done) struct buf text = {0};
    CLEANUP_FD int fd = -1;

    if (is_empty(f) || facts_encode(f, &text) < 0)
        return;
    unlinkat(claim_dir, NAME, 0); /* truncated, or made by another process */
    fd = openat(claim_dir, NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0 && file_write(fd, text.data, text.size) == 0 && f->asked)
        fdatasync(fd); /* as durable as the journal, whose key it determines */
}

int environment_facts_of_claim(int claim_dir, const struct facts *given, struct facts *ret)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = FACTS_MAX};
    int r;

    if (claim_dir >= 0 && file_load(claim_dir, NAME, &text) == 0) {
        r = facts_decode(buf_text(&text), text.size, ret);
        if (r != -EBADMSG) /* truncated: nothing was sent yet */
            return r;
    }
    if ((r = facts_copy(given, ret)) == 0 && claim_dir >= 0)
        save(claim_dir, ret);
    return r;
}
