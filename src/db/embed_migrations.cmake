# cmake -DFOLDER=<of .sql files> -DOUTPUT=<.cpp> -P embed_migrations.cmake
#
# Writes a source file that holds every <version>_<name>.sql of FOLDER, in order.
file(GLOB files "${FOLDER}/*.sql")
list(SORT files)
set(steps "")
set(expected 1)
foreach(file IN LISTS files)
  get_filename_component(base "${file}" NAME_WE)
  if(NOT base MATCHES "^0*([1-9][0-9]*)_([a-z0-9_]+)$")
    message(FATAL_ERROR "${file}: a migration is named 0001_what_it_does.sql")
  endif()
  set(version ${CMAKE_MATCH_1})
  set(name ${CMAKE_MATCH_2})
  if(NOT version EQUAL expected)
    message(FATAL_ERROR "${file}: version ${expected} comes next")
  endif()
  math(EXPR expected "${expected} + 1")
  file(READ "${file}" sql)
  string(APPEND steps "    {${version}, \"${name}\", R\"sql(${sql})sql\"},\n")
endforeach()
file(WRITE "${OUTPUT}" "// Made by embed_migrations.cmake.
#include \"db/migrations.h\"

namespace trawl::db {

std::span<const Migration> migrations() {
  static constexpr Migration kMigrations[] = {
${steps}  };
  return kMigrations;
}

}  // namespace trawl::db
")
