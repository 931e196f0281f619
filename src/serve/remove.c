/* SPDX-License-Identifier: Apache-2.0
 *
 * DELETE of an object. Its manifest goes first: what is left if we die in between is an object without one, and not a
 * manifest that promises what is gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "serve/answer_store.h"
#include "serve/root.h"
#include "serve/route.h"
#include "ship/manifest.h"

/* The folder of the object, and its name in it. -ENOENT also for what is hidden. */
static int open_parent(const struct request *r, const char **ret_name)
{
    const char *name = text_base_name(r->key);
    CLEANUP_FREE char *above = strndup(r->key, (size_t)(name - r->key));

    if (!above)
        return -ENOMEM;
    if (root_hides(r->key))
        return -ENOENT;
    *ret_name = name;
    return root_open(r->serve->root_fd, above, O_RDONLY | O_DIRECTORY);
}

static int remove_both(int folder, const char *name)
{
    CLEANUP(buf_done) struct buf manifest = {0};
    struct stat st;

    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EISDIR;
    if (buf_printf(&manifest, "%s" MANIFEST_SUFFIX, name) < 0)
        return -ENOMEM;
    if (unlinkat(folder, buf_text(&manifest), 0) < 0 && errno != ENOENT && errno != ENAMETOOLONG && errno != EISDIR)
        return -errno;
    return unlinkat(folder, name, 0) < 0 ? -errno : file_fsync_folder(folder);
}

/* A folder that its last object has left goes, too, and so do those above it. */
static void remove_empty_folders(const struct request *r)
{
    CLEANUP_FREE char *above = strdup(r->key);
    CLEANUP_FD int root = root_open(r->serve->root_fd, "", O_RDONLY | O_DIRECTORY);

    for (char *slash; above && root >= 0 && (slash = strrchr(above, '/'));) {
        CLEANUP_FD int parent = -1;
        const char *name;

        *slash = '\0';
        name = text_base_name(above);
        CLEANUP_FREE char *upper = strndup(above, (size_t)(name - above));
        parent = upper ? root_open(r->serve->root_fd, upper, O_RDONLY | O_DIRECTORY) : -1;
        if (parent < 0 || unlinkat(parent, name, AT_REMOVEDIR) < 0)
            break;
    }
}

void remove_object(struct request *r)
{
    CLEANUP_FD int folder = -1;
    const char *name;
    int result;

    if (!request_may(r, RIGHT_DELETE))
        return;
    if (r->serve->root_fd < 0) {
        exchange_answer_text(r->exchange, 501, "this server does not delete");
        return;
    }
    folder = open_parent(r, &name);
    result = folder < 0 ? folder : remove_both(folder, name);
    if (result == 0) {
        answers_remove(r->serve, r->key);
        remove_empty_folders(r);
        serve_removed(r->serve, r->key);
        exchange_answer(r->exchange, 204, "", 0);
    } else if (result == -ENOENT || result == -ENOTDIR || result == -ELOOP || result == -EISDIR) {
        exchange_answer_text(r->exchange, 404, "not found");
    } else {
        exchange_answer_text(r->exchange, 500, "it cannot be removed: %s", strerror(-result));
    }
}
