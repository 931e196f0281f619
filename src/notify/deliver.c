/* SPDX-License-Identifier: Apache-2.0
 *
 * A program is started in a process group of its own, with the notice on its standard input from a file without a name,
 * so that it need not read it. It has DELIVER_MS; then its group is killed.
 */
#include "notify/deliver.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/env.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/strv.h"
#include "base/text.h"

static int status_fault(long status)
{
    if (status == 429 || status >= 500)
        return -FAULT_BUSY;
    if (status == 401 || status == 403)
        return -FAULT_DENIED;
    return status == 404 || status == 410 ? -FAULT_NO_OBJECT : -FAULT_REFUSED;
}

static int request(const struct notify_target *t, const struct buf *body, struct http *http, struct err *e)
{
    CLEANUP(http_answer_done) struct http_answer answer = {0};
    CLEANUP_FREE char *url = NULL;
    struct http_request r = {.method = "POST", .body = body->data, .body_size = body->size, .limit_ms = DELIVER_MS};
    struct err why = {0};
    size_t size = t->form->path ? text_size_without_slashes(t->url) : strlen(t->url);
    int result;

    if (asprintf(&url, "%.*s%s", (int)size, t->url, t->form->path ? t->form->path : "") < 0)
        return err_set(e, -ENOMEM, "out of memory");
    r.url = url;
    http_add_header(&r, "Content-Type", t->form->content_type);
    if ((result = http_perform(http, &r, &answer, &why)) < 0)
        return err_set(e, result, "%s: %s", t->name, why.msg);
    if (answer.status >= 200 && answer.status < 300)
        return 0;
    result = err_set(e, status_fault(answer.status), "%s answers %ld", t->name, answer.status);
    if (e)
        e->retry_after_ms = answer.retry_after_ms;
    return result;
}

static int input_file(const struct buf *body)
{
    CLEANUP_FD int fd = memfd_create("notice", MFD_CLOEXEC);
    int r;

    if (fd < 0)
        return -errno;
    if ((r = file_write(fd, body->data, body->size)) < 0)
        return r;
    return lseek(fd, 0, SEEK_SET) < 0 ? -errno : TAKE_FD(fd);
}

static int spawn(const char *path, int input, pid_t *ret)
{
    static const char *const PASSED[] = {"PATH", "HOME", "LANG", "TZ", "SSL_CERT_FILE", "HTTPS_PROXY", "NO_PROXY"};
    CLEANUP(strv_done) struct strv environment = {0};
    char *argv[] = {NULL, NULL}, *nothing[] = {NULL};
    CLEANUP_FREE char *name = strdup(path);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none;
    int r;

    if (!(argv[0] = name))
        return -ENOMEM;
    /* Our own environment may hold the store's credentials. */
    for (size_t i = 0; i < ARRAY_SIZE(PASSED); i++)
        if (env_get(PASSED[i]) && strv_printf(&environment, "%s=%s", PASSED[i], env_get(PASSED[i])) < 0)
            return -ENOMEM;
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigmask(&attr, &none);
    r = posix_spawn(ret, path, &actions, &attr, argv, environment.item ? environment.item : nothing);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&actions);
    return -r;
}

/* Its status, or -ETIMEDOUT after it was killed. */
static int wait_for(pid_t pid)
{
    uint64_t until = clock_mono_ms() + DELIVER_MS;
    int status;

    for (;;) {
        if (waitpid(pid, &status, WNOHANG) == pid)
            return status;
        if (clock_left_ms(until) == 0)
            break;
        clock_sleep_ms(20);
    }
    kill(-pid, SIGKILL);
    waitpid(pid, &status, 0);
    return -ETIMEDOUT;
}

static int command(const struct notify_target *t, const struct buf *body, struct err *e)
{
    CLEANUP_FD int input = input_file(body);
    pid_t pid;
    int r;

    if (input < 0)
        return err_set(e, input, "%s: %s", t->name, strerror(-input));
    if ((r = spawn(t->url, input, &pid)) < 0)
        return err_set(e, r == -ENOENT || r == -EACCES ? -FAULT_REFUSED : r, "%s: %s", t->name, strerror(-r));
    r = wait_for(pid);
    if (r == -ETIMEDOUT)
        return err_set(e, -FAULT_STALLED, "%s did not end within %d s and was killed", t->name, DELIVER_MS / 1000);
    if (WIFEXITED(r) && WEXITSTATUS(r) == 0)
        return 0;
    return err_set(e, -FAULT_BUSY, "%s ended with %s %d", t->name, WIFEXITED(r) ? "status" : "signal",
                   WIFEXITED(r) ? WEXITSTATUS(r) : WTERMSIG(r));
}

int deliver(const struct notify_target *t, const struct notice *n, struct http *http, struct err *e)
{
    CLEANUP(buf_done) struct buf body = {.ceiling = (size_t)NOTICE_MAX * 2};
    int r;

    assert(t && t->form->body && n && n->id && n->sentence && (http || notify_target_is_command(t)));
    if ((r = t->form->body(n, clock_wall_ns(), &body)) < 0)
        return err_set(e, r, "out of memory");
    return notify_target_is_command(t) ? command(t, &body, e) : request(t, &body, http, e);
}
