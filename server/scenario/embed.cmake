# Writes OUTPUT, a C file with every file named in LIST (one path a line), as
# server/scenario/shipped.h promises them.

file(STRINGS ${LIST} files ENCODING UTF-8)
set(names "")
foreach(file IN LISTS files)
  get_filename_component(name ${file} NAME_WLE)
  if(NOT name MATCHES "^[A-Za-z0-9._-]+$")
    message(FATAL_ERROR "${file}: a name is made of A-Z a-z 0-9 . _ -")
  endif()
  list(APPEND names ${name})
  set(path_of_${name} ${file})
endforeach()
# By name, not by path: the sort of paths puts a-b.yaml before a.yaml.
list(SORT names)
list(LENGTH names count)

set(texts "")
set(rows "")
set(index 0)
foreach(name IN LISTS names)
  file(READ ${path_of_${name}} bytes HEX)
  string(LENGTH "${bytes}" size)
  math(EXPR size "${size} / 2")
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  string(APPEND texts
    "static const unsigned char text_${index}[] = { ${bytes}0 };\n")
  string(APPEND rows
    "\t{ \"${name}\", (const char *)text_${index}, ${size} },\n")
  math(EXPR index "${index} + 1")
endforeach()

file(WRITE ${OUTPUT} "#include \"scenario/shipped.h\"

${texts}
const struct shipped_scenario shipped_scenarios[] = {
${rows}\t{ NULL, NULL, 0 },
};
const size_t shipped_scenario_count = ${count};
")
