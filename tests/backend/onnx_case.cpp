#include "tests/backend/onnx_case.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <protozero/pbf_reader.hpp>
#include <stdexcept>

namespace graft::testing {

namespace {

// Field numbers are those of onnx.proto.

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string content{std::istreambuf_iterator<char>(file), {}};
  if (!file.good() && !file.eof()) throw std::runtime_error(path.string() + " cannot be read");
  return content;
}

/// Appends the numbers of a repeated field, packed or not.
void append_ints(protozero::pbf_reader& message, std::vector<std::int64_t>& numbers) {
  if (message.wire_type() == protozero::pbf_wire_type::length_delimited) {
    for (const std::int64_t number : message.get_packed_int64()) numbers.push_back(number);
  } else {
    numbers.push_back(message.get_int64());
  }
}

template <class T>
void append_raw(const protozero::data_view& raw, std::vector<double>& values) {
  for (std::size_t offset = 0; offset + sizeof(T) <= raw.size(); offset += sizeof(T)) {
    T value;
    std::memcpy(&value, raw.data() + offset, sizeof(T));
    values.push_back(static_cast<double>(value));
  }
}

void append_raw(std::int32_t data_type, const protozero::data_view& raw, std::vector<double>& values) {
  switch (data_type) {
    case 1:
      return append_raw<float>(raw, values);
    case 6:
      return append_raw<std::int32_t>(raw, values);
    case 7:
      return append_raw<std::int64_t>(raw, values);
    case 9:
      return append_raw<std::uint8_t>(raw, values);  // bool
    case 11:
      return append_raw<double>(raw, values);
    default:
      throw std::runtime_error("a tensor has ONNX data type " + std::to_string(data_type));
  }
}

OnnxTensor read_tensor(const std::filesystem::path& path) {
  const std::string content = read_file(path);
  OnnxTensor tensor;
  std::int32_t data_type = 0;
  protozero::data_view raw;
  protozero::pbf_reader message(content);
  while (message.next()) {
    switch (message.tag()) {
      case 1:
        append_ints(message, tensor.dims);
        break;
      case 2:
        data_type = message.get_int32();
        break;
      case 9:
        raw = message.get_view();
        break;
      default:
        message.skip();
    }
  }
  append_raw(data_type, raw, tensor.values);
  std::int64_t count = 1;
  for (const std::int64_t extent : tensor.dims) count *= extent;
  if (count != static_cast<std::int64_t>(tensor.values.size())) {
    throw std::runtime_error(path.string() + " holds " + std::to_string(tensor.values.size()) + " values for " +
                             std::to_string(count) + " elements");
  }
  return tensor;
}

void read_attribute(protozero::pbf_reader message, OnnxCase& result) {
  std::string name;
  while (message.next()) {
    switch (message.tag()) {
      case 1:
        name = message.get_string();
        break;
      case 2:
        result.floats[name] = static_cast<double>(message.get_float());
        break;
      case 3:
        result.ints[name] = {message.get_int64()};
        break;
      case 4:
        result.strings[name] = message.get_string();
        break;
      case 8:
        append_ints(message, result.ints[name]);
        break;
      default:
        message.skip();
    }
  }
}

void read_node(protozero::pbf_reader message, OnnxCase& result) {
  while (message.next()) {
    if (message.tag() == 4) {
      result.op_type = message.get_string();
    } else if (message.tag() == 5) {
      read_attribute(message.get_message(), result);
    } else {
      message.skip();
    }
  }
}

void read_model(const std::filesystem::path& path, OnnxCase& result) {
  const std::string content = read_file(path);
  protozero::pbf_reader model(content);
  while (model.next(7)) {
    protozero::pbf_reader graph = model.get_message();
    while (graph.next(1)) {
      if (!result.op_type.empty()) throw std::runtime_error(path.string() + " has more than one node");
      read_node(graph.get_message(), result);
    }
  }
}

std::vector<OnnxTensor> read_tensors(const std::filesystem::path& folder, const std::string& prefix) {
  std::vector<OnnxTensor> tensors;
  for (int i = 0;; ++i) {
    const std::filesystem::path path = folder / (prefix + std::to_string(i) + ".pb");
    if (!std::filesystem::exists(path)) return tensors;
    tensors.push_back(read_tensor(path));
  }
}

template <class Map, class Value>
Value find_or(const Map& map, const std::string& name, Value otherwise) {
  const auto found = map.find(name);
  return found == map.end() ? otherwise : found->second;
}

}  // namespace

std::int64_t OnnxCase::int_or(const std::string& name, std::int64_t otherwise) const {
  return ints_or(name, {otherwise}).at(0);
}

std::vector<std::int64_t> OnnxCase::ints_or(const std::string& name, const std::vector<std::int64_t>& otherwise) const {
  return find_or(ints, name, otherwise);
}

double OnnxCase::float_or(const std::string& name, double otherwise) const { return find_or(floats, name, otherwise); }

std::string OnnxCase::string_or(const std::string& name, const std::string& otherwise) const {
  return find_or(strings, name, otherwise);
}

OnnxCase load_onnx_case(const std::string& name) {
  const std::filesystem::path root = GRAFT_ONNX_TESTDATA;
  if (!std::filesystem::is_directory(root)) {
    throw std::runtime_error(root.string() +
                             " is missing: install Debian's package libonnx-testdata (apt-get install "
                             "libonnx-testdata) or set GRAFT_ONNX_TESTDATA");
  }
  const std::filesystem::path folder = root / "data" / "node" / ("test_" + name);
  OnnxCase result;
  read_model(folder / "model.onnx", result);
  result.inputs = read_tensors(folder / "test_data_set_0", "input_");
  result.outputs = read_tensors(folder / "test_data_set_0", "output_");
  if (result.inputs.empty() || result.outputs.empty()) throw std::runtime_error(folder.string() + " holds no vector");
  return result;
}

}  // namespace graft::testing
