# SPDX-License-Identifier: Apache-2.0
#
# The files of src/serve/static as C: served as they are, under a URL with a part of their SHA-256 in it, so that browsers
# may keep them for ever. Written when the build is configured, and again by ninja whenever one of them changes.
file(GLOB PAGE_FILES CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/serve/static/*")
set(PAGE_ROWS "")
set(PAGE_TEXT "#include \"serve/page_file.h\"\n")
foreach(file ${PAGE_FILES})
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
    string(APPEND PAGE_TEXT "static const char ${symbol}[] =\n    \"${bytes}\";\n")
    string(APPEND PAGE_ROWS "    {\"${name}\", \"${digest}\", ${symbol}, ${size}},\n")
endforeach()
string(APPEND PAGE_TEXT "const struct page_file PAGE_FILES[] = {\n${PAGE_ROWS}    {0},\n};\n")
file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/page_files.c" CONTENT "${PAGE_TEXT}" @ONLY)
