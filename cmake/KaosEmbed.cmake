# kaos_embed(MODULE SYMBOL DIR GLOB...): files of DIR as a C table `SYMBOL[]` of struct embedded
# (base/embed.h), compiled into kaos_MODULE; regenerated when a file changes.
function(kaos_embed module symbol dir)
    get_target_property(type kaos_${module} TYPE)
    if(type STREQUAL "INTERFACE_LIBRARY")
        return()
    endif()
    list(TRANSFORM ARGN PREPEND ${dir}/ OUTPUT_VARIABLE globs)
    file(GLOB files CONFIGURE_DEPENDS ${globs})
    set(out ${CMAKE_BINARY_DIR}/embed/${symbol}.c)
    add_custom_command(OUTPUT ${out}
        COMMAND ${CMAKE_COMMAND} -DOUT=${out} -DSYMBOL=${symbol} "-DFILES=${files}"
                -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
        DEPENDS ${files} ${CMAKE_SOURCE_DIR}/cmake/embed.cmake VERBATIM)
    target_sources(kaos_${module} PRIVATE ${out})
endfunction()
