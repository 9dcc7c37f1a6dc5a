# shoal_kernel(): target `kernel`, which makes ${CMAKE_BINARY_DIR}/shoal.elf, and in debug builds `kernel-kasan`, which
# makes shoal-kasan.elf.
#
# Linked twice.  The first link has no symbol table; its symbols become an assembly file (tools/mksymtab) that the second
# link puts into section .kernel_symtab, behind all code, so that no function moves.  mksymtab checks that.

set(SHOAL_KERNEL_FLAGS
    --target=x86_64-elf -std=gnu11 -ffreestanding -nostdlibinc
    -mno-sse -mno-mmx -mno-80387 -mno-red-zone -mcmodel=kernel -fno-pic
    -fno-omit-frame-pointer -fno-strict-aliasing
    -O2 -g -Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes -Wno-unused-parameter -Wthread-safety -Werror)

# What a debug kernel checks: undefined behaviour, each a panic (arch/x86_64/ubsan.c), and its stacks.
set(SHOAL_KERNEL_CHECKS
    -fsanitize=undefined -fno-sanitize-recover=all -fsanitize-undefined-strip-path-components=-2
    -fstack-protector-strong -mstack-protector-guard=global)

find_program(SHOAL_LD ld.lld REQUIRED)
find_program(SHOAL_NM llvm-nm REQUIRED)
find_package(Python3 REQUIRED COMPONENTS Interpreter)

# What the KASAN kernel has besides (arch/x86_64/kasan.h).  This clang knows that sanitizer for Linux only.
set(SHOAL_KASAN_FLAGS
    --target=x86_64-linux-gnu -fsanitize=kernel-address
    "SHELL:-mllvm -asan-mapping-offset=0xdffffc0000000000"
    "SHELL:-mllvm -asan-instrumentation-with-call-threshold=0"
    "SHELL:-mllvm -asan-globals=1" "SHELL:-mllvm -asan-use-after-scope=1")

# kernel_objects(<target> <source>...): compiled as every file of the kernel is; the caller may add to the target.
function(kernel_objects target)
    add_library(${target} OBJECT ${ARGN})
    target_include_directories(${target} PRIVATE
        ${SHOAL_ROOT}/include ${SHOAL_ROOT}/arch/x86_64 ${SHOAL_ROOT}/arch/common)
    target_compile_options(${target} PRIVATE
        ${SHOAL_KERNEL_FLAGS}
        # Tail calls would leave callers out of backtraces.
        $<$<CONFIG:Debug>:-fno-optimize-sibling-calls>
        $<IF:$<CONFIG:Debug>,${SHOAL_KERNEL_CHECKS},-fno-stack-protector>)
    target_compile_definitions(${target} PRIVATE KERNEL_DEBUG=$<IF:$<CONFIG:Debug>,1,0>)
endfunction()

# kernel_link(<target> <elf> <object target>...): links twice, as above.
function(kernel_link target elf)
    set(objects)
    foreach(part IN LISTS ARGN)
        list(APPEND objects $<TARGET_OBJECTS:${part}>)
    endforeach()
    set(bare ${CMAKE_BINARY_DIR}/${target}/bare.elf)
    set(table ${CMAKE_BINARY_DIR}/${target}/symtab.S)
    set(script ${SHOAL_ROOT}/arch/x86_64/linker.ld)
    set(link ${SHOAL_LD} -m elf_x86_64 -static -nostdlib --fatal-warnings --build-id=none
        -z noexecstack -z max-page-size=0x1000 -T ${script})
    set(mksymtab ${Python3_EXECUTABLE} ${SHOAL_ROOT}/tools/mksymtab --nm ${SHOAL_NM})
    file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/${target})

    add_custom_command(
        OUTPUT ${table}
        BYPRODUCTS ${bare}
        COMMAND ${link} -o ${bare} ${objects}
        COMMAND ${mksymtab} ${bare} ${table}
        DEPENDS ${objects} ${script} ${SHOAL_ROOT}/tools/mksymtab
        COMMENT "Linking the kernel, first without its symbol table"
        COMMAND_EXPAND_LISTS VERBATIM)
    add_custom_command(
        OUTPUT ${elf}
        COMMAND ${CMAKE_C_COMPILER} --target=x86_64-elf -c ${table} -o ${table}.o
        COMMAND ${link} -o ${elf} ${objects} ${table}.o
        COMMAND ${mksymtab} --check ${bare} ${elf}
        BYPRODUCTS ${table}.o
        DEPENDS ${table}
        COMMENT "Linking ${elf}"
        COMMAND_EXPAND_LISTS VERBATIM)
    add_custom_target(${target} ALL DEPENDS ${elf})
endfunction()

# The same sources once more, with every access to memory checked.  The functions of string.h that take a size are compiled
# without checks and under other names (kasan_mem.c checks for them), and once more as string.c has them for its own use.
function(kasan_kernel portable_sources arch_sources)
    set(string ${SHOAL_ROOT}/lib/string.c)
    list(REMOVE_ITEM portable_sources ${string})
    kernel_objects(kasan_portable ${portable_sources})
    kernel_objects(kasan_arch ${arch_sources})
    kernel_objects(kasan_string ${string})
    kernel_objects(kasan_raw ${string})
    foreach(part portable arch string raw)
        target_compile_options(kasan_${part} PRIVATE $<$<COMPILE_LANGUAGE:C>:${SHOAL_KASAN_FLAGS}>)
        target_compile_definitions(kasan_${part} PRIVATE KERNEL_KASAN=1)
    endforeach()
    # Other CPUs start on a stack whose shadow is not there yet.
    target_compile_options(kasan_arch PRIVATE $<$<COMPILE_LANGUAGE:C>:SHELL:-mllvm -asan-stack=0>)
    target_compile_options(kasan_raw PRIVATE -fno-sanitize=all)
    foreach(name memcpy memmove memset memcmp)
        target_compile_definitions(kasan_string PRIVATE ${name}=kasan_slow_${name})
        target_compile_definitions(kasan_raw PRIVATE ${name}=kasan_raw_${name})
    endforeach()
    foreach(name memchr strlen strnlen strncmp strcmp strchr str_copy str_to_u64)
        target_compile_definitions(kasan_raw PRIVATE ${name}=kasan_raw_${name})
    endforeach()
    kernel_link(kernel-kasan ${CMAKE_BINARY_DIR}/shoal-kasan.elf kasan_portable kasan_arch kasan_string kasan_raw)
endfunction()

function(shoal_kernel)
    # Each folder by name: a file outside the layers of the kernel is not compiled by accident.
    file(GLOB_RECURSE portable CONFIGURE_DEPENDS ${SHOAL_ROOT}/lib/*.c ${SHOAL_ROOT}/kernel/*.c)
    file(GLOB_RECURSE arch CONFIGURE_DEPENDS
        ${SHOAL_ROOT}/arch/common/*.c
        ${SHOAL_ROOT}/arch/common/*.S
        ${SHOAL_ROOT}/arch/x86_64/*.c
        ${SHOAL_ROOT}/arch/x86_64/*.S)
    file(GLOB kasan CONFIGURE_DEPENDS ${SHOAL_ROOT}/arch/x86_64/kasan*.c)
    list(SORT portable)
    list(SORT arch)
    # What reports must not report itself.
    set_source_files_properties(${kasan} ${SHOAL_ROOT}/arch/x86_64/ubsan.c
        PROPERTIES COMPILE_OPTIONS -fno-sanitize=all)
    if(CMAKE_BUILD_TYPE STREQUAL "Debug")
        kasan_kernel("${portable}" "${arch}")
    endif()
    list(REMOVE_ITEM arch ${kasan})
    kernel_objects(kernel_objects ${portable} ${arch})
    kernel_link(kernel ${CMAKE_BINARY_DIR}/shoal.elf kernel_objects)
endfunction()
