/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the environment and a few files below root. Values come from the pod's spec and are untrusted: one with control
 * characters counts as unknown, and '/' in the parts of a place is replaced.
 */
#include "place/whoami.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/utsname.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "linux/proc.h"
#include "place/pod_logs.h"
#include "place/pod_of_process.h"

enum { FACT_MAX = 4096 }; /* bytes of a file with one value */

static const char NAMESPACE_FILE[] = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

static bool is_clean(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return false;
    return true;
}

/* Where to read: our environment and root, or another process's. */
struct source {
    const char *root;
    const struct proc *proc;
    const struct proc_words *variables;
};

/* The value of a variable; NULL if it is not set, or empty. */
static const char *variable(const struct source *s, const char *name)
{
    const char *value = s->proc ? proc_variable(s->variables, name) : env_get(name);

    return value && *value ? value : NULL;
}

/* The value of SALVAGE_name, else of name; *ret stays NULL if neither is set. 0 or -ENOMEM. */
static int from_environment(const struct source *s, const char *name, char **ret)
{
    char own[64];
    const char *value;

    snprintf(own, sizeof(own), "SALVAGE_%s", name);
    if (!(value = variable(s, own)))
        value = variable(s, name);
    if (!value || !is_clean(value))
        return 0;
    *ret = strdup(value);
    return *ret ? 0 : -ENOMEM;
}

static int load(const struct source *s, const char *path, struct buf *ret)
{
    CLEANUP_FD int fd = s->proc ? proc_openat(s->proc, path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0)
                                : open(s->root, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return s->proc ? fd : -errno;
    return s->proc ? file_load_fd(fd, ret) : file_load(fd, path + 1, ret);
}

/* Whether the error is temporary: then the value must not count as unknown, or a retry of the same dump would get
 * another place and key. */
static bool is_transient(int result)
{
    static const int errors[] = {ENOMEM, EMFILE, ENFILE, EINTR, EAGAIN, EIO, ESTALE, ETIMEDOUT};

    for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
        if (result == -errors[i])
            return true;
    return false;
}

/* The first word of a file; *ret stays NULL if there is none. 0, -ENOMEM or a temporary error. */
static int from_file(const struct source *s, const char *path, char **ret)
{
    CLEANUP(buf_done) struct buf b = {.ceiling = FACT_MAX};
    int r = load(s, path, &b);

    if (r < 0)
        return is_transient(r) ? r : 0;

    const char *text = buf_text(&b);
    text += strspn(text, " \t\r\n");
    size_t size = strcspn(text, " \t\r\n");
    if (size == 0)
        return 0;
    char *line = strndup(text, size);
    if (!line)
        return -ENOMEM;
    if (!is_clean(line)) {
        free(line);
        return 0;
    }
    *ret = line;
    return 0;
}

/* The kernel shows a host name only within its UTS namespace; runtimes also write it into a file of the container. */
static int find_host(const struct source *s, char **ret)
{
    bool ours = s->proc ? proc_shares(s->proc, "ns/uts") : text_eq(s->root, "/");
    struct utsname u;
    int r;

    if (!ours) {
        r = from_file(s, "/etc/hostname", ret);
        if (r == 0 && !*ret && s->proc)
            r = from_environment(s, "HOSTNAME", ret);
        if (r < 0 || *ret)
            return r;
    } else if (uname(&u) == 0 && *u.nodename && is_clean(u.nodename)) {
        *ret = strdup(u.nodename);
        return *ret ? 0 : -ENOMEM;
    }
    *ret = strdup("localhost");
    return *ret ? 0 : -ENOMEM;
}

/* From values that need no file, and are the same in all containers of a pod: a retry must get the same id. Not
 * /etc/machine-id: it may be the image's, empty or missing, and can't be read while descriptors are short. */
static int find_machine(struct whoami *w)
{
    w->machine = strdup(w->node ? w->node : w->host);
    return w->machine ? 0 : -ENOMEM;
}

/* Makes a text one segment of a place: not "..", not hidden, without '/'. */
static void sanitize_segment(char *segment)
{
    if (*segment == '.')
        *segment = '_';
    for (; *segment; segment++)
        if (*segment == '/')
            *segment = '_';
}

static int find_place(struct whoami *w)
{
    CLEANUP_FREE char *first = strdup(w->namespace ? w->namespace : "host");
    CLEANUP_FREE char *second = strdup(w->namespace && w->pod ? w->pod : w->host);

    if (!first || !second)
        return -ENOMEM;
    sanitize_segment(first);
    sanitize_segment(second);
    if (asprintf(&w->place, "%s/%s", first, second) < 0) {
        w->place = NULL;
        return -ENOMEM;
    }
    return 0;
}

/* All but the machine and the place. */
static int find_names(const struct source *s, struct whoami *w)
{
    const struct {
        const char *name;
        char **value;
    } variables[] = {
        {"POD_NAMESPACE", &w->namespace},  {"POD_NAME", &w->pod},
        {"POD_UID", &w->pod_uid},          {"NODE_NAME", &w->node},
        {"CONTAINER_NAME", &w->container}, {"CONTAINER_IMAGE", &w->image},
    };
    int r;

    for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
        if ((r = from_environment(s, variables[i].name, variables[i].value)) < 0)
            return r;
    if (!w->namespace && (r = from_file(s, NAMESPACE_FILE, &w->namespace)) < 0)
        return r;
    return find_host(s, &w->host);
}

int whoami_get(const char *root, struct whoami *ret, struct err *e)
{
    CLEANUP(whoami_done) struct whoami w = {0};
    const struct source s = {.root = root};
    int r;

    if ((r = find_names(&s, &w)) < 0 || (r = find_machine(&w)) < 0 || (r = find_place(&w)) < 0)
        return err_set(e, r, "cannot find out in which pod or host this is: %s", strerror(-r));
    *ret = w;
    w = (struct whoami){0};
    return 0;
}

int whoami_of_process(const struct proc *p, struct whoami *ret)
{
    CLEANUP(whoami_done) struct whoami w = {0};
    CLEANUP(proc_words_done) struct proc_words variables = {0};
    const struct source s = {.proc = p, .variables = &variables};
    int r = proc_words(p, "environ", &variables);

    if (r < 0 || (r = find_names(&s, &w)) < 0)
        return r;
    if ((r = pod_of_process(pod_logs_folder(), p->fd, &w)) == -ENOMEM)
        return r;
    w.by_kubelet = r == 0;
    /* The host name of a pod's containers is the pod's name; with hostNetwork it is the node's. */
    if (!w.pod && (w.namespace || variable(&s, "KUBERNETES_SERVICE_HOST")) && !text_eq(w.host, w.node) &&
        (env_get("KUBERNETES_SERVICE_HOST") || !proc_shares(p, "ns/uts")) && !(w.pod = strdup(w.host)))
        return -ENOMEM;
    if ((r = find_place(&w)) < 0)
        return r;
    *ret = w;
    w = (struct whoami){0};
    return 0;
}

bool whoami_on_ec2(const char *root)
{
    static const struct {
        const char *path, *begins; /* in any case of letters */
    } signs[] = {
        {"sys/class/dmi/id/board_asset_tag", "i-"},    /* Nitro: the instance's id */
        {"sys/class/dmi/id/sys_vendor", "Amazon EC2"}, /* Nitro */
        {"sys/hypervisor/uuid", "ec2"},                /* Xen */
        {"sys/class/dmi/id/product_uuid", "ec2"},      /* Xen; for root only */
    };
    CLEANUP_FD int dirfd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

    for (size_t i = 0; dirfd >= 0 && i < ARRAY_SIZE(signs); i++) {
        CLEANUP(buf_done) struct buf b = {.ceiling = FACT_MAX};

        if (file_load(dirfd, signs[i].path, &b) == 0 &&
            strncasecmp(buf_text(&b), signs[i].begins, strlen(signs[i].begins)) == 0)
            return true;
    }
    return false;
}

static int copy(const char *text, char **ret)
{
    if (!text || !*text)
        return 0;
    *ret = strdup(text);
    return *ret ? 0 : -ENOMEM;
}

int whoami_for(const struct whoami *self, const struct whoami *names, struct whoami *ret)
{
    const char *host = names->host ? names->host : self->node ? self->node : self->host;
    CLEANUP(whoami_done) struct whoami w = {0};

    if (copy(names->namespace, &w.namespace) < 0 || copy(names->pod, &w.pod) < 0 ||
        copy(names->pod_uid, &w.pod_uid) < 0 || copy(names->container, &w.container) < 0 ||
        copy(names->image, &w.image) < 0 || copy(self->node, &w.node) < 0 || copy(self->machine, &w.machine) < 0 ||
        !(w.host = strdup(host)) || find_place(&w) < 0)
        return -ENOMEM;
    *ret = w;
    w = (struct whoami){0};
    return 0;
}

void whoami_done(struct whoami *w)
{
    free(w->namespace);
    free(w->pod);
    free(w->pod_uid);
    free(w->node);
    free(w->container);
    free(w->image);
    free(w->host);
    free(w->place);
    free(w->machine);
    *w = (struct whoami){0};
}
