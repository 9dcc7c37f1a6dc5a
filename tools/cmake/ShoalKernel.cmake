# shoal_kernel(): target `kernel`, which makes ${CMAKE_BINARY_DIR}/shoal.elf.
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

function(shoal_kernel)
    # Each folder by name: a file outside the layers of the kernel is not compiled by accident.
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS
        ${SHOAL_ROOT}/lib/*.c
        ${SHOAL_ROOT}/kernel/*.c
        ${SHOAL_ROOT}/arch/common/*.c
        ${SHOAL_ROOT}/arch/x86_64/*.c
        ${SHOAL_ROOT}/arch/x86_64/*.S)
    list(SORT sources)
    add_library(kernel_objects OBJECT ${sources})
    target_include_directories(kernel_objects PRIVATE ${SHOAL_ROOT}/include ${SHOAL_ROOT}/arch/x86_64 ${SHOAL_ROOT}/arch/common)
    target_compile_options(kernel_objects PRIVATE
        ${SHOAL_KERNEL_FLAGS}
        # Tail calls would leave callers out of backtraces.
        $<$<CONFIG:Debug>:-fno-optimize-sibling-calls>
        $<IF:$<CONFIG:Debug>,${SHOAL_KERNEL_CHECKS},-fno-stack-protector>)
    # What reports must not report itself.
    set_source_files_properties(${SHOAL_ROOT}/arch/x86_64/ubsan.c PROPERTIES COMPILE_OPTIONS -fno-sanitize=all)
    target_compile_definitions(kernel_objects PRIVATE KERNEL_DEBUG=$<IF:$<CONFIG:Debug>,1,0>)

    set(elf ${CMAKE_BINARY_DIR}/shoal.elf)
    set(bare ${CMAKE_BINARY_DIR}/kernel/bare.elf)
    set(table ${CMAKE_BINARY_DIR}/kernel/symtab.S)
    set(script ${SHOAL_ROOT}/arch/x86_64/linker.ld)
    set(link ${SHOAL_LD} -m elf_x86_64 -static -nostdlib --fatal-warnings --build-id=none
        -z noexecstack -z max-page-size=0x1000 -T ${script})
    set(objects $<TARGET_OBJECTS:kernel_objects>)
    set(mksymtab ${Python3_EXECUTABLE} ${SHOAL_ROOT}/tools/mksymtab --nm ${SHOAL_NM})
    file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/kernel)

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
        COMMENT "Linking shoal.elf"
        COMMAND_EXPAND_LISTS VERBATIM)
    add_custom_target(kernel ALL DEPENDS ${elf})
endfunction()
