#pragma once

#include <string_view>

namespace graft {

/// What a global of a pickle is to graft's interpreter.
enum class PickleGlobal {
  opaque,        ///< a name, never looked up
  dangerous,     ///< runs code or reaches the system: no honest checkpoint has it
  dict,          ///< dict, OrderedDict
  default_dict,  ///< defaultdict, whose first argument is a factory
  list,          ///< list, tuple, set, frozenset, torch.Size
  encode,        ///< _codecs.encode(text, "latin1"): how protocol 2 writes bytes
};

PickleGlobal classify_pickle_global(std::string_view module, std::string_view name);

}  // namespace graft
