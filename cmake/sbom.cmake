# SPDX-License-Identifier: Apache-2.0
#
# cmake -DFILE=… -DVERSION=… -DREADELF=… "-DARCHIVES=…;…" "-DTREES=…;…" -P sbom.cmake: writes FILE.spdx.json, a bill of
# materials (SPDX 2.3): FILE, and of each library that is linked into it the name, the version and the Debian source
# package. ARCHIVES are lib*.a of packages; TREES are unpacked sources that were compiled here, NAME-VERSION, with a
# debian/changelog if Debian's. The time is SOURCE_DATE_EPOCH's, so that the same build says the same.
set(packages "")
set(relations "")

# component(NAME VERSION PURL ABOUT)
function(component name version purl about)
    string(APPEND packages ",\n    {\"SPDXID\": \"SPDXRef-${name}\", \"name\": \"${name}\", \"versionInfo\": \"${version}\",
     \"downloadLocation\": \"NOASSERTION\", \"filesAnalyzed\": false, \"sourceInfo\": \"${about}\",
     \"externalRefs\": [{\"referenceCategory\": \"PACKAGE-MANAGER\", \"referenceType\": \"purl\",
      \"referenceLocator\": \"${purl}\"}]}")
    string(APPEND relations ",\n    {\"spdxElementId\": \"SPDXRef-salvage\", \"relationshipType\": \"STATIC_LINK\",
     \"relatedSpdxElement\": \"SPDXRef-${name}\"}")
    set(packages "${packages}" PARENT_SCOPE)
    set(relations "${relations}" PARENT_SCOPE)
endfunction()

# debian(FILE): the source package that an installed file comes from. A merged /usr has two names for one file.
function(debian file)
    string(REGEX REPLACE "^/usr/lib/" "/lib/" other "${file}")
    foreach(path "${file}" "${other}")
        execute_process(COMMAND dpkg-query -S "${path}" OUTPUT_VARIABLE owner ERROR_QUIET RESULT_VARIABLE status)
        if(status EQUAL 0)
            break()
        endif()
    endforeach()
    if(NOT status EQUAL 0)
        message(FATAL_ERROR "${file} is of no package: what is linked in must be known")
    endif()
    string(REGEX REPLACE ": .*" "" owner "${owner}")
    execute_process(COMMAND dpkg-query -W -f "\${source:Package};\${source:Version};\${Package};\${Architecture}" "${owner}"
        OUTPUT_VARIABLE found COMMAND_ERROR_IS_FATAL ANY)
    list(GET found 0 source)
    list(GET found 1 version)
    list(GET found 2 package)
    if(NOT packages MATCHES "\"SPDXRef-${source}\"")
        component("${source}" "${version}" "pkg:deb/debian/${source}@${version}?arch=source" "Debian's package ${package}")
    endif()
    set(packages "${packages}" PARENT_SCOPE)
    set(relations "${relations}" PARENT_SCOPE)
endfunction()

# unpacked(TREE): a source that was compiled here
function(unpacked tree)
    get_filename_component(name "${tree}" NAME)
    string(REGEX REPLACE "-([0-9.]*)$" ";\\1" name "${name}")
    list(GET name 1 version)
    list(GET name 0 name)
    set(purl "pkg:generic/${name}@${version}")
    set(about "upstream's release, compiled here")
    if(EXISTS "${tree}/debian/changelog")
        file(STRINGS "${tree}/debian/changelog" line LIMIT_COUNT 1)
        string(REGEX REPLACE ".*\\((.*)\\).*" "\\1" version "${line}")
        set(purl "pkg:deb/debian/${name}@${version}?arch=source")
        set(about "Debian's source package, compiled here")
    endif()
    component("${name}" "${version}" "${purl}" "${about}")
    set(packages "${packages}" PARENT_SCOPE)
    set(relations "${relations}" PARENT_SCOPE)
endfunction()

foreach(tree ${TREES})
    unpacked("${tree}")
endforeach()
foreach(archive ${ARCHIVES})
    debian("${archive}")
endforeach()
file(SHA256 "${FILE}" sha256)
string(TIMESTAMP now "%Y-%m-%dT%H:%M:%SZ" UTC)
file(WRITE "${FILE}.spdx.json" "{
  \"spdxVersion\": \"SPDX-2.3\", \"dataLicense\": \"CC0-1.0\", \"SPDXID\": \"SPDXRef-DOCUMENT\", \"name\": \"salvage-${VERSION}\",
  \"documentNamespace\": \"https://spdx.org/spdxdocs/salvage-${VERSION}-${sha256}\",
  \"creationInfo\": {\"created\": \"${now}\", \"creators\": [\"Tool: salvage-sbom\"]},
  \"packages\": [
    {\"SPDXID\": \"SPDXRef-salvage\", \"name\": \"salvage\", \"versionInfo\": \"${VERSION}\", \"licenseDeclared\": \"Apache-2.0\",
     \"downloadLocation\": \"NOASSERTION\", \"filesAnalyzed\": false, \"primaryPackagePurpose\": \"APPLICATION\",
     \"checksums\": [{\"algorithm\": \"SHA256\", \"checksumValue\": \"${sha256}\"}]}${packages}
  ],
  \"relationships\": [
    {\"spdxElementId\": \"SPDXRef-DOCUMENT\", \"relationshipType\": \"DESCRIBES\", \"relatedSpdxElement\": \"SPDXRef-salvage\"}${relations}
  ]
}
")
