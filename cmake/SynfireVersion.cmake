# What `synfire --version` says: core/version.hpp is filled from here, last of all, when every package has been found.

set(synfire_backends "\"cpu\"")
if(SYNFIRE_ENABLE_CUDA)
  string(APPEND synfire_backends ", \"cuda\"")
endif()

if(SYNFIRE_BUILD_APPS)
  get_directory_property(Boost_VERSION_STRING DIRECTORY ${PROJECT_SOURCE_DIR}/apps DEFINITION Boost_VERSION_STRING)
endif()

# Packages name their versions in different ways; what was not found is left out.
set(synfire_libraries "")
foreach(entry IN ITEMS
    "CUDA:CUDAToolkit_VERSION" "Eigen:Eigen3_VERSION" "oneTBB:TBB_VERSION" "oneDNN:dnnl_VERSION" "HDF5:HDF5_VERSION"
    "Boost:Boost_VERSION_STRING" "toml++:tomlplusplus_VERSION" "fmt:fmt_VERSION" "nlohmann-json:nlohmann_json_VERSION"
    "FlatBuffers:FlatBuffers_VERSION" "lz4:LZ4_VERSION" "zstd:zstd_VERSION"
    "pugixml:pugixml_VERSION" "libpng:PNG_VERSION_STRING" "giflib:GIF_VERSION" "zlib:ZLIB_VERSION_STRING"
    "OpenSSL:OPENSSL_VERSION")
  string(REGEX MATCH "^([^:]+):(.+)$" matched "${entry}")
  set(name "${CMAKE_MATCH_1}")
  set(variable "${CMAKE_MATCH_2}")
  if(${variable})
    string(APPEND synfire_libraries "    {\"${name}\", \"${${variable}}\"},\n")
  endif()
endforeach()
configure_file(${PROJECT_SOURCE_DIR}/cmake/build_info.cpp.in ${PROJECT_BINARY_DIR}/generated/build_info.cpp @ONLY)

# The commit is asked for at every build, but its file is only touched when it is another one.
add_custom_target(synfire_commit
  COMMAND ${CMAKE_COMMAND} -D SOURCE_DIR=${PROJECT_SOURCE_DIR} -D OUTPUT=${PROJECT_BINARY_DIR}/generated/synfire_commit.inc
          -P ${PROJECT_SOURCE_DIR}/cmake/write_commit.cmake
  BYPRODUCTS ${PROJECT_BINARY_DIR}/generated/synfire_commit.inc
  COMMENT "" VERBATIM)
add_dependencies(synfire_core synfire_commit)
target_sources(synfire_core PRIVATE ${PROJECT_BINARY_DIR}/generated/build_info.cpp)
set_source_files_properties(${PROJECT_BINARY_DIR}/generated/build_info.cpp TARGET_DIRECTORY synfire_core
  PROPERTIES OBJECT_DEPENDS ${PROJECT_BINARY_DIR}/generated/synfire_commit.inc)
