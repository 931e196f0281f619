/* SPDX-License-Identifier: Apache-2.0
 *
 * A program of the user's that hands out credentials (AWS SDKs and Tools Reference Guide, "Process credential
 * provider"). It is run without a shell, in a process group of its own, which is killed as a whole at the deadline.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/commandline.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/wait.h"
#include "net/cred_ask.h"
#include "net/cred_profile.h"

enum { LIMIT_MS = 30 * 1000, WORDS_MAX = 300 };

extern char **environ;

struct program {
    pid_t pid;
    int out, err;          /* its stdout and stderr; -1 once closed */
    struct buf answer;     /* in one place only, which is wiped */
    char words[WORDS_MAX]; /* the beginning of its stderr */
    size_t words_size;
    uint64_t end_ms;
};

static void close_end(int *fd)
{
    if (*fd >= 0)
        close(TAKE_FD(*fd));
}

static void program_done(struct program *p)
{
    close_end(&p->out);
    close_end(&p->err);
    buf_wipe(&p->answer);
}

static int spawn(char *const *argv, int out, int err, pid_t *ret)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    int r = posix_spawn_file_actions_init(&files);

    if (r != 0)
        return -r;
    if ((r = posix_spawnattr_init(&attributes)) != 0) {
        posix_spawn_file_actions_destroy(&files);
        return -r;
    }
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    if ((r = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0)) == 0 &&
        (r = posix_spawn_file_actions_adddup2(&files, out, 1)) == 0 &&
        (r = posix_spawn_file_actions_adddup2(&files, err, 2)) == 0)
        r = posix_spawnp(ret, argv[0], &files, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return -r;
}

static int start(char *const *argv, struct program *p, struct err *e)
{
    int out[2] = {-1, -1}, err[2] = {-1, -1}, r = 0;

    if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
        r = -errno;
    p->out = out[0];
    p->err = err[0];
    if (r == 0)
        r = spawn(argv, out[1], err[1], &p->pid);
    close_end(&out[1]);
    close_end(&err[1]);
    return r < 0 ? err_set(e, r == -EMFILE || r == -ENFILE || r == -EAGAIN || r == -ENOMEM ? r : -FAULT_CREDENTIALS,
                           "'%.200s' cannot be run: %s", argv[0], strerror(-r))
                 : 0;
}

/* Drops what does not fit. */
static void read_words(struct program *p)
{
    char chunk[512];
    ssize_t n = read(p->err, chunk, sizeof(chunk));
    size_t room = sizeof(p->words) - 1 - p->words_size;

    if (n <= 0) {
        close_end(&p->err);
        return;
    }
    if ((size_t)n < room)
        room = (size_t)n;
    memcpy(p->words + p->words_size, chunk, room);
    p->words_size += room;
}

static int read_answer(struct program *p, struct err *e)
{
    ssize_t n = read(p->out, p->answer.data + p->answer.size, p->answer.capacity - p->answer.size);

    if (n <= 0) {
        close_end(&p->out);
        return 0;
    }
    p->answer.size += (size_t)n;
    return p->answer.size < p->answer.capacity
               ? 0
               : err_set(e, -FAULT_CREDENTIALS, "it says more than %d KiB", CREDANSWER_MAX / 1024);
}

static int late(struct err *e)
{
    return err_set(e, -FAULT_CREDENTIALS, "it has not ended within %d s", LIMIT_MS / 1000);
}

static int listen_to(struct program *p, struct err *e)
{
    int r;

    while (p->out >= 0 || p->err >= 0) {
        struct pollfd fds[] = {{.fd = p->out, .events = POLLIN}, {.fd = p->err, .events = POLLIN}};

        if (wait_ready(fds, 2, p->end_ms) <= 0)
            return late(e);
        if (fds[1].revents)
            read_words(p);
        if (fds[0].revents && (r = read_answer(p, e)) < 0)
            return r;
    }
    return 0;
}

/* Its wait status; -FAULT_CREDENTIALS if it does not end in time. */
static int wait_for_end(const struct program *p, struct err *e)
{
    int r = wait_child_until(p->pid, p->end_ms);

    if (r == -ETIMEDOUT)
        return late(e);
    return r < 0 ? err_set(e, -FAULT_CREDENTIALS, "its end was lost: %s", strerror(-r)) : r;
}

static int run(char *const *argv, struct program *p, struct err *e)
{
    char words[WORDS_MAX];
    int status, r = start(argv, p, e);

    if (r < 0)
        return r;
    p->end_ms = clock_mono_ms() + LIMIT_MS;
    if ((r = listen_to(p, e)) < 0 || (r = wait_for_end(p, e)) < 0) {
        kill(-p->pid, SIGKILL);
        wait_child(p->pid);
        return r;
    }
    status = r;
    while (p->words_size > 0 && strchr(" \r\n", p->words[p->words_size - 1]))
        p->words[--p->words_size] = '\0';
    if (status != 0)
        return err_set(e, -FAULT_CREDENTIALS, "'%.200s' ended with %s %d%s%s", argv[0],
                       WIFSIGNALED(status) ? "signal" : "exit code",
                       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), p->words_size > 0 ? ": " : "",
                       text_printable(p->words, words, sizeof(words)));
    return 0;
}

int cred_process_run(const char *command, const char *source, struct credentials *ret, struct err *e)
{
    CLEANUP(strv_done) struct strv argv = {0};
    CLEANUP(credanswer_done) struct credanswer keys = {0};
    CLEANUP(program_done) struct program p = {.out = -1, .err = -1};
    int r = commandline_split(command, &argv);

    if (r == -EINVAL || (r == 0 && argv.count == 0))
        return err_set(e, -FAULT_CREDENTIALS, "it is no command line: a quote is missing");
    if (r < 0 || !(p.answer.data = calloc(1, CREDANSWER_MAX)))
        return err_set(e, -ENOMEM, "out of memory");
    p.answer.capacity = CREDANSWER_MAX;
    if ((r = run(argv.item, &p, e)) < 0)
        return r;
    r = credanswer_parse_process(p.answer.data, p.answer.size, &keys);
    if (r < 0)
        return r == -ENOMEM ? err_set(e, r, "out of memory")
                            : err_set(e, -FAULT_CREDENTIALS,
                                      "'%.200s' did not answer with JSON of \"Version\": 1, AccessKeyId, "
                                      "SecretAccessKey and, if any, a SessionToken and a whole Expiration",
                                      argv.item[0]);
    if ((r = cred_make(&(struct cred_parts){keys.access_key, keys.secret_key, keys.token}, "its answer", ret, e)) < 0)
        return r;
    ret->expires_ns = keys.expires_ns;
    ret->source = source;
    ret->notable = true;
    return 0;
}
