/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads options in the places where HotSpot reads them. Our options go into the place with the lowest precedence.
 */
#include "run/jvmenv.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "hotspot/jvmlaunch.h"

/* JDK 8 ignores a JAVA_TOOL_OPTIONS of this size (arguments.cpp, OPTION_BUFFER_SIZE). */
enum { JDK8_MAX = 1024 };

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

/* The command may be a shell script, or start java behind other words. */
static int read_options(char *const *argv, struct jvmopts *o)
{
    CLEANUP(strv_done) struct strv words = {0};
    struct jvmlaunch launch = {.kind = JVMLAUNCH_PARENT, .argv = argv, .variable = variable_of, .load = load_options};
    bool unread;

    while (argv[launch.argc])
        launch.argc++;
    return jvmlaunch_read(&launch, o, &words, &unread);
}

/* Appends a name as a glob: special characters are escaped, and %p becomes *. */
static int add_glob(struct buf *b, const char *name)
{
    int r = 0;

    for (; r == 0 && *name; name++) {
        if (name[0] == '%' && name[1] == 'p') {
            r = buf_add_text(b, "*");
            name++;
        } else if (name[0] == '%' && name[1] == '%') {
            r = buf_add_text(b, "%");
            name++;
        } else {
            r = strchr("*?[\\", *name) ? buf_add_text(b, "\\") : 0;
            r = r == 0 ? buf_add(b, name, 1) : r;
        }
    }
    return r;
}

static bool is_within(const char *path, const char *base)
{
    size_t length = base ? strlen(base) : 0;

    return base && strncmp(path, base, length) == 0 && (!path[length] || path[length] == '/');
}

/* folder as in the option; glob for the files in it. */
static int add_place(struct jvmenv *j, const char *folder, const char *glob, const char *base)
{
    CLEANUP_FREE char *real = realpath(folder, NULL);

    if (!real)
        return strv_add(&j->missing, folder);
    /* ErrorFile=/dev/stderr is no file to be shipped. */
    if (is_within(real, base) || is_within(real, "/dev") || is_within(real, "/proc"))
        return 0;
    return strv_printf(&j->files, "%s/%s", text_eq(real, "/") ? "" : real, glob);
}

/* The value of HeapDumpPath (which may be a folder) or ErrorFile. */
static int add_path(struct jvmenv *j, const char *path, const char *glob_in_folder, const char *base)
{
    CLEANUP(buf_done) struct buf glob = {0};
    CLEANUP_FREE char *folder = NULL;
    const char *slash = strrchr(path, '/');
    struct stat st;
    int r;

    if (!*path)
        return 0;
    if (glob_in_folder && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return add_place(j, path, glob_in_folder, base);
    folder = !slash ? strdup(".") : strndup(path, slash == path ? 1 : (size_t)(slash - path));
    if (!folder)
        return -ENOMEM;
    r = add_glob(&glob, text_base_name(path));
    return r < 0 ? r : add_place(j, folder, buf_text(&glob), base);
}

static int add_user_paths(const struct jvmopts *user, const char *base, struct jvmenv *j)
{
    int r = 0;

    if (user->heap_dump_path)
        r = add_path(j, user->heap_dump_path, "java_pid*.hprof*", base);
    if (r == 0 && user->error_file)
        r = add_path(j, user->error_file, NULL, base);
    return r;
}

/* Appends -XX:NAME=folder/rest, quoted if necessary. */
static int add_option(struct buf *b, const char *name, const char *folder, const char *rest)
{
    const char *mark = strchr(folder, '\'') ? "\"" : "'", *quote = strpbrk(folder, " \t\n\v\f\r'\"") ? mark : "";

    if (strchr(folder, '\'') && strchr(folder, '"'))
        return -EINVAL;
    return buf_printf(b, " %s-XX:%s=%s%s%s", quote, name, folder, rest, quote);
}

static int compose(const struct jvmopts *user, const char *folder, struct buf *b)
{
    int r = user->heap_dump < 0 ? buf_add_text(b, " -XX:+HeapDumpOnOutOfMemoryError") : 0;

    if (r == 0 && !user->heap_dump_path && user->heap_dump != 0)
        r = add_option(b, "HeapDumpPath", folder, "");
    if (r == 0 && !user->error_file)
        r = add_option(b, "ErrorFile", folder, "/hs_err_pid%p.log");
    /* HotSpot has it since JDK 8; OpenJ9 ignores it, as all unknown -XX options. */
    if (r == 0 && user->attach_listener < 0 && user->attach_disabled != 1)
        r = buf_add_text(b, " -XX:+StartAttachListener");
    return r;
}

/* The present value stays, in front of ours. */
static int append(struct jvmenv *j, const char *variable, const char *more)
{
    const char *old = getenv(variable);

    if (old && strlen(old) < JDK8_MAX && strlen(old) + strlen(more) >= JDK8_MAX) {
        variable = "JDK_JAVA_OPTIONS"; /* since JDK 9, without such a limit; a JDK 8 stays as it was */
        old = getenv(variable);
    }
    if (asprintf(&j->value, "%s%s", old ? old : "", old && *old ? more : more + 1) < 0) {
        j->value = NULL;
        return -ENOMEM;
    }
    j->variable = variable;
    return 0;
}

int jvmenv_make(char *const *argv, const char *base, const char *folder, struct jvmenv *ret)
{
    CLEANUP(jvmenv_done) struct jvmenv j = {0};
    CLEANUP(jvmopts_done) struct jvmopts user = JVMOPTS_NONE;
    CLEANUP(buf_done) struct buf more = {0};
    int r;

    assert(argv && (base || !folder));
    r = read_options(argv, &user);
    if (r == 0)
        r = add_user_paths(&user, base, &j);
    j.attach_disabled = user.attach_disabled == 1;
    if (r == 0 && folder)
        r = compose(&user, folder, &more);
    if (r == 0 && more.size > 0)
        r = append(&j, "JAVA_TOOL_OPTIONS", buf_text(&more));
    if (r < 0)
        return r;
    *ret = j;
    j = (struct jvmenv){0};
    return 0;
}

void jvmenv_done(struct jvmenv *j)
{
    free(j->value);
    strv_done(&j->files);
    strv_done(&j->missing);
    *j = (struct jvmenv){0};
}
