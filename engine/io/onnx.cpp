#include <algorithm>
#include <array>
#include <utility>

#include "engine/io/checkpoint_readers.h"
#include "engine/io/extents.h"
#include "engine/io/protobuf.h"

// onnx.proto: ModelProto { producer_name 2, graph 7, metadata_props 14 { key 1, value 2 } },
// GraphProto { name 2, initializer 5 (TensorProto) }.
namespace graft {
namespace {

constexpr std::size_t kMaxOnnxRank = 64;

struct OnnxType {
  std::int32_t number;
  const char* name;
  std::size_t bytes;
  std::optional<DType> known;
};

constexpr std::array<OnnxType, 13> kTypes = {{{1, "FLOAT", 4, DType::f32},
                                              {2, "UINT8", 1, DType::u8},
                                              {3, "INT8", 1, std::nullopt},
                                              {4, "UINT16", 2, std::nullopt},
                                              {5, "INT16", 2, std::nullopt},
                                              {6, "INT32", 4, DType::i32},
                                              {7, "INT64", 8, DType::i64},
                                              {9, "BOOL", 1, std::nullopt},
                                              {10, "FLOAT16", 2, DType::f16},
                                              {11, "DOUBLE", 8, DType::f64},
                                              {12, "UINT32", 4, std::nullopt},
                                              {13, "UINT64", 8, std::nullopt},
                                              {16, "BFLOAT16", 2, DType::bf16}}};

/// TensorProto { dims 1, data_type 2, float_data 4, int32_data 5, int64_data 7, name 8, raw_data 9, double_data 10,
/// uint64_data 11, data_location 14 }.
struct Initializer {
  std::string name;
  std::vector<std::int64_t> dims;
  std::int32_t data_type = 0;
  bool external = false;
  ProtobufElements fixed;
  ProtobufElements varints;
};

Initializer read_initializer(protozero::pbf_reader message) {
  Initializer result;
  while (message.next()) {
    switch (message.tag()) {
      case 1:
        append_varints(message, result.dims, kMaxOnnxRank, "a tensor's shape");
        break;
      case 4:
      case 9:
      case 10:
        result.fixed.add_fixed(message);
        break;
      case 5:
      case 7:
      case 11:
        result.varints.add_varints(message);
        break;
      default:
        switch (message.tag_and_type()) {
          case field(2, ProtobufWire::varint):
            result.data_type = message.get_int32();
            break;
          case field(8, ProtobufWire::length_delimited):
            result.name = text_of(message.get_view());
            break;
          case field(14, ProtobufWire::varint):
            result.external = message.get_int32() != 0;
            break;
          default:
            message.skip();
        }
    }
  }
  return result;
}

class OnnxCheckpoint : public Checkpoint {
 public:
  OnnxCheckpoint(const std::filesystem::path& path, std::shared_ptr<const MappedFile> file)
      : Checkpoint(path, "onnx"), file_(std::move(file)) {
    reading_protobuf([this] { read_model(); });
  }

 private:
  struct Elements {
    std::size_t bytes;
    ProtobufElements values;
  };

  void read_model() {
    protozero::pbf_reader model = protobuf_message(file_->bytes());
    while (model.next()) {
      switch (model.tag_and_type()) {
        case field(2, ProtobufWire::length_delimited):
          add_metadata("producer_name", std::string(text_of(model.get_view())));
          break;
        case field(7, ProtobufWire::length_delimited):
          read_graph(model.get_message());
          break;
        case field(14, ProtobufWire::length_delimited):
          read_property(model.get_message());
          break;
        default:
          model.skip();
      }
    }
  }

  void read_property(protozero::pbf_reader message) {
    std::string key;
    std::string value;
    while (message.next()) {
      if (message.wire_type() == ProtobufWire::length_delimited && message.tag() == 1) {
        key = text_of(message.get_view());
      } else if (message.wire_type() == ProtobufWire::length_delimited && message.tag() == 2) {
        value = text_of(message.get_view());
      } else {
        message.skip();
      }
    }
    add_metadata(key, std::move(value));
  }

  void read_graph(protozero::pbf_reader graph) {
    while (graph.next()) {
      if (graph.tag_and_type() == field(5, ProtobufWire::length_delimited)) {
        add_initializer(read_initializer(graph.get_message()));
      } else {
        graph.skip();
      }
    }
  }

  void add_initializer(Initializer tensor) {
    const std::string shown = printable(tensor.name);
    const auto type =
        std::find_if(kTypes.begin(), kTypes.end(), [&](const OnnxType& t) { return t.number == tensor.data_type; });
    CheckpointTensor entry{
        .name = std::move(tensor.name), .dtype = "opaque", .known = {}, .shape = tensor.dims, .problem = {}};
    if (type == kTypes.end()) {
      entry.problem = fmt::format("its elements are of ONNX's type {}; save it as float32", tensor.data_type);
      add(std::move(entry));
      elements_.push_back({.bytes = 1, .values = {}});
      return;
    }
    entry.dtype = type->name;
    entry.known = type->known;
    const std::uint64_t wanted = dense_bytes(tensor.dims, type->bytes, "tensor '" + shown + "'");
    ProtobufElements& values = tensor.fixed.nbytes(0) != 0 ? tensor.fixed : tensor.varints;
    if (tensor.external) {
      entry.problem = "its data lie in another file; save the model with its weights inside";
    } else if (values.nbytes(type->bytes) != wanted) {
      damaged("tensor '{}' has {} bytes, its type and shape ask for {}", shown, values.nbytes(type->bytes), wanted);
    } else {
      entry.nbytes = wanted;
    }
    add(std::move(entry));
    elements_.push_back({.bytes = type->bytes, .values = std::move(values)});
  }

  void read_tensor(std::size_t index, std::span<std::byte> destination) const override {
    reading_protobuf([&] { elements_[index].values.copy(elements_[index].bytes, destination); });
  }

  std::optional<std::span<const std::byte>> mapped_tensor(std::size_t index) const override {
    return elements_[index].values.mapped();
  }

  std::shared_ptr<const MappedFile> file_;
  std::vector<Elements> elements_;
};

}  // namespace

std::unique_ptr<Checkpoint> open_onnx(const std::filesystem::path& path, std::shared_ptr<const MappedFile> file) {
  return std::make_unique<OnnxCheckpoint>(path, std::move(file));
}

}  // namespace graft
