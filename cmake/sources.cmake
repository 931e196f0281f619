# SPDX-License-Identifier: Apache-2.0
#
# Third-party source that is built here: unpacked trees in SALVAGE_SOURCES. scripts/deps fills it with Debian's source
# packages, security fixes applied. What is not there is downloaded: upstream's release of the same version, pinned,
# WITHOUT Debian's fixes. A tree that is there is never looked up again: remove it to have it fetched anew.

if(DEFINED ENV{SALVAGE_SOURCES})
    set(default_sources "$ENV{SALVAGE_SOURCES}")
else()
    set(default_sources "${CMAKE_SOURCE_DIR}/build/sources")
endif()
set(SALVAGE_SOURCES "${default_sources}" CACHE PATH "Unpacked source of dash and curl")

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
