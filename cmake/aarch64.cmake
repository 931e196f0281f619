# SPDX-License-Identifier: Apache-2.0
#
# Toolchain of the preset aarch64: Debian's cross compiler, and a sysroot of Debian's arm64 packages. scripts/deps --aarch64
# installs the first and unpacks the second. Programs of the target are run by qemu-user: helpers of the build, unit tests.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
if(DEFINED ENV{SALVAGE_SOURCES})
    set(CMAKE_SYSROOT "$ENV{SALVAGE_SOURCES}/sysroot-arm64")
else()
    set(CMAKE_SYSROOT "${CMAKE_CURRENT_LIST_DIR}/../build/sources/sysroot-arm64")
endif()
if(NOT IS_DIRECTORY "${CMAKE_SYSROOT}")
    message(FATAL_ERROR "There is no ${CMAKE_SYSROOT}: run scripts/deps --aarch64")
endif()
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L "${CMAKE_SYSROOT}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(ENV{PKG_CONFIG_SYSROOT_DIR} "${CMAKE_SYSROOT}")
set(ENV{PKG_CONFIG_LIBDIR} "${CMAKE_SYSROOT}/usr/lib/aarch64-linux-gnu/pkgconfig:${CMAKE_SYSROOT}/usr/share/pkgconfig")
