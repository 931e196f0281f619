# SPDX-License-Identifier: Apache-2.0
#
# Third-party source that is built here: unpacked trees in SALVAGE_SOURCES. scripts/deps puts Debian's source packages there,
# security fixes applied. A missing tree is downloaded: upstream's release of the same version, pinned, WITHOUT Debian's fixes.
# A tree that is there is not fetched again; remove it to fetch it anew.

if(DEFINED ENV{SALVAGE_SOURCES})
    set(default_sources "$ENV{SALVAGE_SOURCES}")
else()
    set(default_sources "${CMAKE_SOURCE_DIR}/build/sources")
endif()
set(SALVAGE_SOURCES "${default_sources}" CACHE PATH "Unpacked source of dash, curl and libmicrohttpd")

# third_party_source(RET NAME VERSION SHA256 URL): RET is the tree of NAME-VERSION.
function(third_party_source ret name version sha256 url)
    set(tree "${SALVAGE_SOURCES}/${name}-${version}")
    if(NOT IS_DIRECTORY "${tree}")
        message(STATUS "No ${tree} (scripts/deps puts Debian's there): downloading ${url}")
        set(work "${SALVAGE_SOURCES}/.download-${name}")
        set(archive "${work}/archive.tar.gz")
        file(REMOVE_RECURSE "${work}")
        file(DOWNLOAD "${url}" "${archive}" STATUS status TLS_VERIFY ON INACTIVITY_TIMEOUT 30)
        list(POP_FRONT status code)
        if(NOT code EQUAL 0)
            file(REMOVE_RECURSE "${work}")
            message(FATAL_ERROR "${url}: ${status}. Run scripts/deps, or unpack ${name} ${version} as ${tree}")
        endif()
        file(SHA256 "${archive}" found)
        if(NOT found STREQUAL sha256)
            file(REMOVE_RECURSE "${work}")
            message(FATAL_ERROR "${url}: its SHA-256 is ${found}, not ${sha256}: refused")
        endif()
        file(ARCHIVE_EXTRACT INPUT "${archive}" DESTINATION "${work}")
        file(RENAME "${work}/${name}-${version}" "${tree}")
        file(REMOVE_RECURSE "${work}")
    endif()
    set(${ret} "${tree}" PARENT_SCOPE)
endfunction()
