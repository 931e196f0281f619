/* SPDX-License-Identifier: Apache-2.0
 *
 * The libraries that this program was linked with. cmake/components.cmake generates the table when the build is
 * configured, and the SBOM (salvage.spdx.json) from the same data.
 */
#pragma once

struct component {
    const char *name;    /* the source package's name: "openssl" */
    const char *version; /* the source package's version; "unknown" for a shared library that no package owns */
    const char *source;  /* package URL: "pkg:deb/debian/openssl@3.0.22-1~deb12u2?arch=source" */
    const char *linked;  /* "static" or "shared"; of a shared library the version at build time */
};

extern const struct component COMPONENTS[]; /* ends with a NULL name */
