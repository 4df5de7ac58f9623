#include "engine/io/torch_dtype.h"

#include <algorithm>
#include <array>

namespace graft {
namespace {

constexpr std::array<TorchDType, 21> kTypes = {{{"float32", "FloatStorage", 4, DType::f32},
                                                {"float64", "DoubleStorage", 8, DType::f64},
                                                {"float16", "HalfStorage", 2, DType::f16},
                                                {"bfloat16", "BFloat16Storage", 2, DType::bf16},
                                                {"int64", "LongStorage", 8, DType::i64},
                                                {"int32", "IntStorage", 4, DType::i32},
                                                {"int16", "ShortStorage", 2, std::nullopt},
                                                {"int8", "CharStorage", 1, std::nullopt},
                                                {"uint8", "ByteStorage", 1, DType::u8},
                                                {"bool", "BoolStorage", 1, std::nullopt},
                                                {"complex64", "ComplexFloatStorage", 8, std::nullopt},
                                                {"complex128", "ComplexDoubleStorage", 16, std::nullopt},
                                                {"qint8", "QInt8Storage", 1, std::nullopt},
                                                {"quint8", "QUInt8Storage", 1, std::nullopt},
                                                {"qint32", "QInt32Storage", 4, std::nullopt},
                                                {"uint16", "", 2, std::nullopt},
                                                {"uint32", "", 4, std::nullopt},
                                                {"uint64", "", 8, std::nullopt},
                                                {"float8_e4m3fn", "", 1, std::nullopt},
                                                {"float8_e5m2", "", 1, std::nullopt},
                                                // Bytes without a type: what newer files say of some storages.
                                                {"untyped", "UntypedStorage", 1, std::nullopt}}};

}  // namespace

const TorchDType* torch_dtype_of_storage(std::string_view class_name) {
  if (class_name.empty()) return nullptr;
  const auto found =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const TorchDType& type) { return type.storage == class_name; });
  return found == kTypes.end() ? nullptr : &*found;
}

const TorchDType* torch_dtype_named(std::string_view name) {
  const auto found =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const TorchDType& type) { return type.name == name; });
  return found == kTypes.end() ? nullptr : &*found;
}

}  // namespace graft
