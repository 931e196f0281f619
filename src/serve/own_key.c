/* SPDX-License-Identifier: Apache-2.0
 *
 * A file of random bytes.
 */
#include "serve/own_key.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "serve/state_folder.h"

enum { KEY_MIN = 32, KEY_MAX = 4096 };

static const char NAME[] = "key";

static int take(unsigned char *bytes, size_t size, struct secret **ret, struct err *e)
{
    *ret = secret_new((const char *)bytes, size);
    OPENSSL_cleanse(bytes, size);
    return *ret ? 0 : err_set(e, -ENOMEM, "out of memory");
}

/* 0; -errno; -ERANGE: too small or too large; -EPERM: not ours alone. */
static int read_key(int fd, bool is_state, struct secret **ret, struct err *e)
{
    unsigned char bytes[KEY_MAX];
    struct stat st;
    ssize_t size;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode) || (is_state ? !state_is_ours(&st, true) : (st.st_mode & 007) != 0))
        return -EPERM;
    if ((size = file_read(fd, bytes, sizeof(bytes))) < 0)
        return (int)size;
    return size < KEY_MIN || size == KEY_MAX ? -ERANGE : take(bytes, (size_t)size, ret, e);
}

static const char *words(int r)
{
    return r == -ERANGE  ? "it has to have 32 bytes, and less than 4096"
           : r == -EPERM ? "it is no file, or others may use it: chmod 640"
                         : strerror(-r);
}

static int from_file(const char *path, struct secret **ret, struct err *e)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int r = fd < 0 ? -errno : read_key(fd, false, ret, e);

    return r < 0 ? err_set(e, -FAULT_CREDENTIALS, "--cookie-key %s: %s", path, words(r)) : 0;
}

static int make(struct secret **ret, int state_fd, struct err *e)
{
    unsigned char bytes[KEY_MIN];
    int r;

    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        return err_set(e, -EIO, "no random bytes");
    if (state_fd >= 0 && (r = file_replace(state_fd, NAME, bytes, sizeof(bytes), 0600)) < 0)
        return err_set(e, -FAULT_STATE, "the root's .salvage/%s: %s", NAME, strerror(-r));
    return take(bytes, sizeof(bytes), ret, e);
}

int own_key_get(const char *file, int state_fd, struct secret **ret, struct err *e)
{
    CLEANUP_FD int fd = -1;
    int r;

    assert(ret);
    if (file)
        return from_file(file, ret, e);
    if (state_fd < 0)
        return make(ret, -1, e);
    if ((fd = openat(state_fd, NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)) < 0 && errno == ENOENT)
        return make(ret, state_fd, e);
    r = fd < 0 ? -errno : read_key(fd, true, ret, e);
    return r < 0 ? err_set(e, -FAULT_STATE, "the root's .salvage/%s: %s", NAME, words(r)) : 0;
}
