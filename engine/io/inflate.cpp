#include "engine/io/inflate.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <memory>

#include "engine/base/error.h"
#include "engine/io/format_fault.h"

namespace graft {

struct Inflater::Stream {
  z_stream z{};
  std::span<const std::byte> rest;
  bool ended = false;
};

Inflater::Inflater(std::span<const std::byte> deflated) {
  auto stream = std::make_unique<Stream>();
  stream->rest = deflated;
  check(inflateInit2(&stream->z, -MAX_WBITS) == Z_OK, "[inflate] zlib has no memory");
  stream_ = stream.release();
}

Inflater::~Inflater() {
  inflateEnd(&stream_->z);
  delete stream_;
}

std::size_t Inflater::read_some(std::span<std::byte> out) {
  constexpr std::size_t kChunk = std::size_t{1} << 30;  // zlib counts in 32 bits
  z_stream& z = stream_->z;
  if (stream_->ended) return 0;
  if (z.avail_in == 0) {
    const std::size_t count = std::min(stream_->rest.size(), kChunk);
    z.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(stream_->rest.data()));
    z.avail_in = static_cast<uInt>(count);
    stream_->rest = stream_->rest.subspan(count);
  }
  const std::size_t wanted = std::min(out.size(), kChunk);
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(wanted);
  const int code = inflate(&z, Z_NO_FLUSH);
  if (code == Z_MEM_ERROR) fail(ErrorKind::failure, "[inflate] zlib has no memory");
  if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
    damaged("compressed data are damaged ({})", z.msg == nullptr ? "no valid deflate data" : z.msg);
  }
  const std::size_t made = wanted - z.avail_out;
  stream_->ended = code == Z_STREAM_END;
  if (made == 0 && !stream_->ended && z.avail_in == 0 && stream_->rest.empty()) damaged("compressed data end early");
  return made;
}

void Inflater::read(std::span<std::byte> out) {
  while (!out.empty()) {
    const std::size_t made = read_some(out);
    if (made == 0 && stream_->ended) damaged("compressed data hold less than is declared");
    out = out.subspan(made);
  }
}

void Inflater::expect_end() {
  std::array<std::byte, 1> beyond{};
  while (!stream_->ended) {
    if (read_some(beyond) != 0) damaged("compressed data hold more than is declared");
  }
}

}  // namespace graft
