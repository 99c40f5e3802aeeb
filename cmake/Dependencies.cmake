find_package(Boost 1.83 REQUIRED COMPONENTS json url)
find_package(OpenSSL 3.0 REQUIRED)
find_package(SQLite3 3.40 REQUIRED)
find_package(PostgreSQL 15 REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(HIREDICT REQUIRED IMPORTED_TARGET hiredict>=1.1)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(TOMLPLUSPLUS REQUIRED IMPORTED_TARGET tomlplusplus)
pkg_check_modules(PROMETHEUS REQUIRED IMPORTED_TARGET prometheus-cpp-core>=1.0)
pkg_check_modules(MAGIC REQUIRED IMPORTED_TARGET libmagic)

if(TRAWL_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()

# What every target compiles with. Asio and Beast are compiled once, in async/ and http/.
add_library(trawl_flags INTERFACE)
target_include_directories(trawl_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_definitions(trawl_flags INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_BEAST_SEPARATE_COMPILATION
  SPDLOG_FMT_EXTERNAL)
target_compile_options(trawl_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wno-missing-designated-field-initializers -Wnon-virtual-dtor -Werror=return-type -Werror=unused-result
  "SHELL:-Xclang -fno-pch-timestamp")
target_link_libraries(trawl_flags INTERFACE
  Boost::json fmt::fmt OpenSSL::Crypto Threads::Threads)
if(TRAWL_SANITIZE)
  target_compile_options(trawl_flags INTERFACE -fsanitize=${TRAWL_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
  target_link_options(trawl_flags INTERFACE -fsanitize=${TRAWL_SANITIZE})
endif()

# The non-template parts of Asio and Beast, compiled once.
add_library(trawl_asio STATIC ${CMAKE_SOURCE_DIR}/src/async/asio_impl.cpp ${CMAKE_SOURCE_DIR}/src/async/beast_impl.cpp)
target_link_libraries(trawl_asio PUBLIC trawl_flags)
