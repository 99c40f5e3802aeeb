# trawl_module(NAME SOURCES ... [TESTS ...] [DEPS ...] [TEST_DEPS ...])
#
# One folder under src/ becomes the library trawl::NAME. Its tests, which stand beside its sources,
# become the program NAME_test, run by ctest one case at a time. Every library reuses the
# precompiled header of trawl::base, so all share one set of compile flags.
function(trawl_module name)
  cmake_parse_arguments(M "" "" "SOURCES;TESTS;DEPS;TEST_DEPS" ${ARGN})
  add_library(trawl_${name} STATIC ${M_SOURCES})
  add_library(trawl::${name} ALIAS trawl_${name})
  target_link_libraries(trawl_${name} PUBLIC trawl_asio ${M_DEPS})
  if(name STREQUAL base)
    target_precompile_headers(trawl_base PRIVATE <base/pch.h>)
  else()
    target_precompile_headers(trawl_${name} REUSE_FROM trawl_base)
  endif()

  if(TRAWL_TESTS AND M_TESTS)
    add_executable(${name}_test ${M_TESTS})
    target_link_libraries(${name}_test PRIVATE trawl::${name} ${M_TEST_DEPS} GTest::gmock GTest::gtest_main)
    target_precompile_headers(${name}_test REUSE_FROM trawl_base)
    gtest_discover_tests(${name}_test DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 120)
  endif()
endfunction()
