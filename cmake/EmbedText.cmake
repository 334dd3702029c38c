# synfire_embed_text(target FILES name=path ...): makes `embedded_<name>.hpp` for the target, with the file's content as a
# std::string_view called <name>; so that a page or a script travels inside the program.
function(synfire_embed_text target)
  cmake_parse_arguments(ARG "" "" "FILES" ${ARGN})
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/embedded)
  set(sources)
  foreach(entry IN LISTS ARG_FILES)
    string(REPLACE "=" ";" parts ${entry})
    list(GET parts 0 name)
    list(GET parts 1 path)
    get_filename_component(path ${path} ABSOLUTE)
    add_custom_command(
      OUTPUT ${folder}/embedded_${name}.cpp ${folder}/embedded_${name}.hpp
      COMMAND ${CMAKE_COMMAND} -DNAME=${name} -DINPUT=${path} -DFOLDER=${folder}
              -P ${PROJECT_SOURCE_DIR}/cmake/embed_text_file.cmake
      DEPENDS ${path} ${PROJECT_SOURCE_DIR}/cmake/embed_text_file.cmake
      VERBATIM)
    list(APPEND sources ${folder}/embedded_${name}.cpp ${folder}/embedded_${name}.hpp)
  endforeach()
  target_sources(${target} PRIVATE ${sources})
  target_include_directories(${target} PRIVATE ${folder})
endfunction()
