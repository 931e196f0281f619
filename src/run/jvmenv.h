/* SPDX-License-Identifier: Apache-2.0
 *
 * What a JVM that is started with a command line and our environment must be told so that it dumps where we look: only
 * what neither of them says. And where it dumps otherwise, by the user's own word. Changes nothing by itself.
 */
#pragma once

#include <stdbool.h>

#include "base/strv.h"

struct jvmenv {
    const char *variable; /* JAVA_TOOL_OPTIONS; NULL: all is said already */
    char *value;          /* all of its new value */
    struct strv files;    /* FOLDER/GLOB of what the user's own options name, outside of base; the folders are there */
    bool attach_disabled; /* they say -XX:+DisableAttachMechanism */
    struct strv missing;  /* folders that they name and that are not there */
};

/* argv: the application's command line. folder: absolute, made, in base; both NULL: nothing is to be told. 0, -ENOMEM,
 * or -EINVAL if the folder's name can't be said in a variable (both sorts of quotes in it). */
int jvmenv_make(char *const *argv, const char *base, const char *folder, struct jvmenv *ret);
void jvmenv_done(struct jvmenv *j);
