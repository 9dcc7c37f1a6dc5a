# Programs that run on Shoal: static, x86-64, musl, linked by lld.
#
#   shoal_library(<target> SOURCES <file>...)
#   shoal_program(NAME <target> PATH <path in the initramfs> SOURCES <file>... [LIBS <target>...] [PIE])
#   shoal_guest_test(<name> SOURCES <file>... [CPUS <n>...] [MEM <size>] [MACHINES q35...] [LABELS <label>...]
#                    [TIMEOUT <seconds>] [APPEND <kernel options>] [ARGS <arg>...] [LIBS <target>...] [PIE] [ICOUNT])
#
# shoal_guest_test makes /test/<name> and the ctest entries guest.<name>.cpus<n>, one a CPU count (1 2 4 unless told), and
# guest.<name>.<machine>, one a further machine (with 2 CPUs).  Each is a machine of its own; it passes when the program
# exits with 0 and the shutdown audit is clean.

set(SHOAL_MUSL_INCLUDE /usr/include/x86_64-linux-musl CACHE PATH "musl's headers (package musl-dev)")
set(SHOAL_MUSL_LIB /usr/lib/x86_64-linux-musl CACHE PATH "musl's libc.a and crt files (package musl-dev)")
if(NOT EXISTS ${SHOAL_MUSL_INCLUDE}/stdio.h OR NOT EXISTS ${SHOAL_MUSL_LIB}/libc.a)
    message(FATAL_ERROR "No musl in ${SHOAL_MUSL_INCLUDE} and ${SHOAL_MUSL_LIB}: install musl-dev")
endif()

execute_process(COMMAND ${CMAKE_C_COMPILER} -print-resource-dir
    OUTPUT_VARIABLE SHOAL_CLANG_DIR OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
# Needed only by programs that do 128-bit or long double arithmetic.
file(GLOB SHOAL_BUILTINS
    ${SHOAL_CLANG_DIR}/lib/linux/libclang_rt.builtins-x86_64.a
    ${SHOAL_CLANG_DIR}/lib/x86_64*-linux-gnu/libclang_rt.builtins.a)

set(SHOAL_GUEST_FLAGS
    --target=x86_64-linux-musl -std=gnu11 -nostdinc
    -isystem${SHOAL_MUSL_INCLUDE} -isystem${SHOAL_CLANG_DIR}/include
    -I${SHOAL_ROOT}/user/include -I${SHOAL_ROOT}/include
    -O2 -g -fno-omit-frame-pointer -fno-stack-protector -Wall -Wextra)
set(SHOAL_GUEST_LINK_FLAGS --target=x86_64-linux-musl -nostdlib -fuse-ld=lld -Wl,--build-id=none)
set(SHOAL_GUEST_LINK_BEG -static ${SHOAL_MUSL_LIB}/crt1.o ${SHOAL_MUSL_LIB}/crti.o)
set(SHOAL_GUEST_LINK_BEG_PIE -static-pie ${SHOAL_MUSL_LIB}/rcrt1.o ${SHOAL_MUSL_LIB}/crti.o)
set(SHOAL_GUEST_LINK_END ${SHOAL_MUSL_LIB}/libc.a ${SHOAL_BUILTINS} ${SHOAL_MUSL_LIB}/libc.a
    ${SHOAL_MUSL_LIB}/crtn.o)

function(shoal_library target)
    cmake_parse_arguments(PARSE_ARGV 1 lib "" "" "SOURCES")
    add_library(${target} STATIC ${lib_SOURCES})
    # Position-independent, so that one library serves both kinds of program.
    target_compile_options(${target} PRIVATE ${SHOAL_GUEST_FLAGS} -fPIE -Werror)
endfunction()

function(shoal_program)
    cmake_parse_arguments(PARSE_ARGV 0 prog "PIE" "NAME;PATH" "SOURCES;LIBS")
    if(NOT prog_NAME OR NOT prog_PATH OR NOT prog_SOURCES OR prog_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "shoal_program: NAME, PATH and SOURCES, not ${ARGN}")
    endif()
    add_executable(${prog_NAME} ${prog_SOURCES})
    if(prog_PIE)
        target_compile_options(${prog_NAME} PRIVATE ${SHOAL_GUEST_FLAGS} -fPIE -Werror)
        target_link_options(${prog_NAME} PRIVATE ${SHOAL_GUEST_LINK_FLAGS} ${SHOAL_GUEST_LINK_BEG_PIE})
    else()
        target_compile_options(${prog_NAME} PRIVATE ${SHOAL_GUEST_FLAGS} -fno-pie -Werror)
        target_link_options(${prog_NAME} PRIVATE ${SHOAL_GUEST_LINK_FLAGS} ${SHOAL_GUEST_LINK_BEG})
    endif()
    target_link_libraries(${prog_NAME} PRIVATE ${prog_LIBS} ${SHOAL_GUEST_LINK_END})
    shoal_initramfs_add(${prog_NAME} ${prog_PATH})
endfunction()

function(shoal_guest_test name)
    cmake_parse_arguments(PARSE_ARGV 1 test "PIE;ICOUNT" "MEM;TIMEOUT;APPEND" "SOURCES;CPUS;MACHINES;LABELS;ARGS;LIBS")
    if(NOT test_SOURCES OR test_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "shoal_guest_test(${name}): SOURCES, not ${ARGN}")
    endif()
    set(pie)
    if(test_PIE)
        set(pie PIE)
    endif()
    if(NOT test_CPUS)
        set(test_CPUS 1 2 4)
    endif()
    if(NOT test_MEM)
        set(test_MEM 64M)
    endif()
    if(NOT test_TIMEOUT)
        set(test_TIMEOUT 120)
    endif()
    if(NOT test_LIBS)
        set(test_LIBS shoal)
    endif()
    # Target names are global: a prefix keeps test "shoal" and library "shoal" apart.
    shoal_program(NAME guest_${name} PATH /test/${name} SOURCES ${test_SOURCES} LIBS ${test_LIBS} ${pie})

    set(run ${SHOAL_ROOT}/tools/run --build ${CMAKE_BINARY_DIR} --quiet --budget ${test_TIMEOUT} --mem ${test_MEM})
    if(test_APPEND)
        list(APPEND run --append ${test_APPEND})
    endif()
    if(test_ICOUNT)
        list(APPEND run --icount)
    endif()
    set(entries)
    foreach(cpus IN LISTS test_CPUS)
        add_test(NAME guest.${name}.cpus${cpus} COMMAND ${run} --cpus ${cpus} /test/${name} ${test_ARGS})
        list(APPEND entries guest.${name}.cpus${cpus})
    endforeach()
    foreach(machine IN LISTS test_MACHINES)
        add_test(NAME guest.${name}.${machine}
            COMMAND ${run} --cpus 2 --machine ${machine} /test/${name} ${test_ARGS})
        list(APPEND entries guest.${name}.${machine})
    endforeach()
    # tools/run ends a hang by itself and says where it hung; ctest's limit is for a tools/run that fails to.
    math(EXPR limit_s "${test_TIMEOUT} + 20")
    set_tests_properties(${entries} PROPERTIES LABELS "guest;${test_LABELS}" TIMEOUT ${limit_s})
endfunction()

# shoal_course(<kind> <include folder>): what tools/run --as <kind> FILE.c compiles with.  The course's library is target
# course-<kind>; its headers come before musl's, and a function that the program defines itself before musl's function of that name.
set(SHOAL_COURSE_FLAGS -fno-builtin -w -Wl,-z,muldefs)
function(shoal_course kind include)
    guest_cc_write(${CMAKE_BINARY_DIR}/guest-cc-${kind} FLAGS ${SHOAL_COURSE_FLAGS} -I${include} LIBS course-${kind} shoal)
    # Nothing else needs the library: it comes with the image.
    set_property(GLOBAL APPEND PROPERTY SHOAL_INITRAMFS_TARGETS course-${kind})
endfunction()

# shoal_guest_cc(): makes ${CMAKE_BINARY_DIR}/guest-cc, a script that compiles one program the way shoal_program does, for
# tools/run FILE.c.  Call it after shoal_library(shoal ...).
function(shoal_guest_cc)
    guest_cc_write(${CMAKE_BINARY_DIR}/guest-cc FLAGS LIBS shoal)
endfunction()

# guest_cc_write(<file> FLAGS <flag>... LIBS <target>...)
function(guest_cc_write file)
    cmake_parse_arguments(PARSE_ARGV 1 cc "" "" "FLAGS;LIBS")
    set(script "#!/bin/sh\n# guest-cc OUT FILE.c...: made by tools/cmake/ShoalGuest.cmake.\nout=$1\nshift\n")
    string(APPEND script "exec '${CMAKE_C_COMPILER}'")
    foreach(word IN LISTS cc_FLAGS SHOAL_GUEST_FLAGS cc_FLAGS SHOAL_GUEST_LINK_FLAGS SHOAL_GUEST_LINK_BEG)
        string(APPEND script " '${word}'")
    endforeach()
    string(APPEND script " -fno-pie -o \"$out\" \"$@\"")
    foreach(lib IN LISTS cc_LIBS)
        string(APPEND script " '$<TARGET_FILE:${lib}>'")
    endforeach()
    foreach(word IN LISTS SHOAL_GUEST_LINK_END)
        string(APPEND script " '${word}'")
    endforeach()
    file(GENERATE OUTPUT ${file} CONTENT "${script}\n")
endfunction()
