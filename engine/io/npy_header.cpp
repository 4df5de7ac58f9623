#include "engine/io/npy_header.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "engine/io/byte_cursor.h"
#include "engine/io/extents.h"

namespace graft {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMaxHeader = std::size_t{1} << 20;
constexpr std::size_t kMaxNpyRank = 64;

struct Kind {
  std::string_view name;
  std::uint64_t bytes;
  std::optional<DType> known;
};

constexpr std::array<Kind, 15> kKinds = {{{"f4", 4, DType::f32},
                                          {"f8", 8, DType::f64},
                                          {"f2", 2, DType::f16},
                                          {"i8", 8, DType::i64},
                                          {"i4", 4, DType::i32},
                                          {"u1", 1, DType::u8},
                                          {"i1", 1, std::nullopt},
                                          {"b1", 1, std::nullopt},
                                          {"i2", 2, std::nullopt},
                                          {"u2", 2, std::nullopt},
                                          {"u4", 4, std::nullopt},
                                          {"u8", 8, std::nullopt},
                                          {"V1", 1, std::nullopt},
                                          {"V2", 2, std::nullopt},
                                          {"c8", 8, std::nullopt}}};

/// Reads the header's text, a dict of Python with the keys descr, fortran_order and shape, each once.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : text_(text) {}

  void parse(NpyHeader& header) {
    expect('{');
    bool descr = false;
    bool order = false;
    bool shape = false;
    while (!accept('}')) {
      const std::string_view key = quoted();
      expect(':');
      bool& seen = key == "descr" ? descr : key == "fortran_order" ? order : shape;
      if (seen || (&seen == &shape && key != "shape")) damaged("its header has the key '{}'", printable(key));
      seen = true;
      if (key == "descr") read_descr(header);
      if (key == "fortran_order") header.fortran_order = boolean();
      if (key == "shape") header.shape = tuple();
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_spaces();
    if (!descr || !order || !shape || !text_.empty()) damaged("its header is no description of an array");
  }

 private:
  void skip_spaces() {
    while (!text_.empty() && (text_.front() == ' ' || text_.front() == '\n')) text_.remove_prefix(1);
  }

  bool accept(char c) {
    skip_spaces();
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }

  void expect(char c) {
    if (!accept(c)) damaged("its header is no description of an array");
  }

  std::string_view quoted() {
    skip_spaces();
    const char mark = text_.empty() ? ' ' : text_.front();
    if (mark != '\'' && mark != '"') damaged("its header is no description of an array");
    const std::size_t end = text_.find(mark, 1);
    if (end == std::string_view::npos) damaged("its header is no description of an array");
    const std::string_view value = text_.substr(1, end - 1);
    text_.remove_prefix(end + 1);
    return value;
  }

  bool boolean() {
    skip_spaces();
    for (const std::string_view word : {std::string_view("True"), std::string_view("False")}) {
      if (!text_.starts_with(word)) continue;
      text_.remove_prefix(word.size());
      return word == "True";
    }
    damaged("its fortran_order is neither True nor False");
  }

  std::vector<std::int64_t> tuple() {
    std::vector<std::int64_t> values;
    expect('(');
    while (!accept(')')) {
      std::int64_t value = 0;
      skip_spaces();
      const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
      if (error == std::errc::result_out_of_range) damaged("its shape's size overflows");
      if (error != std::errc() || value < 0) damaged("its shape has an extent that is no whole number");
      text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
      accept('L');  // Python 2 wrote long integers so
      values.push_back(value);
      if (values.size() > kMaxNpyRank) damaged("its shape has more than {} dimensions", kMaxNpyRank);
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return values;
  }

  /// A list describes records; its text is skipped to the bracket that closes it.
  void read_descr(NpyHeader& header) {
    if (!accept('[')) {
      header.descr = quoted();
      return;
    }
    header.descr = "record";
    for (int depth = 1; depth > 0;) {
      if (text_.empty()) damaged("its header is no description of an array");
      depth += text_.front() == '[' ? 1 : text_.front() == ']' ? -1 : 0;
      text_.remove_prefix(1);
    }
  }

  std::string_view text_;
};

void interpret_type(NpyHeader& header) {
  std::string_view name = header.descr;
  const char order = name.empty() ? ' ' : name.front();
  if (order == '<' || order == '>' || order == '|' || order == '=') name.remove_prefix(1);
  const auto kind = std::find_if(kKinds.begin(), kKinds.end(), [&](const Kind& k) { return k.name == name; });
  if (kind == kKinds.end()) {
    header.problem = "its elements are of NumPy's type '" + printable(header.descr) + "'; save it as float32";
    return;
  }
  header.element = kind->bytes;
  header.known = kind->known;
  header.big_endian = order == '>' && kind->bytes > 1;
  if (header.big_endian && name == "c8") header.problem = "it is complex and big-endian; save it little-endian";
}

}  // namespace

NpyHeader read_npy_header(const std::function<std::span<const std::byte>(std::size_t)>& take) {
  constexpr std::size_t kPreamble = 8;  // magic, major and minor version
  const std::string start(as_text(take(kPreamble)));
  if (!start.starts_with(kMagic)) damaged("it does not start as a .npy file");
  const int version = static_cast<unsigned char>(start[kMagic.size()]);
  if (version < 1 || version > 3) damaged("its format version is {}", version);
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  ByteCursor length(take(length_bytes), "its header");
  const std::size_t size = version == 1 ? length.little<std::uint16_t>() : length.little<std::uint32_t>();
  if (size > kMaxHeader) damaged("its header claims {} bytes, at most {} are allowed", size, kMaxHeader);
  NpyHeader header;
  HeaderParser(as_text(take(size))).parse(header);
  interpret_type(header);
  if (header.problem.empty()) header.nbytes = dense_bytes(header.shape, header.element, "its array");
  header.begin = kPreamble + length_bytes + size;
  return header;
}

}  // namespace graft
