# cmake -D ROOT=<source tree> -P include_edges.cmake
# Reads the #include lines of every room and fails on an arrow that is not drawn here.
#
#   apps ──> learning ──> network ──┬─> neurons ──┐
#     │                             └─> synapses ─┴─> core
#     └────> datasets ────────────────────────────────^
cmake_minimum_required(VERSION 3.25)

set(may_core core)
set(may_neurons neurons core)
set(may_synapses synapses core)
set(may_network network neurons synapses core)
set(may_learning learning network neurons synapses core)
set(may_datasets datasets core)
set(may_apps apps learning network neurons synapses datasets core)

# Random numbers come from core/random.hpp, the same on every device; libraries do not print.
set(never_random "random numbers come from core/random.hpp")
set(never_iostream "libraries do not print")

set(problems "")
set(num_edges 0)
foreach(room core neurons synapses network learning datasets apps)
  file(GLOB_RECURSE files RELATIVE ${ROOT} ${ROOT}/${room}/*.hpp ${ROOT}/${room}/*.cpp ${ROOT}/${room}/*.cuh
    ${ROOT}/${room}/*.cu)
  foreach(file IN LISTS files)
    file(STRINGS ${ROOT}/${file} lines REGEX "^[ \t]*#[ \t]*include")
    foreach(line IN LISTS lines)
      string(REGEX MATCH "include[ \t]*([\"<])([^/\">]+)(/?)" matched "${line}")
      set(other ${CMAKE_MATCH_2})
      if(CMAKE_MATCH_3 AND (CMAKE_MATCH_1 STREQUAL "\"" OR DEFINED may_${other}))
        math(EXPR num_edges "${num_edges} + 1")
        if(NOT other IN_LIST may_${room})
          list(APPEND problems "${file}: ${room} must not include ${other}: ${line}")
        endif()
      elseif(DEFINED never_${other} AND NOT "${room} ${other}" STREQUAL "apps iostream")
        list(APPEND problems "${file}: ${never_${other}}: ${line}")
      endif()
    endforeach()
  endforeach()
endforeach()

if(problems)
  list(JOIN problems "\n" problems)
  message("${problems}")
  message(FATAL_ERROR "an include does not follow the arrows")
endif()
if(num_edges EQUAL 0)
  message(FATAL_ERROR "no include between rooms found below ${ROOT}: wrong folder?")
endif()
message("${num_edges} includes follow the arrows")
