# Writes the commit of SOURCE_DIR as a C++ string literal to OUTPUT, if it is not there already.
# Without git, the commit is the one that `git archive` filled in below (see .gitattributes), or unknown.
set(archived "$Format:%H$")

set(commit "unknown")
if(archived MATCHES "^[0-9a-f]+$")
  set(commit ${archived})
endif()
find_program(git git)
if(git AND EXISTS ${SOURCE_DIR}/.git)
  execute_process(COMMAND ${git} rev-parse HEAD WORKING_DIRECTORY ${SOURCE_DIR}
    RESULT_VARIABLE failed OUTPUT_VARIABLE head OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(NOT failed)
    execute_process(COMMAND ${git} status --porcelain --untracked-files=no WORKING_DIRECTORY ${SOURCE_DIR}
      OUTPUT_VARIABLE changes ERROR_QUIET)
    set(commit ${head})
    if(changes)
      string(APPEND commit "+changes")
    endif()
  endif()
endif()

set(text "\"${commit}\"\n")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} old)
endif()
if(NOT "${old}" STREQUAL "${text}")
  file(WRITE ${OUTPUT} "${text}")
endif()
