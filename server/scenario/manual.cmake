# Writes OUTPUT, a manual page: TEMPLATE with the keys that PROGRAM tells of in
# the place of @KEYS@.

execute_process(COMMAND ${PROGRAM} manual
  OUTPUT_VARIABLE keys OUTPUT_STRIP_TRAILING_WHITESPACE
  RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${PROGRAM} manual: ${status}")
endif()
file(READ ${TEMPLATE} page)
string(REPLACE "@KEYS@" "${keys}" page "${page}")
file(WRITE ${OUTPUT} "${page}")
