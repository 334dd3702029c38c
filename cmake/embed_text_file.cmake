# Script of synfire_embed_text: writes ${FOLDER}/embedded_${NAME}.hpp and .cpp from the bytes of ${INPUT}.
file(READ ${INPUT} bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(WRITE ${FOLDER}/embedded_${NAME}.hpp
  "#pragma once\n\n#include <string_view>\n\nnamespace synfire::embedded {\nextern const std::string_view ${NAME};\n}\n")
file(WRITE ${FOLDER}/embedded_${NAME}.cpp
  "#include \"embedded_${NAME}.hpp\"\n\nnamespace synfire::embedded {\n"
  "namespace {\nconst unsigned char kBytes[] = {${bytes}};\n}\n"
  "const std::string_view ${NAME}{reinterpret_cast<const char*>(kBytes), sizeof kBytes};\n}\n")
