# cmake -D ROOT=<source tree> -D CLANG_FORMAT=<program> -P format.cmake
cmake_minimum_required(VERSION 3.25)

set(files "")
foreach(folder core neurons synapses network learning datasets apps tests bench)
  file(GLOB_RECURSE found ${ROOT}/${folder}/*.hpp ${ROOT}/${folder}/*.cpp ${ROOT}/${folder}/*.cuh ${ROOT}/${folder}/*.cu)
  list(APPEND files ${found})
endforeach()
execute_process(COMMAND ${CLANG_FORMAT} --dry-run --Werror ${files} RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "run clang-format -i on the files above")
endif()
list(LENGTH files count)
message("${count} files are formatted")
