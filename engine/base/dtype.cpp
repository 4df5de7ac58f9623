#include "engine/base/dtype.h"

#include "engine/base/error.h"

namespace graft {

namespace {

struct DTypeFacts {
  DType dtype;
  std::string_view name;
  std::size_t size;
  bool floating;
};

constexpr DTypeFacts kFacts[] = {
    {DType::f32, "f32", 4, true},  {DType::bf16, "bf16", 2, true}, {DType::f64, "f64", 8, true},
    {DType::i64, "i64", 8, false}, {DType::i32, "i32", 4, false},  {DType::u8, "u8", 1, false},
    {DType::f16, "f16", 2, true},
};

const DTypeFacts& facts(DType dtype) { return kFacts[static_cast<std::size_t>(dtype)]; }

}  // namespace

std::size_t size_of(DType dtype) { return facts(dtype).size; }

std::string_view name_of(DType dtype) { return facts(dtype).name; }

bool is_floating(DType dtype) { return facts(dtype).floating; }

DType dtype_from_name(std::string_view name) {
  for (const DTypeFacts& entry : kFacts) {
    if (entry.name == name) return entry.dtype;
  }
  fail(ErrorKind::usage, "no dtype is called '{}': choose f32 or bf16", name);
}

}  // namespace graft
