# cmake -D ROOT=<source tree> -P references.cmake
# Every key of a paper that a comment uses, such as [Fang2021], stands in docs/references.md.
cmake_minimum_required(VERSION 3.25)

# An opening bracket would keep CMake from cutting a list there.
file(READ ${ROOT}/docs/references.md references)
string(REPLACE "[" "@" references "${references}")
set(problems "")
set(num_keys 0)
foreach(folder core neurons synapses network learning datasets apps tests bench docs)
  file(GLOB_RECURSE files RELATIVE ${ROOT} ${ROOT}/${folder}/*.hpp ${ROOT}/${folder}/*.cpp ${ROOT}/${folder}/*.cu
    ${ROOT}/${folder}/*.cuh ${ROOT}/${folder}/*.md)
  foreach(file IN LISTS files)
    file(READ ${ROOT}/${file} text)
    string(REPLACE "[" "@" text "${text}")
    string(REGEX MATCHALL "@[A-Z][A-Za-z]+[12][0-9][0-9][0-9][a-z]?" keys "${text}")
    foreach(key IN LISTS keys)
      math(EXPR num_keys "${num_keys} + 1")
      string(FIND "${references}" "**${key}]**" position)
      if(position EQUAL -1)
        string(SUBSTRING "${key}" 1 -1 name)
        list(APPEND problems "${file}: ${name} is not in docs/references.md")
      endif()
    endforeach()
  endforeach()
endforeach()

if(problems)
  list(REMOVE_DUPLICATES problems)
  list(JOIN problems "\n" problems)
  message("${problems}")
  message(FATAL_ERROR "a paper is cited that is not in the list")
endif()
message("${num_keys} citations are in the list")
