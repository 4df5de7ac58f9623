# How everything is compiled: C++20, warnings as errors, and on x86-64 the AVX2 level, the lowest that graft runs on.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_package(OpenMP REQUIRED)
find_package(fmt REQUIRED)
find_package(Threads REQUIRED)

add_library(graft_compile INTERFACE)
target_include_directories(graft_compile INTERFACE ${CMAKE_SOURCE_DIR})
# nvcc has words of its own for all of this: cuda/nvcc.
target_compile_options(
  graft_compile INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wpedantic;-Wshadow;-Wconversion;-Werror>")
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # To Clang signedness is part of -Wconversion, to GCC it is not.
  target_compile_options(graft_compile INTERFACE -Wno-sign-conversion)
endif()
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  # Widths of 512 bits are oneDNN's to choose at run time: graft's own loops are bound by memory, and one instruction set
  # gives one set of bits.
  target_compile_options(graft_compile INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-march=x86-64-v3>)
endif()
target_link_libraries(graft_compile INTERFACE fmt::fmt OpenMP::OpenMP_CXX Threads::Threads)

if(GRAFT_SANITIZE)
  target_compile_options(graft_compile INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all
                                                 -fno-omit-frame-pointer)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC 12 takes members of its own <regex> for uninitialised once the sanitizers are on.
    target_compile_options(graft_compile INTERFACE -Wno-maybe-uninitialized)
  endif()
  target_link_options(graft_compile INTERFACE -fsanitize=address,undefined)
endif()
if(GRAFT_FUZZ)
  target_compile_options(graft_compile INTERFACE -fsanitize=fuzzer-no-link)
endif()
