# SPDX-License-Identifier: Apache-2.0
#
# The files of src/ROOM/static as C (base/embedded_files.h). Written when the build is configured, and again by ninja whenever one of them changes.
file(GLOB EMBEDDED_FILES CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/*/static/*")
set(EMBEDDED_ROWS "")
set(EMBEDDED_TEXT "#include \"base/embedded_files.h\"\n")
foreach(file ${EMBEDDED_FILES})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
    get_filename_component(name "${file}" NAME)
    string(MAKE_C_IDENTIFIER "${name}" symbol)
    file(SHA256 "${file}" digest)
    string(SUBSTRING "${digest}" 0 12 digest)
    file(READ "${file}" bytes HEX)
    string(LENGTH "${bytes}" size)
    math(EXPR size "${size} / 2")
    string(REGEX REPLACE "(..)" "\\\\x\\1" bytes "${bytes}")
    string(REPEAT "." 96 line) # 24 bytes
    string(REGEX REPLACE "(${line})" "\\1\"\n    \"" bytes "${bytes}")
    string(APPEND EMBEDDED_TEXT "static const char ${symbol}[] =\n    \"${bytes}\";\n")
    string(APPEND EMBEDDED_ROWS "    {\"${name}\", \"${digest}\", ${symbol}, ${size}},\n")
endforeach()
string(APPEND EMBEDDED_TEXT "const struct embedded_file EMBEDDED_FILES[] = {\n${EMBEDDED_ROWS}    {0},\n};\n")
file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/embedded_files.c" CONTENT "${EMBEDDED_TEXT}" @ONLY)
