# graft_headers: half of compiling most files is reading these, so they are compiled ahead, once. A file still includes what
# it uses: clang-tidy reads each without them.
add_library(graft_headers OBJECT ${CMAKE_CURRENT_LIST_DIR}/headers.cpp)
target_link_libraries(graft_headers PRIVATE graft_compile)
target_precompile_headers(graft_headers PRIVATE <algorithm> <array> <chrono> <cmath> <cstdint> <filesystem> <functional>
                          <limits> <map> <memory> <mutex> <numeric> <optional> <set> <span> <sstream> <string> <string_view>
                          <utility> <vector> <fmt/format.h>)
