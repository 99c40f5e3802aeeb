#pragma once

#include <string_view>

// Makes the file of that path part of the program; at namespace scope, outside of any namespace. The compiler
// does not tell that it read the file: CMakeLists.txt names it as a dependency.
#define TRAWL_EMBED(symbol, file)                                                    \
  __asm__(".section .rodata\n.global " #symbol "\n.global " #symbol "_end\n" #symbol \
          ":\n"                                                                      \
          ".incbin \"" file "\"\n" #symbol "_end:\n.byte 0\n.previous\n");           \
  extern "C" const char symbol[];                                                    \
  extern "C" const char symbol##_end[]

// What it holds.
#define TRAWL_EMBEDDED(symbol)                              \
  std::string_view {                                        \
    symbol, static_cast<std::size_t>(symbol##_end - symbol) \
  }
