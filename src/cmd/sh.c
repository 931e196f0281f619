/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage sh: a shell for images that have none. It is dash, linked in (cmake/dash), with two additions: our commands
 * are found in every folder of PATH, and a command that HotSpot runs at an OutOfMemoryError does not inherit the
 * options that would run it again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "hotspot/jvmlaunch.h"

/* dash's main. Does not return. */
int dash_main(int argc, char **argv);

/* dash calls these instead of execve and stat64 to find and run commands, and instead of malloc. */
int sh_execve(const char *path, char *const argv[], char *const envp[]);
int sh_stat64(const char *path, struct stat64 *ret);
void *sh_malloc(size_t size);

static const char *own_name; /* argv[0] */

/* dash 0.5.12 reads the value of an unset variable from uninitialised memory (setvar allocates room for two NULs and
 * writes one): after `unset PATH` it would look for commands in random folders. So memory is zeroed. */
void *sh_malloc(size_t size)
{
    return calloc(1, size);
}

static bool is_ours(const char *path)
{
    const char *name = text_base_name(path);
    const struct command *c = command_find(COMMANDS, name);

    return (c && c->applet) || text_eq(name, "salvage");
}

int sh_stat64(const char *path, struct stat64 *ret)
{
    if (stat64(path, ret) == 0)
        return 0;
    if ((errno != ENOENT && errno != ENOTDIR) || !is_ours(path))
        return -1;
    *ret = (struct stat64){.st_mode = S_IFREG | 0555};
    return 0;
}

/* Whether path is a file in one of the folders of PATH in envp. */
static bool is_in_path(const char *path, char *const envp[])
{
    size_t folder = (size_t)(strrchr(path, '/') - path), size;

    for (; *envp && strncmp(*envp, "PATH=", 5) != 0; envp++)
        ;
    for (const char *p = *envp ? *envp + 5 : ""; *p; p += size + (p[size] == ':')) {
        size = strcspn(p, ":");
        if (size > 0 && size == folder && memcmp(p, path, size) == 0)
            return true;
    }
    return false;
}

static bool is_program(const char *path)
{
    char magic[4] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    bool found = fd >= 0 && read(fd, magic, sizeof(magic)) == sizeof(magic) && memcmp(magic, "\177ELF", 4) == 0;

    if (fd >= 0)
        close(fd);
    return found;
}

/* Executes salvage again. Without /proc by the path we were started with: AT_EXECFN, unless that is a script of which
 * we are the interpreter, which would loop for ever; then argv[0]. */
static void exec_self(char *const argv[], char *const envp[])
{
    const char *name = (const char *)getauxval(AT_EXECFN); /* NOLINT(performance-no-int-to-ptr): the kernel's way */
    int error;

    execve("/proc/self/exe", argv, envp);
    error = errno;
    if (!name || !is_program(name))
        name = own_name;
    if (*name == '/' && is_program(name)) {
        execve(name, argv, envp);
        error = errno;
    }
    errno = error;
}

/* A path that the user typed (dash then passes argv[0] itself) means that file only, unless it is a result of `command
 * -v`. */
int sh_execve(const char *path, char *const argv[], char *const envp[])
{
    execve(path, argv, envp);
    if ((errno == ENOENT || errno == ENOTDIR) && is_ours(path) && (path != argv[0] || is_in_path(path, envp)))
        exec_self(argv, envp);
    return -1;
}

/* The CMD of `sh [OPTION]… -c CMD`; NULL if there is none. */
static const char *command_of(int argc, char **argv)
{
    bool given = false;
    int i = 1;

    for (; i < argc && (argv[i][0] == '-' || argv[i][0] == '+'); i++) {
        if (text_eq(argv[i], "--") || text_eq(argv[i], "-")) {
            i++;
            break;
        }
        given = given || (argv[i][0] == '-' && strchr(argv[i], 'c'));
        if (strchr(argv[i], 'o'))
            i++; /* the option's name */
    }
    return given && i < argc ? argv[i] : NULL;
}

/* Variables with JVM options, which children inherit. */
static const char *const VARIABLES[] = {"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"};

static const char *variable_of(void *ctx, const char *name)
{
    (void)ctx;
    return getenv(name);
}

static int load_options(void *ctx, const char *path, struct buf *ret)
{
    (void)ctx;
    return file_load(AT_FDCWD, path, ret);
}

/* Whether the variables, and the files that they name, have this command as OnOutOfMemoryError. */
static bool is_hook(const char *command)
{
    CLEANUP(jvmopts_done) struct jvmopts o = JVMOPTS_NONE;
    CLEANUP(strv_done) struct strv words = {0};
    char java[] = "java", *argv[] = {java, NULL};
    struct jvmlaunch launch = {
        .kind = JVMLAUNCH_JAVA, .argc = 1, .argv = argv, .variable = variable_of, .load = load_options};
    bool unread;

    return jvmlaunch_read(&launch, &o, &words, &unread) == 0 && o.on_out_of_memory &&
           jvmopts_is_hook(o.on_out_of_memory, command);
}

/* A handler written in Java inherits the options that started it: at its own OutOfMemoryError it would start the next
 * one. In any other shell the options are kept: it may be the one that starts the application. */
static void break_recursion(const char *command)
{
    const struct jvmlaunch launch = {.variable = variable_of, .load = load_options};

    if (!command || !is_hook(command))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(VARIABLES); i++) {
        CLEANUP_FREE char *rest =
            getenv(VARIABLES[i]) ? jvmlaunch_without(&launch, VARIABLES[i], jvmopts_is_oom) : NULL;

        /* Unset, not empty: a JVM prints "Picked up" even for an empty variable. */
        if (rest && !rest[strspn(rest, " \t\r\n")])
            unsetenv(VARIABLES[i]);
        else if (rest)
            setenv(VARIABLES[i], rest, 1);
    }
}

static int run(int argc, char **argv)
{
    own_name = argv[0];
    break_recursion(command_of(argc, argv));
    return dash_main(argc, argv);
}

const struct command CMD_SH = {
    .name = "sh",
    .args = "[-c COMMAND [NAME [ARG...]] | FILE [ARG...]]",
    .summary = "a shell, for images that have none",
    .text = "With salvage as /bin/sh in an image, everything that needs that path works: HotSpot's OnOutOfMemoryError "
            "and OnError, Docker's health checks, scripts. It is dash, the /bin/sh of Debian, with all its options and "
            "builtins; the commands `salvage` and `sleep` work without being in any folder. A command that a JVM runs "
            "at an OutOfMemoryError does not pass the options for that (in JAVA_TOOL_OPTIONS, JDK_JAVA_OPTIONS, "
            "_JAVA_OPTIONS) on to JVMs that it starts. Exit status: that of the last command; 126 or 127 if it could "
            "not be run or found; 2 for a syntax error.",
    .examples = "COPY --from=salvage /salvage /bin/sh\n"
                "    in a Dockerfile: this is the whole installation\n"
                "salvage sh -c 'salvage ship /dumps/*.hprof --to s3://evidence/prod || exit 0'\n"
                "    salvage is found without PATH\n",
    .applet = true,
    .run = run,
};
