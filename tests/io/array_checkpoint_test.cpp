// NumPy, ONNX and Caffe against files that their own libraries wrote (fixtures/make_fixtures.py).
#include "tests/io/checkpoint_file.h"
#include "tests/io/zip_bytes.h"

namespace graft {
namespace {

using Names = std::vector<std::string>;
using Floats = std::vector<float>;
using Shape = std::vector<std::int64_t>;

class ArrayCheckpointTest : public CheckpointFileTest {
 protected:
  static void expect_problem(const Checkpoint& file, const std::string& name, const std::string& reason) {
    const CheckpointTensor* tensor = file.find(name);
    ASSERT_NE(tensor, nullptr);
    expect_error(ErrorKind::data, {file.path().string(), "'" + name + "'", reason}, [&] { file.read(*tensor, {}); });
  }

  static void expect_arrays(const Checkpoint& file) {
    EXPECT_EQ(file.format(), "npz");
    EXPECT_EQ(values<float>(file, "plain"), (Floats{0, 1, 2, 3, 4, 5}));
    EXPECT_EQ(file.find("plain")->shape, (Shape{2, 3}));
    EXPECT_EQ(file.find("plain")->dtype, "<f4");
    EXPECT_EQ(values<double>(file, "fortran"), (std::vector<double>{0, 1, 2, 3, 4, 5}));
    EXPECT_EQ(values<std::int32_t>(file, "big_endian"), (std::vector<std::int32_t>{0, 1, 2}));
    EXPECT_EQ(values<std::uint16_t>(file, "half"), (std::vector<std::uint16_t>{0, 0x3c00, 0x4000}));
    EXPECT_EQ(values<std::int64_t>(file, "scalar"), (std::vector<std::int64_t>{7}));
    EXPECT_EQ(values<std::uint8_t>(file, "bytes"), (std::vector<std::uint8_t>{0, 1, 2}));
    expect_problem(file, "text", "NumPy's type '<U2'");
  }

  /// A version 1 .npy file.
  static std::string npy(const std::string& header, const std::string& data) {
    return std::string("\x93NUMPY\1\0", 8) + little<std::uint16_t>(static_cast<std::uint16_t>(header.size())) + header +
           data;
  }
};

TEST_F(ArrayCheckpointTest, Npz) {
  const auto stored = open_checkpoint(fixture("stored.npz"));
  expect_arrays(*stored);
  EXPECT_TRUE(stored->mapped(*stored->find("plain")));
  EXPECT_FALSE(stored->mapped(*stored->find("fortran")));
  const auto deflated = open_checkpoint(fixture("deflated.npz"));
  expect_arrays(*deflated);
  EXPECT_FALSE(deflated->mapped(*deflated->find("plain")));
  EXPECT_EQ(values<float>(*deflated, "zeros"), Floats(2000, 0.0f));
}

TEST_F(ArrayCheckpointTest, Npy) {
  const auto file = open_checkpoint(fixture("single.npy"));
  EXPECT_EQ(file->format(), "npy");
  EXPECT_EQ(names(*file), (Names{"single"}));
  EXPECT_EQ(values<float>(*file, "single"), (Floats{0, 1, 2, 3, 4, 5}));
}

TEST_F(ArrayCheckpointTest, NpyHeaders) {
  const auto path = write("a.npy", npy("{'shape': (2L,), 'fortran_order': False, \"descr\": '|u1'}", "xy"));
  EXPECT_EQ(values<char>(*open_checkpoint(path), "a"), (std::vector<char>{'x', 'y'}));
  const std::string rest = ", 'fortran_order': False, 'shape': (2,)}";
  const auto objects = open_checkpoint(write("o.npy", npy("{'descr': '|O'" + rest, "\x80\x04.")));
  expect_problem(*objects, "o", "type '|O'");
  const auto records = open_checkpoint(write("r.npy", npy("{'descr': [('a', '<f4'), ('b', ['x'])]" + rest, "")));
  expect_problem(*records, "r", "type 'record'");

  expect_refused(npy("{'descr': '<f4'" + rest, "1234567"), "7 bytes of elements, its dtype and shape ask for 8");
  expect_refused(npy("{'descr': '<f4'" + rest, "123456789"), "9 bytes of elements");
  expect_refused(npy("{'descr': '<f4', 'fortran_order': False}", ""), "no description");
  expect_refused(npy("{'descr': '<f4', 'descr': '<f8'" + rest, ""), "key 'descr'");
  expect_refused(npy("{'descr': '<f4', 'x': 1" + rest, ""), "key 'x'");
  expect_refused(npy("{'descr': '<f4', 'fortran_order': None, 'shape': ()}", ""), "neither True nor False");
  expect_refused(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", ""), "no whole number");
  expect_refused(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", ""), "overflows");
  expect_refused(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", ""), "overflows");
  expect_refused(npy("{'descr': [" + std::string(60000, '['), ""), "no description");
  expect_refused(std::string("\x93NUMPY\2\0\xff\xff\xff\xff", 12), "header claims 4294967295 bytes");
  expect_refused(std::string("\x93NUMPY\4\0\1\0", 10), "version is 4");
  expect_refused(std::string("\x93NUMPY", 6), "ends early");
}

TEST_F(ArrayCheckpointTest, NpzThatLiesInside) {
  const std::string array = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1000,)}", std::string(1000, 'x'));
  EXPECT_EQ(
      values<char>(*open_checkpoint(write("z", zip_bytes({{.name = "a.npy", .data = array, .deflate = true}}))), "a"),
      std::vector<char>(1000, 'x'));
  const std::string shorter = array.substr(0, array.size() - 1);
  expect_refused(zip_bytes({{.name = "a.npy", .data = shorter, .deflate = true}}), "999 bytes of elements");
  // The directory declares what the header wants, the data make less or more.
  expect_unreadable(zip_bytes({{.name = "a.npy", .data = shorter, .deflate = true, .claimed_size = array.size()}}), "a",
                    "less than is declared");
  expect_unreadable(zip_bytes({{.name = "a.npy", .data = array + "x", .deflate = true, .claimed_size = array.size()}}),
                    "a", "more than is declared");
  expect_unreadable(zip_bytes({{.name = "a.npy", .data = array, .deflate = true, .claimed_crc = 1}}), "a", "checksum");
}

TEST_F(ArrayCheckpointTest, OnnxInitializers) {
  const auto file = open_checkpoint(fixture("initializers.onnx"));
  EXPECT_EQ(file->format(), "onnx");
  EXPECT_EQ(names(*file), (Names{"raw", "floats", "int64", "int32", "half", "doubles", "text", "away"}));
  EXPECT_EQ(values<float>(*file, "raw"), (Floats{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(file->find("raw")->shape, (Shape{2, 3}));
  EXPECT_EQ(file->find("raw")->dtype, "FLOAT");
  EXPECT_EQ(values<float>(*file, "floats"), (Floats{0, 1, 2}));
  EXPECT_EQ(values<std::int64_t>(*file, "int64"), (std::vector<std::int64_t>{-1, 0, 300}));
  EXPECT_EQ(values<std::int32_t>(*file, "int32"), (std::vector<std::int32_t>{-1, 70000}));
  EXPECT_EQ(values<std::uint16_t>(*file, "half"), (std::vector<std::uint16_t>{0x3c00, 0xc000}));
  EXPECT_EQ(values<double>(*file, "doubles"), (std::vector<double>{0.5, 1.5}));
  expect_problem(*file, "text", "ONNX's type 8");
  expect_problem(*file, "away", "another file");
  EXPECT_EQ(file->metadata().at("key"), "value");
}

TEST_F(ArrayCheckpointTest, CaffeLayersOfAllGenerations) {
  const auto file = open_checkpoint(fixture("new.caffemodel"));
  EXPECT_EQ(file->format(), "caffe");
  EXPECT_EQ(names(*file), (Names{"conv1/0", "conv1/1"}));
  EXPECT_EQ(values<float>(*file, "conv1/0"), (Floats{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(file->find("conv1/0")->shape, (Shape{3, 2, 1, 1}));
  EXPECT_EQ(values<double>(*file, "conv1/1"), (std::vector<double>{0, 1, 2}));
  EXPECT_EQ(file->metadata().at("name"), "new");
  const auto old = open_checkpoint(fixture("old.caffemodel"));
  EXPECT_EQ(names(*old), (Names{"fc8/0", "fc8/1", "older/0"}));
  EXPECT_EQ(old->find("fc8/0")->shape, (Shape{1, 1, 2, 3}));
  EXPECT_EQ(values<float>(*old, "fc8/0"), (Floats{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(values<float>(*old, "older/0"), (Floats{0, 1}));
}

TEST_F(ArrayCheckpointTest, CaffeThatDoesNotFit) {
  // layer 100 { name 1 "c", blobs 7 { data 5, shape 7 { dim 1 } } }
  const auto net = [](const std::string& blob) {
    const std::string layer = std::string("\x0a\x01") + "c" + "\x3a" + static_cast<char>(blob.size()) + blob;
    return std::string("\xa2\x06") + static_cast<char>(layer.size()) + layer;
  };
  const std::string two_floats = "\x2a\x08" + little<float>({1, 2});
  const auto shape = [](const std::string& dims) {
    return std::string("\x3a") + static_cast<char>(dims.size() + 2) + "\x0a" + static_cast<char>(dims.size()) + dims;
  };
  EXPECT_EQ(values<float>(*open_checkpoint(write("c", net(two_floats + shape("\x02")))), "c/0"), (Floats{1, 2}));
  // Floats need not be packed.
  const std::string loose = fmt::format("\x2d{}\x2d{}", little<float>(1), little<float>(2));
  EXPECT_EQ(values<float>(*open_checkpoint(write("c", net(loose + shape("\x02")))), "c/0"), (Floats{1, 2}));
  expect_refused(net(two_floats + shape("\x03")), "has 8 bytes, its shape asks for 12");
  expect_refused(net(two_floats), "has 8 bytes, its shape asks for 0");
  const std::string huge = "\x80\x80\x80\x80\x80\x80\x80\x80\x40";
  expect_refused(net(two_floats + shape(huge)), "overflows");
  const std::string minus = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
  expect_refused(net(two_floats + shape(minus)), "extent -1");
  const std::string whole = net(two_floats + shape("\x02"));
  expect_refused(whole + whole, "two tensors are named 'c/0'");
  const auto cut = write("cut.caffemodel", whole.substr(0, whole.size() - 1));
  expect_error(ErrorKind::data, {cut.string(), "damaged or cut off"}, [&] { open_checkpoint(cut); });
}

}  // namespace
}  // namespace graft
