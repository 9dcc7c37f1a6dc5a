# The initramfs: the guest programs and user/rootfs/, in ${CMAKE_BINARY_DIR}/initramfs.cpio.
#
#   shoal_initramfs_add(<target> <path in the initramfs>)   a program of it
#   shoal_initramfs()                                       target `initramfs`; call it after the last add

function(shoal_initramfs_add target path)
    set_property(GLOBAL APPEND PROPERTY SHOAL_INITRAMFS_TARGETS ${target})
    set_property(GLOBAL APPEND_STRING PROPERTY SHOAL_INITRAMFS_MANIFEST "${path} $<TARGET_FILE:${target}>\n")
endfunction()

function(shoal_initramfs)
    get_property(targets GLOBAL PROPERTY SHOAL_INITRAMFS_TARGETS)
    get_property(manifest GLOBAL PROPERTY SHOAL_INITRAMFS_MANIFEST)
    set(list ${CMAKE_BINARY_DIR}/initramfs.list)
    set(image ${CMAKE_BINARY_DIR}/initramfs.cpio)
    file(GENERATE OUTPUT ${list} CONTENT "${manifest}")
    file(GLOB_RECURSE rootfs CONFIGURE_DEPENDS ${SHOAL_ROOT}/user/rootfs/*)
    add_custom_command(
        OUTPUT ${image}
        COMMAND ${SHOAL_ROOT}/tools/mkinitramfs ${image} ${list} ${SHOAL_ROOT}/user/rootfs
        DEPENDS ${targets} ${list} ${rootfs} ${SHOAL_ROOT}/tools/mkinitramfs
        COMMENT "Packing initramfs.cpio"
        VERBATIM)
    add_custom_target(initramfs ALL DEPENDS ${image})
endfunction()
