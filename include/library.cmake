# The library in its two forms, and what an installation has of it. Both show
# the functions of mockndes.h and no other name.

set(libraries "")

if(MOCKNDES_SHARED)
  add_library(mockndes_shared SHARED)
  target_link_libraries(mockndes_shared PRIVATE mockndes_objects)
  set_target_properties(mockndes_shared PROPERTIES
    OUTPUT_NAME mockndes
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
  # A sanitizer leaves names to be found in the program.
  if(NOT sanitize)
    target_link_options(mockndes_shared PRIVATE -Wl,-z,defs)
  endif()
  list(APPEND libraries shared)
endif()

# An archive of many objects shows every name that one of them takes from
# another. Linked into one object first, what is hidden can be made its own.
if(MOCKNDES_STATIC)
  if(NOT CMAKE_OBJCOPY)
    message(FATAL_ERROR "MOCKNDES_STATIC needs objcopy (binutils or llvm)")
  endif()
  set(whole ${CMAKE_CURRENT_BINARY_DIR}/libmockndes.o)
  set(objects $<TARGET_OBJECTS:mockndes_objects>)
  separate_arguments(flags UNIX_COMMAND "${CMAKE_C_FLAGS}")
  add_custom_command(OUTPUT ${whole}
    COMMAND ${CMAKE_C_COMPILER} ${flags} -r -nostdlib -o ${whole} ${objects}
    COMMAND ${CMAKE_OBJCOPY} --localize-hidden ${whole}
    DEPENDS ${objects}
    COMMENT "Linking all objects into one"
    COMMAND_EXPAND_LISTS VERBATIM)
  set_source_files_properties(${whole} PROPERTIES
    EXTERNAL_OBJECT TRUE GENERATED TRUE)
  add_library(mockndes_static STATIC ${whole})
  add_dependencies(mockndes_static mockndes_objects)
  target_link_libraries(mockndes_static
    PRIVATE PkgConfig::MOCKNDES_NEEDS Threads::Threads)
  set_target_properties(mockndes_static PROPERTIES
    OUTPUT_NAME mockndes LINKER_LANGUAGE C)
  list(APPEND libraries static)
endif()

foreach(form IN LISTS libraries)
  target_include_directories(mockndes_${form} INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  add_library(mockndes::mockndes_${form} ALIAS mockndes_${form})
endforeach()
# For those who add this project to theirs.
if(libraries)
  list(GET libraries 0 form)
  add_library(mockndes::mockndes ALIAS mockndes_${form})
endif()

if(NOT MOCKNDES_INSTALL OR NOT libraries)
  return()
endif()

# Relative to itself, so that an installation can be moved.
function(install_pkg_config name libs requires libs_private)
  set(dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
  if(IS_ABSOLUTE ${dir})
    set(prefix ${CMAKE_INSTALL_PREFIX})
  else()
    file(RELATIVE_PATH prefix /${dir} /)
    string(REGEX REPLACE "/$" "" prefix "\${pcfiledir}/${prefix}")
  endif()
  foreach(path IN ITEMS LIBDIR INCLUDEDIR)
    string(TOLOWER ${path} variable)
    set(${variable} ${CMAKE_INSTALL_${path}})
    if(NOT IS_ABSOLUTE ${${variable}})
      set(${variable} "\${prefix}/${${variable}}")
    endif()
  endforeach()
  configure_file(include/mockndes.pc.in ${name}.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${name}.pc
    DESTINATION ${dir} COMPONENT development)
endfunction()

# mockndes is the shared library, or whichever there is with `--static`;
# mockndes-static is the archive even if both lie in one directory.
string(REPLACE ";" ", " requires "${needs}")
string(REGEX REPLACE "(>=|<=|=)" " \\1 " requires "${requires}")
if(MOCKNDES_SHARED)
  install_pkg_config(mockndes -lmockndes
    "Requires.private: ${requires}" "Libs.private: -pthread")
else()
  install_pkg_config(mockndes "-lmockndes -pthread" "Requires: ${requires}" "")
endif()
if(MOCKNDES_STATIC)
  install_pkg_config(mockndes-static "-l:libmockndes.a -pthread"
    "Requires: ${requires}" "")
endif()

set(cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/mockndes)
foreach(form IN LISTS libraries)
  install(TARGETS mockndes_${form} EXPORT mockndes-${form}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
      COMPONENT library NAMELINK_COMPONENT development
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
  install(EXPORT mockndes-${form} FILE mockndes-${form}.cmake
    NAMESPACE mockndes:: DESTINATION ${cmake_dir} COMPONENT development)
endforeach()

include(CMakePackageConfigHelpers)
configure_package_config_file(include/mockndes-config.cmake.in
  mockndes-config.cmake INSTALL_DESTINATION ${cmake_dir}
  NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may change what is there.
write_basic_package_version_file(mockndes-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/mockndes-config.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/mockndes-config-version.cmake
  DESTINATION ${cmake_dir} COMPONENT development)
install(FILES include/mockndes.h
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development)
