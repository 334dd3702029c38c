# How a room, a test and a benchmark are declared. One call each; sources are listed, not globbed.

function(synfire_set_flags target)
  # Contraction would make a result depend on -march: a fused multiply-add is written as std::fma where one is meant.
  target_compile_options(${target} PRIVATE
    "$<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wpedantic;-Wshadow;-Wconversion;-Wno-sign-conversion;-ffp-contract=off>"
    # GCC 12 warns of "text" + std::string, falsely: https://gcc.gnu.org/bugzilla/show_bug.cgi?id=105651
    "$<$<AND:$<COMPILE_LANGUAGE:CXX>,$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>"
    "$<$<AND:$<COMPILE_LANGUAGE:CXX>,$<BOOL:${SYNFIRE_ARCH}>>:-march=${SYNFIRE_ARCH}>"
    # 554: in View<const T>, the conversion to View<const T> is unused, and that is fine.
    "$<$<COMPILE_LANGUAGE:CUDA>:--diag-suppress=554;--fmad=false;--expt-relaxed-constexpr;-Xcompiler=-Wall,-Wextra,-ffp-contract=off>")
  if(SYNFIRE_SANITIZE)
    target_compile_options(${target} PRIVATE
      "$<$<COMPILE_LANGUAGE:CXX>:-fsanitize=${SYNFIRE_SANITIZE};-fno-omit-frame-pointer;-fno-sanitize-recover=all>")
    string(REPLACE "," "$<COMMA>" sanitizers "${SYNFIRE_SANITIZE}")  # a comma would begin a second argument
    target_link_options(${target} PRIVATE "$<HOST_LINK:-fsanitize=${sanitizers}>")
  endif()
endfunction()

# synfire_add_library(room HEADERS ... SOURCES ... CUDA ... STUBS ... DEPENDS ... PRIVATE_DEPENDS ...)
# CUDA sources are built with SYNFIRE_ENABLE_CUDA; STUBS without it.
function(synfire_add_library room)
  cmake_parse_arguments(ARG "" "" "HEADERS;SOURCES;CUDA;STUBS;DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  set(target synfire_${room})
  add_library(${target})
  add_library(synfire::${room} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${room})
  target_sources(${target} PRIVATE ${ARG_SOURCES}
    PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR} FILES ${ARG_HEADERS})
  if(SYNFIRE_ENABLE_CUDA)
    target_sources(${target} PRIVATE ${ARG_CUDA})
    if(ARG_CUDA)
      target_link_libraries(${target} PRIVATE CUDA::cudart_static)
    endif()
  else()
    target_sources(${target} PRIVATE ${ARG_STUBS})
  endif()
  target_compile_features(${target} INTERFACE cxx_std_20)
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:include/synfire>)
  target_link_libraries(${target} PUBLIC ${ARG_DEPENDS} PRIVATE ${ARG_PRIVATE_DEPENDS})
  synfire_set_flags(${target})
  set_property(GLOBAL APPEND PROPERTY SYNFIRE_ROOMS ${target})
endfunction()

# synfire_add_test(name SOURCES ... DEPENDS ...): one doctest program, one CTest entry.
function(synfire_add_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(test_${name} ${ARG_SOURCES})
  target_link_libraries(test_${name} PRIVATE synfire_test_main ${ARG_DEPENDS})
  target_compile_definitions(test_${name} PRIVATE SYNFIRE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  synfire_set_flags(test_${name})
  # Tests are compiled more often than they run for long.
  target_compile_options(test_${name} PRIVATE $<$<CONFIG:Release>:-O1>)
  add_test(NAME ${name} COMMAND test_${name})
  if(SYNFIRE_SANITIZE)
    # Memory that cannot be had is asked for on purpose, and must come back as our own error.
    set_tests_properties(${name} PROPERTIES ENVIRONMENT
      "ASAN_OPTIONS=allocator_may_return_null=1;LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/support/lsan.supp;TSAN_OPTIONS=allocator_may_return_null=1:suppressions=${PROJECT_SOURCE_DIR}/tests/support/tsan.supp")
  endif()
endfunction()
