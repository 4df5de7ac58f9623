#include "engine/io/pickle_globals.h"

#include <algorithm>
#include <array>

namespace graft {
namespace {

// Modules whose functions start programs, read and write files, load code or evaluate text, and what hides such behind
// another name.
constexpr std::array<std::string_view, 42> kDangerousModules = {
    "os",       "posix",   "nt",      "subprocess", "_posixsubprocess", "sys",       "pty",     "shutil",
    "socket",   "_socket", "ssl",     "runpy",      "importlib",        "imp",       "ctypes",  "_ctypes",
    "commands", "popen2",  "code",    "codeop",     "timeit",           "pdb",       "bdb",     "cProfile",
    "profile",  "trace",   "doctest", "webbrowser", "multiprocessing",  "threading", "asyncio", "signal",
    "pickle",   "_pickle", "cPickle", "marshal",    "shelve",           "pip",       "http",    "urllib",
    "urllib2",  "operator"};

constexpr std::array<std::string_view, 2> kBuiltins = {"builtins", "__builtin__"};

// Of the built-in names those that only make values.
constexpr std::array<std::string_view, 16> kPlainBuiltins = {
    "dict",  "list", "tuple", "set",   "frozenset", "bytes",     "int",   "long",
    "float", "bool", "str",   "slice", "complex",   "bytearray", "range", "object"};

template <class Names>
bool has(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

PickleGlobal classify_builtin(std::string_view name) {
  if (!has(kPlainBuiltins, name)) return PickleGlobal::dangerous;
  if (name == "dict") return PickleGlobal::dict;
  if (name == "list" || name == "tuple" || name == "set" || name == "frozenset") return PickleGlobal::list;
  return PickleGlobal::opaque;
}

}  // namespace

PickleGlobal classify_pickle_global(std::string_view module, std::string_view name) {
  if (has(kBuiltins, module)) return classify_builtin(name);
  if (has(kDangerousModules, module.substr(0, module.find('.')))) return PickleGlobal::dangerous;
  if (module == "collections" && name == "OrderedDict") return PickleGlobal::dict;
  if (module == "collections" && name == "defaultdict") return PickleGlobal::default_dict;
  if (module == "torch" && name == "Size") return PickleGlobal::list;
  if (module == "_codecs" && name == "encode") return PickleGlobal::encode;
  return PickleGlobal::opaque;
}

}  // namespace graft
