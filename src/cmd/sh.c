/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage sh: a shell for images that have none. It is dash, linked in (cmake/dash); ours is what is around it: our own
 * commands are found in every folder of PATH, and a command that HotSpot runs because its memory is used up is rid of
 * the options that would make it do the same again.
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

/* What dash calls in the place of execve and stat64 where it looks for a command and where it runs it, and of malloc.
 */
int sh_execve(const char *path, char *const argv[], char *const envp[]);
int sh_stat64(const char *path, struct stat64 *ret);
void *sh_malloc(size_t size);

static const char *own_name; /* argv[0] */

/* dash 0.5.12 takes what lies behind the name of an unset variable for its value (setvar writes one NUL, and allocates
 * room for two): after `unset PATH` it would look for commands in whatever was left there. */
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

/* Whether path is a file in one of the folders of the PATH that a command is given. */
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

/* Where there is no /proc: by the name that we were started by. The kernel's word for that is the script, if we are its
 * interpreter: it would start itself, and again, for ever. Our own word for it is the interpreter then. */
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

/* A path that the user has written out (dash passes argv[0] itself then) means that very file, unless it is what
 * `command -v` has said. */
int sh_execve(const char *path, char *const argv[], char *const envp[])
{
    execve(path, argv, envp);
    if ((errno == ENOENT || errno == ENOTDIR) && is_ours(path) && (path != argv[0] || is_in_path(path, envp)))
        exec_self(argv, envp);
    return -1;
}

/* The CMD of `sh [OPTION]… -c CMD`; NULL without. */
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

/* Where a JVM takes options from that its children inherit. */
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

/* Whether a JVM that has read the variables, and the files that they name, runs this command. */
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

/* A handler that is written in Java inherits the options that started it: out of memory itself, it would start the
 * next. Any other shell leaves them alone: it may well be what starts the application. */
static void break_recursion(const char *command)
{
    const struct jvmlaunch launch = {.variable = variable_of, .load = load_options};

    if (!command || !is_hook(command))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(VARIABLES); i++) {
        CLEANUP_FREE char *rest =
            getenv(VARIABLES[i]) ? jvmlaunch_without(&launch, VARIABLES[i], jvmopts_is_oom) : NULL;

        /* A JVM prints the options that it picks up, even if there are none. */
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
    .text =
        "Put salvage into an image as /bin/sh, and what is hard-wired to that name works: HotSpot's OnOutOfMemoryError "
        "and OnError, Docker's health checks, scripts. It is dash, the /bin/sh of Debian, with all its options and "
        "builtins; `salvage` and `sleep` are there without being in any folder. A command that a JVM runs because "
        "it is out of memory does not hand on the options for that (in JAVA_TOOL_OPTIONS, JDK_JAVA_OPTIONS, "
        "_JAVA_OPTIONS) to JVMs that it starts. Exit status: the last command's; 126 and 127 if it could not be "
        "run or found; 2 for what is no shell language.",
    .examples = "COPY --from=salvage /salvage /bin/sh\n"
                "    in a Dockerfile: the whole installation\n"
                "salvage sh -c 'salvage ship /dumps/*.hprof --to s3://evidence/prod || exit 0'\n"
                "    commands of salvage are builtins\n",
    .applet = true,
    .run = run,
};
