# SPDX-License-Identifier: Apache-2.0
#
# SALVAGE_STATIC: one static-pie file that runs in an empty container. The libraries are Debian's archives, except curl:
# Debian's needs GSSAPI, LDAP and more, so we build one with nothing but HTTP and TLS; and except libmicrohttpd, whose archive
# needs GnuTLS (cmake/microhttpd). c-ares resolves names: glibc's resolver
# loads shared objects of the container's libc at run time, and crashes if their version differs.
include(ExternalProject)

third_party_source(CURL_SOURCE curl 7.88.1
    cdb38b72e36bc5d33d5b8810f8018ece1baa29a8f215b4495e495ded82bbf3c7
    https://curl.se/download/curl-7.88.1.tar.gz)

set(CURL_ARCHIVE "${CMAKE_BINARY_DIR}/curl/lib/libcurl.a")
file(RELATIVE_PATH to_sources "${CMAKE_BINARY_DIR}/curl" "${SALVAGE_SOURCES}")
list(JOIN PATHLESS " " curl_pathless)
list(JOIN HARDENED " " curl_hardened)
set(CURL_C_FLAGS "-O2 -g -fPIE -D_FORTIFY_SOURCE=2 -ffunction-sections -fdata-sections ${curl_hardened} -ffile-prefix-map=${to_sources}=sources ${curl_pathless}")
ExternalProject_Add(curl
    SOURCE_DIR "${CURL_SOURCE}"
    BINARY_DIR "${CMAKE_BINARY_DIR}/curl"
    INSTALL_COMMAND ""
    BUILD_BYPRODUCTS "${CURL_ARCHIVE}"
    CMAKE_ARGS
        -Wno-dev
        "-DCMAKE_C_COMPILER=${CMAKE_C_COMPILER}"
        "-DCMAKE_C_COMPILER_LAUNCHER=${CMAKE_C_COMPILER_LAUNCHER}"
        -DCMAKE_BUILD_TYPE=Release
        "-DCMAKE_C_FLAGS=${CURL_C_FLAGS}"
        -DCMAKE_C_FLAGS_RELEASE=
        -DBUILD_SHARED_LIBS=OFF -DBUILD_CURL_EXE=OFF -DBUILD_TESTING=OFF -DENABLE_MANUAL=OFF
        -DCURL_ENABLE_EXPORT_TARGET=OFF -DPICKY_COMPILER=OFF
        # Wanted.
        -DHTTP_ONLY=ON -DCURL_USE_OPENSSL=ON -DENABLE_ARES=ON -DENABLE_IPV6=ON
        -DCURL_DISABLE_NETRC=OFF # without it, curl lacks the option to switch it off
        # net/cabundle.c finds the certificates. An openssl.cnf of the container may load modules: not read.
        -DCURL_CA_BUNDLE=none -DCURL_CA_PATH=none -DCURL_DISABLE_OPENSSL_AUTO_LOAD_CONFIG=ON
        # Not wanted.
        -DCURL_ZLIB=OFF -DCURL_BROTLI=OFF -DCURL_ZSTD=OFF -DUSE_NGHTTP2=OFF -DUSE_LIBIDN2=OFF -DCURL_USE_LIBPSL=OFF
        -DCURL_USE_LIBSSH2=OFF -DCURL_USE_GSSAPI=OFF -DCURL_DISABLE_LDAP=ON -DCURL_DISABLE_LDAPS=ON
        -DCURL_DISABLE_ALTSVC=ON -DCURL_DISABLE_COOKIES=ON -DCURL_DISABLE_DOH=ON -DCURL_DISABLE_GETOPTIONS=ON
        -DCURL_DISABLE_HSTS=ON -DCURL_DISABLE_MIME=ON -DCURL_DISABLE_NTLM=ON
        -DCURL_DISABLE_PROGRESS_METER=ON)

# static_archive(RET NAME): the archive of a library, never its shared object.
function(static_archive ret name)
    find_library(ARCHIVE_${name} NAMES lib${name}.a REQUIRED)
    set(${ret} "${ARCHIVE_${name}}" PARENT_SCOPE)
endfunction()

# The linker takes from an archive only what earlier files asked for: users before what they use.
set(ARCHIVES_OF_PACKAGES "")
foreach(name cjose cares ssl crypto uv_a dw elf iberty lzma zstd z jansson expat xxhash sqlite3 seccomp yaml)
    static_archive(archive ${name})
    list(APPEND ARCHIVES_OF_PACKAGES "${archive}")
endforeach()
add_library(deps INTERFACE)
target_include_directories(deps SYSTEM INTERFACE "${CURL_SOURCE}/include")
target_compile_definitions(deps INTERFACE CURL_STATICLIB SALVAGE_STATIC)
target_link_libraries(deps INTERFACE ${CURL_ARCHIVE} microhttpd ${ARCHIVES_OF_PACKAGES})

# Linked in: those archives, curl, libmicrohttpd, and the archives that the compiler adds.
unpacked("${CURL_SOURCE}")
foreach(archive libc.a libgcc.a)
    execute_process(COMMAND "${CMAKE_C_COMPILER}" -print-file-name=${archive} OUTPUT_VARIABLE file
        OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
    list(APPEND ARCHIVES_OF_PACKAGES "${file}")
endforeach()
foreach(archive ${ARCHIVES_OF_PACKAGES})
    library("${archive}" static)
endforeach()

# static_program(TARGET): links TARGET statically, checks it, and puts symbols and bill of materials beside it.
function(static_program target)
    # An object of the program, not of core's archive: its definitions must win over libc's.
    target_sources(${target} PRIVATE src/linux/static.c)
    foreach(part core ${target})
        target_compile_options(${part} PRIVATE -g -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables)
    endforeach()
    # Relative relocations as a bitmap (RELR): half a MiB less. glibc's start-up code reads them since 2.36.
    target_link_options(${target} PRIVATE -static-pie -Wl,--gc-sections,--build-id,-z,pack-relative-relocs
        "-Wl,--no-eh-frame-hdr,-T,${CMAKE_SOURCE_DIR}/cmake/no_unwind_tables.ld")
    add_custom_command(TARGET ${target} POST_BUILD VERBATIM
        COMMAND "${CMAKE_COMMAND}" "-DFILE=$<TARGET_FILE:${target}>" "-DOBJCOPY=${CMAKE_OBJCOPY}" "-DSTRIP=${CMAKE_STRIP}"
            "-DREADELF=${CMAKE_READELF}" "-DNM=${CMAKE_NM}" -P "${CMAKE_SOURCE_DIR}/cmake/static_check.cmake"
        COMMAND "${CMAKE_COMMAND}" "-DFILE=$<TARGET_FILE:${target}>"
            "-DTEMPLATE=${CMAKE_BINARY_DIR}/salvage.spdx.json.in" -P "${CMAKE_SOURCE_DIR}/cmake/sbom.cmake")
endfunction()
