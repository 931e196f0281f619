# SPDX-License-Identifier: Apache-2.0
#
# cmake -DFILE=… -DREADELF=… -DNM=… -DOBJCOPY=… -DSTRIP=… -P static_check.cmake: fails the build and removes FILE if it needs
# anything at run time, lacks a hardening, or is too large. Moves its symbols to FILE.debug, where gdb finds them.

# Every way of glibc to load a shared object calls _dl_open. The others need unwind tables (no_unwind_tables.ld).
set(FORBIDDEN _dl_open pthread_exit pthread_cancel backtrace)
set(SIZE_MAX_BYTES 10485760)

function(run ret)
    execute_process(COMMAND ${ARGN} OUTPUT_VARIABLE out ERROR_VARIABLE error RESULT_VARIABLE status)
    if(NOT status EQUAL 0)
        refuse("${ARGV1}: ${error}")
    endif()
    set(${ret} "${out}" PARENT_SCOPE)
endfunction()

function(refuse)
    file(REMOVE "${FILE}")
    message(FATAL_ERROR "${FILE}: ${ARGN}")
endfunction()

run(segments "${READELF}" --wide --file-header --program-headers --dynamic "${FILE}")
if(NOT segments MATCHES "Type: +DYN")
    refuse("not position-independent")
endif()
if(segments MATCHES " INTERP ")
    refuse("it asks for a dynamic loader (INTERP): not static")
endif()
if(segments MATCHES "\\(NEEDED\\)[^\n]*")
    refuse("it needs shared libraries: ${CMAKE_MATCH_0}")
endif()

if(NOT segments MATCHES " GNU_RELRO " OR NOT segments MATCHES "BIND_NOW|FLAGS_1[^\n]*NOW")
    refuse("relocations stay writable: not linked with -z relro -z now")
endif()
if(NOT segments MATCHES " GNU_STACK [^\n]* RW +0x")
    refuse("its stack can be executed")
endif()

run(symbols "${NM}" --defined-only --format=posix "${FILE}")
foreach(symbol ${FORBIDDEN})
    if(symbols MATCHES "(^|\n)${symbol} ")
        refuse("${symbol} is in it: no shared object of the container may be loaded (src/linux/static.c), and no stack unwound")
    endif()
endforeach()

foreach(symbol __stack_chk_fail __memcpy_chk __snprintf_chk)
    if(NOT symbols MATCHES "(^|\n)${symbol} ")
        refuse("no ${symbol} in it: not built with -fstack-protector-strong and _FORTIFY_SOURCE")
    endif()
endforeach()

run(none "${OBJCOPY}" --only-keep-debug "${FILE}" "${FILE}.debug")
run(none "${STRIP}" "${FILE}")
run(none "${OBJCOPY}" "--add-gnu-debuglink=${FILE}.debug" "${FILE}")
file(SIZE "${FILE}" size)
if(size GREATER SIZE_MAX_BYTES)
    refuse("${size} bytes: more than 10 MiB")
endif()
