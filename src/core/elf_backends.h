/* SPDX-License-Identifier: Apache-2.0
 *
 * Stands in for what the archive of elfutils refers to and we have no use for: debuginfod, which would load a shared
 * object, compressed kernels, and the machines whose cores we don't read. A third of a MiB, and dlopen.
 */
#pragma once

/* Does nothing. A caller makes the linker take these objects before those of the archive. */
void elf_backends_link(void);
