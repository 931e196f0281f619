# SPDX-License-Identifier: Apache-2.0
#
# What is linked into the program: name, version and Debian source package of each library. Looked up once, when the
# build is configured, and again by ninja whenever one of the files changes. Two files are made of it: components.c for
# `salvage --version --json`, and salvage.spdx.json.in, from which cmake/sbom.cmake makes the bill of materials.
set(COMPONENT_ROWS "")
set(SPDX_PACKAGES "")
set(SPDX_RELATIONS "")

# component(NAME VERSION PURL ABOUT LINKED): LINKED is static or shared.
function(component name version purl about linked)
    string(APPEND COMPONENT_ROWS "    {\"${name}\", \"${version}\", \"${purl}\", \"${linked}\"},\n")
    string(APPEND SPDX_PACKAGES ",\n    {\"SPDXID\": \"SPDXRef-${name}\", \"name\": \"${name}\", \"versionInfo\": \"${version}\",
     \"downloadLocation\": \"NOASSERTION\", \"filesAnalyzed\": false, \"sourceInfo\": \"${about}\",
     \"externalRefs\": [{\"referenceCategory\": \"PACKAGE-MANAGER\", \"referenceType\": \"purl\",
      \"referenceLocator\": \"${purl}\"}]}")
    string(TOUPPER "${linked}_LINK" relation)
    string(REPLACE "SHARED" "DYNAMIC" relation "${relation}")
    string(APPEND SPDX_RELATIONS ",\n    {\"spdxElementId\": \"SPDXRef-salvage\", \"relationshipType\": \"${relation}\",
     \"relatedSpdxElement\": \"SPDXRef-${name}\"}")
    foreach(list COMPONENT_ROWS SPDX_PACKAGES SPDX_RELATIONS)
        set(${list} "${${list}}" PARENT_SCOPE)
    endforeach()
endfunction()

# owner(RET FILE): "source;version;package" of the Debian package that FILE belongs to; empty if none does. With a merged
# /usr one file has two names. A sysroot has its own list of packages.
function(owner ret file)
    set(${ret} "" PARENT_SCOPE)
    set(query dpkg-query)
    if(CMAKE_SYSROOT)
        list(APPEND query "--admindir=${CMAKE_SYSROOT}/var/lib/dpkg")
        file(REAL_PATH "${CMAKE_SYSROOT}" real_sysroot) # of an archive the real path is asked for
        string(REPLACE "${CMAKE_SYSROOT}" "" file "${file}")
        string(REPLACE "${real_sysroot}" "" file "${file}")
    endif()
    string(REGEX REPLACE "^/usr/lib/" "/lib/" other "${file}")
    foreach(path "${file}" "${other}")
        execute_process(COMMAND ${query} -S "${path}" OUTPUT_VARIABLE found ERROR_QUIET RESULT_VARIABLE status)
        if(status EQUAL 0)
            string(REGEX REPLACE ": .*" "" package "${found}")
            execute_process(COMMAND ${query} -W -f "\${source:Package};\${source:Version};\${Package}" "${package}"
                OUTPUT_VARIABLE found COMMAND_ERROR_IS_FATAL ANY)
            set(${ret} "${found}" PARENT_SCOPE)
            return()
        endif()
    endforeach()
endfunction()

# library(FILE LINKED): an installed archive or shared object. An archive's origin must be known; a shared object's may not
# be, on other distributions.
function(library file linked)
    file(REAL_PATH "${file}" real)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${real}")
    if(linked STREQUAL "static")
        owner(found "${real}")
    else()
        owner(found "${file}") # the link belongs to the -dev package, as the headers do
    endif()
    if(found)
        list(GET found 0 source)
        list(GET found 1 version)
        list(GET found 2 package)
        set(purl "pkg:deb/debian/${source}@${version}?arch=source")
        set(about "Debian's package ${package}")
    elseif(linked STREQUAL "static")
        message(FATAL_ERROR "${file} belongs to no Debian package: the origin of what is linked in must be known")
    else()
        get_filename_component(source "${file}" NAME_WE)
        set(version unknown)
        set(purl "pkg:generic/${source}")
        set(about "installed on the machine that built this")
    endif()
    if(NOT COMPONENT_ROWS MATCHES "{\"${source}\"")
        component("${source}" "${version}" "${purl}" "${about}" "${linked}")
    endif()
    foreach(list COMPONENT_ROWS SPDX_PACKAGES SPDX_RELATIONS)
        set(${list} "${${list}}" PARENT_SCOPE)
    endforeach()
endfunction()

# unpacked(TREE): a source that is compiled here, NAME-VERSION, with a debian/changelog if it is Debian's.
function(unpacked tree)
    get_filename_component(name "${tree}" NAME)
    string(REGEX REPLACE "-([0-9.]*)$" ";\\1" name "${name}")
    list(GET name 1 version)
    list(GET name 0 name)
    set(purl "pkg:generic/${name}@${version}")
    set(about "upstream's release, compiled here")
    if(EXISTS "${tree}/debian/changelog")
        set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${tree}/debian/changelog")
        file(STRINGS "${tree}/debian/changelog" line LIMIT_COUNT 1)
        string(REGEX REPLACE ".*\\((.*)\\).*" "\\1" version "${line}")
        set(purl "pkg:deb/debian/${name}@${version}?arch=source")
        set(about "Debian's source package, compiled here")
    endif()
    component("${name}" "${version}" "${purl}" "${about}" static)
    foreach(list COMPONENT_ROWS SPDX_PACKAGES SPDX_RELATIONS)
        set(${list} "${${list}}" PARENT_SCOPE)
    endforeach()
endfunction()

# components_write(): components.c and salvage.spdx.json.in in the build folder.
function(components_write)
    file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/components.c" @ONLY CONTENT "/* Made by cmake/components.cmake. */
#include <stddef.h>

#include \"cmd/components.h\"

const struct component COMPONENTS[] = {
@COMPONENT_ROWS@    {NULL, NULL, NULL, NULL},
};
")
    file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/salvage.spdx.json.in" @ONLY CONTENT "{
  \"spdxVersion\": \"SPDX-2.3\", \"dataLicense\": \"CC0-1.0\", \"SPDXID\": \"SPDXRef-DOCUMENT\", \"name\": \"salvage-@PROJECT_VERSION@\",
  \"documentNamespace\": \"https://spdx.org/spdxdocs/salvage-@PROJECT_VERSION@-\${SHA256}\",
  \"creationInfo\": {\"created\": \"\${CREATED}\", \"creators\": [\"Tool: salvage-sbom\"]},
  \"packages\": [
    {\"SPDXID\": \"SPDXRef-salvage\", \"name\": \"salvage\", \"versionInfo\": \"@PROJECT_VERSION@\", \"licenseDeclared\": \"Apache-2.0\",
     \"downloadLocation\": \"NOASSERTION\", \"filesAnalyzed\": false, \"primaryPackagePurpose\": \"APPLICATION\",
     \"checksums\": [{\"algorithm\": \"SHA256\", \"checksumValue\": \"\${SHA256}\"}]}@SPDX_PACKAGES@
  ],
  \"relationships\": [
    {\"spdxElementId\": \"SPDXRef-DOCUMENT\", \"relationshipType\": \"DESCRIBES\", \"relatedSpdxElement\": \"SPDXRef-salvage\"}@SPDX_RELATIONS@
  ]
}
")
endfunction()
