# Writes OUTPUT, a C file with the bytes of INPUT, as server/control/openapi.h
# promises them.

file(READ ${INPUT} bytes HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")

file(WRITE ${OUTPUT} "#include \"control/openapi.h\"

static const unsigned char text[] = { ${bytes} };

struct span
control_openapi(void)
{
	return span_of(text, sizeof(text));
}
")
