# One place for compiler flags: every target of the project links kaos_flags.
add_library(kaos_flags INTERFACE)
target_compile_definitions(kaos_flags INTERFACE _GNU_SOURCE KAOS_VERSION="${PROJECT_VERSION}")
target_compile_options(kaos_flags INTERFACE
    -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef -Wformat=2
    -Wpointer-arith -Wwrite-strings -Wno-unused-parameter -fno-strict-aliasing
    $<$<BOOL:${KAOS_WERROR}>:-Werror>
    $<$<CONFIG:Release>:-O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong>)
# Asserts stay on in release: a test tool that goes on with broken state gives wrong verdicts.
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
if(KAOS_SANITIZE)
    target_compile_options(kaos_flags INTERFACE
        -fsanitize=${KAOS_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all -O1 -g)
    target_link_options(kaos_flags INTERFACE -fsanitize=${KAOS_SANITIZE})
endif()
