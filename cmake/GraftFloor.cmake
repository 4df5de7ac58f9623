# graft_floor(NAME [lower targets and libraries ...]): the library of the current folder, from all its .cpp files. The presets
# compile them several at a time (unity builds), which takes a third of the time: names local to a file are its floor's.
function(graft_floor NAME)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp ${CMAKE_CURRENT_SOURCE_DIR}/*.h)
  add_library(${NAME} STATIC ${sources})
  set_target_properties(${NAME} PROPERTIES LINKER_LANGUAGE CXX)
  target_link_libraries(${NAME} PUBLIC graft_compile ${ARGN})
  target_precompile_headers(${NAME} REUSE_FROM graft_headers)
endfunction()

# graft_tests(NAME LABELS label ... LINK target ...): one test program from all .cpp files of the current folder.
# Labels: engine (built by the target engine_tests and run again under the sanitizers), avx2 (run again at that instruction set).
function(graft_tests NAME)
  cmake_parse_arguments(ARG "" "" "LABELS;LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp ${CMAKE_CURRENT_SOURCE_DIR}/*.h)
  if(NOT sources)
    return()
  endif()
  string(JOIN "-" labels ${ARG_LABELS})  # one label: ctest -L finds each word in it, and lists do not pass discovery
  add_executable(${NAME} ${sources})
  target_link_libraries(${NAME} PRIVATE graft_compile ${ARG_LINK} ${ARG_UNPARSED_ARGUMENTS} GTest::gtest_main)
  target_precompile_headers(${NAME} REUSE_FROM graft_tests_headers)
  target_compile_definitions(${NAME} PRIVATE GRAFT_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  target_link_libraries(${NAME} PRIVATE graft_tests_options)
  set_target_properties(${NAME} PROPERTIES UNITY_BUILD OFF)  # tests name their fixtures alike
  if("engine" IN_LIST ARG_LABELS)
    add_dependencies(engine_tests ${NAME})
  endif()
  if(GRAFT_SANITIZE)
    # To start a sanitized process costs more than most tests: a process for every eighth test instead of one a test.
    foreach(shard RANGE 7)
      add_test(NAME ${NAME}.${shard} COMMAND ${NAME} --gtest_brief=1)
      set_tests_properties(${NAME}.${shard} PROPERTIES TIMEOUT 1200 LABELS "${labels}"
                           ENVIRONMENT "GTEST_TOTAL_SHARDS=8;GTEST_SHARD_INDEX=${shard}")
    endforeach()
  else()
    gtest_discover_tests(${NAME} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 600 LABELS "${labels}")
  endif()
endfunction()
