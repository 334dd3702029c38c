# Installation, and the package with which another project finds the rooms: find_package(synfire), synfire::learning.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

get_property(synfire_rooms GLOBAL PROPERTY SYNFIRE_ROOMS)
install(TARGETS ${synfire_rooms} EXPORT synfire-targets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/synfire)
if(TARGET synfire)
  install(TARGETS synfire RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(EXPORT synfire-targets NAMESPACE synfire:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/synfire)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

# How another project finds what a room links. A library that a room uses and that is not here is an error, so that the
# package cannot go stale.
set(synfire_find_Boost::headers "find_dependency(Boost)")
set(synfire_find_CUDA::cudart_static "find_dependency(CUDAToolkit)")
set(synfire_find_DNNL::dnnl "find_dependency(dnnl)")
set(synfire_find_Eigen3::Eigen "find_dependency(Eigen3)")
set(synfire_find_OpenSSL::Crypto "find_dependency(OpenSSL COMPONENTS Crypto)")
set(synfire_find_PNG::PNG "find_dependency(PNG)")
set(synfire_find_GIF::GIF "find_dependency(GIF)")
foreach(module LZ4=liblz4 SAMPLERATE=samplerate SNDFILE=sndfile)
  string(REGEX MATCH "(.*)=(.*)" matched ${module})
  set(synfire_find_PkgConfig::${CMAKE_MATCH_1}
    "find_dependency(PkgConfig)\nif(NOT TARGET PkgConfig::${CMAKE_MATCH_1})\n  pkg_check_modules(${CMAKE_MATCH_1} REQUIRED QUIET IMPORTED_TARGET ${CMAKE_MATCH_2})\nendif()")
endforeach()
set(synfire_find_TBB::tbb "find_dependency(TBB)")
set(synfire_find_ZLIB::ZLIB "find_dependency(ZLIB)")
set(synfire_find_flatbuffers::flatbuffers "find_dependency(FlatBuffers)")
set(synfire_find_fmt::fmt "find_dependency(fmt)")
set(synfire_find_hdf5::hdf5 "find_dependency(HDF5 COMPONENTS C)")
set(synfire_find_nlohmann_json::nlohmann_json "find_dependency(nlohmann_json)")
set(synfire_find_pugixml::pugixml "find_dependency(pugixml)")
set(synfire_find_tomlplusplus::tomlplusplus "find_dependency(tomlplusplus)")
set(synfire_find_zstd::libzstd_shared "find_dependency(zstd)")

set(synfire_find_dependencies "")
foreach(room IN LISTS synfire_rooms)
  get_target_property(libraries ${room} LINK_LIBRARIES)
  foreach(library IN LISTS libraries)
    if(NOT library OR library MATCHES "^synfire::" OR NOT library MATCHES "::")
      continue()
    endif()
    if(NOT DEFINED synfire_find_${library})
      message(FATAL_ERROR "${room} links ${library}: say in cmake/SynfireInstall.cmake how another project finds it")
    endif()
    list(APPEND synfire_find_dependencies "${synfire_find_${library}}")
  endforeach()
endforeach()
list(REMOVE_DUPLICATES synfire_find_dependencies)
list(JOIN synfire_find_dependencies "\n" synfire_find_dependencies)

configure_package_config_file(cmake/synfireConfig.cmake.in ${PROJECT_BINARY_DIR}/generated/synfireConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/synfire)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/generated/synfireConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/generated/synfireConfig.cmake
              ${PROJECT_BINARY_DIR}/generated/synfireConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/synfire)
