#include <array>
#include <utility>

#include "engine/io/checkpoint_readers.h"
#include "engine/io/extents.h"
#include "engine/io/protobuf.h"

// Caffe's caffe.proto: NetParameter { name 1, layers 2 (V1LayerParameter), layer 100 (LayerParameter) }.
namespace graft {
namespace {

constexpr std::size_t kMaxCaffeRank = 32;  // Caffe's own limit

struct Blob {
  std::vector<std::int64_t> shape;
  ProtobufElements elements;
  bool is_double = false;

  std::size_t element() const { return is_double ? sizeof(double) : sizeof(float); }
};

/// BlobProto { num 1, channels 2, height 3, width 4, data 5, diff 6, shape 7 { dim 1 }, double_data 8 }.
Blob read_blob(protozero::pbf_reader message) {
  Blob blob;
  std::array<std::int64_t, 4> legacy{};
  bool has_shape = false;
  ProtobufElements doubles;
  while (message.next()) {
    switch (message.tag_and_type()) {
      case field(1, ProtobufWire::varint):
      case field(2, ProtobufWire::varint):
      case field(3, ProtobufWire::varint):
      case field(4, ProtobufWire::varint): {
        const std::uint32_t number = message.tag();
        legacy[number - 1] = message.get_int32();
        break;
      }
      case field(5, ProtobufWire::length_delimited):
      case field(5, ProtobufWire::fixed32):
        blob.elements.add_fixed(message);
        break;
      case field(8, ProtobufWire::length_delimited):
      case field(8, ProtobufWire::fixed64):
        doubles.add_fixed(message);
        break;
      case field(7, ProtobufWire::length_delimited): {
        has_shape = true;
        protozero::pbf_reader shape = message.get_message();
        while (shape.next(1)) append_varints(shape, blob.shape, kMaxCaffeRank, "a blob's shape");
        break;
      }
      default:
        message.skip();
    }
  }
  if (!has_shape) blob.shape.assign(legacy.begin(), legacy.end());
  blob.is_double = doubles.nbytes(0) != 0;
  if (blob.is_double) blob.elements = std::move(doubles);
  return blob;
}

/// A layer's name and blobs; the numbers of these fields differ between the three generations of layers.
struct Layer {
  std::string name;
  std::vector<Blob> blobs;
};

struct LayerFields {
  std::uint32_t name;
  std::uint32_t blobs;
};

constexpr LayerFields kLayer = {.name = 1, .blobs = 7};
constexpr LayerFields kLayerV1 = {.name = 4, .blobs = 6};
constexpr LayerFields kLayerV0 = {.name = 1, .blobs = 50};
constexpr std::uint32_t kV0WithinV1 = 1;

void read_layer(protozero::pbf_reader message, const LayerFields& fields, Layer& layer) {
  while (message.next()) {
    const bool is_part = message.wire_type() == ProtobufWire::length_delimited;
    if (is_part && message.tag() == fields.name) {
      layer.name = text_of(message.get_view());
    } else if (is_part && message.tag() == fields.blobs) {
      layer.blobs.push_back(read_blob(message.get_message()));
    } else if (is_part && fields.name == kLayerV1.name && message.tag() == kV0WithinV1) {
      read_layer(message.get_message(), kLayerV0, layer);
    } else {
      message.skip();
    }
  }
}

class CaffeCheckpoint : public Checkpoint {
 public:
  CaffeCheckpoint(const std::filesystem::path& path, std::shared_ptr<const MappedFile> file)
      : Checkpoint(path, "caffe"), file_(std::move(file)) {
    reading_protobuf([this] { read_net(); });
  }

 private:
  void read_net() {
    protozero::pbf_reader net = protobuf_message(file_->bytes());
    while (net.next()) {
      switch (net.tag_and_type()) {
        case field(1, ProtobufWire::length_delimited):
          add_metadata("name", std::string(text_of(net.get_view())));
          break;
        case field(2, ProtobufWire::length_delimited):
          add_layer(net.get_message(), kLayerV1);
          break;
        case field(100, ProtobufWire::length_delimited):
          add_layer(net.get_message(), kLayer);
          break;
        default:
          net.skip();
      }
    }
  }

  void add_layer(protozero::pbf_reader message, const LayerFields& fields) {
    Layer layer;
    read_layer(message, fields, layer);
    for (std::size_t i = 0; i < layer.blobs.size(); ++i) {
      Blob& blob = layer.blobs[i];
      const std::string name = layer.name + "/" + std::to_string(i);
      const std::uint64_t wanted = dense_bytes(blob.shape, blob.element(), "blob '" + printable(name) + "'");
      if (blob.elements.nbytes(0) != wanted) {
        damaged("blob '{}' has {} bytes, its shape asks for {}", printable(name), blob.elements.nbytes(0), wanted);
      }
      add({.name = name,
           .dtype = blob.is_double ? "double" : "float",
           .known = blob.is_double ? DType::f64 : DType::f32,
           .shape = blob.shape,
           .nbytes = wanted,
           .problem = {}});
      elements_.push_back(std::move(blob.elements));
    }
  }

  void read_tensor(std::size_t index, std::span<std::byte> destination) const override {
    elements_[index].copy(0, destination);
  }

  std::optional<std::span<const std::byte>> mapped_tensor(std::size_t index) const override {
    return elements_[index].mapped();
  }

  std::shared_ptr<const MappedFile> file_;
  std::vector<ProtobufElements> elements_;
};

}  // namespace

std::unique_ptr<Checkpoint> open_caffe(const std::filesystem::path& path, std::shared_ptr<const MappedFile> file) {
  return std::make_unique<CaffeCheckpoint>(path, std::move(file));
}

}  // namespace graft
