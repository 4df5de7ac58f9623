#include "engine/io/checkpoint_readers.h"
#include "engine/io/protobuf.h"

namespace graft {

ProtobufKind protobuf_kind(std::span<const std::byte> bytes) {
  bool version = false;
  bool graph = false;
  bool layers = false;
  try {
    protozero::pbf_reader message = protobuf_message(bytes);
    while (message.next()) {
      version = version || message.tag_and_type() == field(1, ProtobufWire::varint);
      graph = graph || message.tag_and_type() == field(7, ProtobufWire::length_delimited);
      layers = layers || message.tag_and_type() == field(2, ProtobufWire::length_delimited) ||
               message.tag_and_type() == field(100, ProtobufWire::length_delimited);
      message.skip();
    }
  } catch (const protozero::exception&) {
    return ProtobufKind::none;
  }
  if (graph && version) return ProtobufKind::onnx;
  return layers && !version ? ProtobufKind::caffe : ProtobufKind::none;
}

}  // namespace graft
