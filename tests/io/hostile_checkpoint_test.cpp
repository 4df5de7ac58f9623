// Files that were made to do harm: each ends as Error(data) with one line, takes little memory and runs nothing.
#include <sys/resource.h>

#include "tests/io/checkpoint_file.h"
#include "tests/io/zip_bytes.h"

namespace graft {
namespace {

/// Pickles by hand, protocol 2.
std::string global(const std::string& module, const std::string& name) { return "c" + module + "\n" + name + "\n"; }
std::string text(const std::string& value) {
  return fmt::format("X{}{}", little<std::uint32_t>(static_cast<std::uint32_t>(value.size())), value);
}
std::string number(std::int64_t value) { return "\x8a\x08" + little<std::int64_t>(value); }
std::string tuple(const std::string& items) { return "(" + items + "t"; }
std::string dict(const std::string& items) { return "}(" + items + "u"; }
std::string pickle(const std::string& value) { return "\x80\x02" + value + "."; }
std::string call(const std::string& callee, const std::string& arguments) { return callee + tuple(arguments) + "R"; }

std::string storage(std::int64_t numel, const std::string& key = "0", const std::string& type = "FloatStorage") {
  return tuple(text("storage") + global("torch", type) + text(key) + text("cpu") + number(numel)) + "Q";
}
std::string numbers(const std::vector<std::int64_t>& values) {
  std::string items;
  for (const std::int64_t value : values) items += number(value);
  return tuple(items);
}
std::string tensor(const std::string& storage, std::int64_t offset, const std::vector<std::int64_t>& size,
                   const std::vector<std::int64_t>& stride) {
  return call(global("torch._utils", "_rebuild_tensor_v2"), storage + number(offset) + numbers(size) + numbers(stride) +
                                                                "\x89" +
                                                                call(global("collections", "OrderedDict"), ""));
}
std::string state(const std::string& value) { return pickle(dict(text("w") + value)); }

/// A zip of torch.save with one storage of four floats.
std::string torch_zip(const std::string& pickled) {
  return zip_bytes(
      {{.name = "a/data.pkl", .data = pickled}, {.name = "a/data/0", .data = little<float>({0, 1, 2, 3})}});
}
std::string torch_legacy(const std::string& pickled, const std::string& keys, const std::string& storages) {
  const std::string magic("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);
  return magic + pickle("M\xe9\x03") + pickle("}") + pickled + pickle(keys) + storages;
}

class HostileCheckpointTest : public CheckpointFileTest {
 protected:
  void SetUp() override { getrusage(RUSAGE_SELF, &before_); }

  /// The most memory that the process ever had, in KiB.
  void TearDown() override {
    rusage after{};
    getrusage(RUSAGE_SELF, &after);
#ifndef __SANITIZE_ADDRESS__  // which keeps what was freed for a while
    EXPECT_LT(after.ru_maxrss - before_.ru_maxrss, 400 * 1024) << "a small file made a large process";
#endif
  }

  rusage before_{};
};

TEST_F(HostileCheckpointTest, TheHandMadeFilesAreGoodWithoutTheirAttack) {
  const std::string good = state(tensor(storage(4), 1, {3}, {1}));
  EXPECT_EQ(values<float>(*open_checkpoint(write("zip", torch_zip(good))), "w"), (std::vector<float>{1, 2, 3}));
  const std::string stream =
      torch_legacy(good, "](" + text("0") + "e", little<std::int64_t>(4) + little<float>({4, 5, 6, 7}));
  EXPECT_EQ(values<float>(*open_checkpoint(write("legacy", stream)), "w"), (std::vector<float>{5, 6, 7}));
}

TEST_F(HostileCheckpointTest, PicklesThatRunCode) {
  const std::filesystem::path proof = folder_ / "proof";
  const std::string command = text("touch " + proof.string());
  for (const auto& [module, name] : std::vector<std::pair<std::string, std::string>>{{"os", "system"},
                                                                                     {"posix", "system"},
                                                                                     {"nt", "system"},
                                                                                     {"subprocess", "Popen"},
                                                                                     {"sys", "exit"},
                                                                                     {"builtins", "eval"},
                                                                                     {"__builtin__", "getattr"},
                                                                                     {"importlib.util", "find_spec"}}) {
    const std::string wanted = module + "." + name + ", which runs code";
    expect_refused(torch_zip(pickle(call(global(module, name), command))), wanted);
    expect_refused(torch_zip(state(call(global(module, name), command))), wanted);
    // By protocol 4's opcode, by the old opcodes INST and OBJ, without a call, and in the first of the stream's
    // pickles.
    expect_refused(torch_zip(pickle(text(module) + text(name) + "\x93" + tuple(command) + "R")), wanted);
    expect_refused(torch_zip(pickle(fmt::format("({}i{}\n{}\n", command, module, name))), wanted);
    expect_refused(torch_zip(pickle(fmt::format("({}{}o", global(module, name), command))), wanted);
    expect_refused(torch_zip(pickle(dict(text("f") + global(module, name)))), wanted);
    expect_refused(pickle(call(global(module, name), command)), wanted);
    expect_refused(torch_legacy(state(call(global(module, name), command)), "]", ""), wanted);
  }
  EXPECT_FALSE(std::filesystem::exists(proof));
}

TEST_F(HostileCheckpointTest, TensorsThatDependOnOpaqueGlobals) {
  const std::string unknown = global("somebody.library", "Thing");
  const std::string plain = text("w") + tensor(storage(4), 0, {4}, {1});
  // Beside the tensors it harms nobody.
  const auto beside =
      open_checkpoint(write("a", torch_zip(pickle(dict(plain + text("x") + call(unknown, number(1)))))));
  EXPECT_EQ(names(*beside), std::vector<std::string>{"w"});
  EXPECT_EQ(beside->notes().back(), "somebody.library.Thing stayed opaque: nothing of it was run");
  // A tensor within it, in place of the storage, or of the function.
  expect_unreadable(torch_zip(pickle(dict(text("x") + call(unknown, tensor(storage(4), 0, {4}, {1}))))), "x",
                    "somebody.library.Thing");
  expect_unreadable(torch_zip(state(tensor(call(unknown, ""), 0, {4}, {1}))), "w", "somebody.library.Thing");
  expect_unreadable(torch_zip(state(call(global("torch._tensor", "_rebuild_from_type_v2"),
                                         unknown + global("torch", "Tensor") +
                                             tuple(storage(4) + number(0) + numbers({4}) + numbers({1})) + "}"))),
                    "w", "somebody.library.Thing");
}

TEST_F(HostileCheckpointTest, StorageOffsetsAndStridesOutsideTheStorage) {
  const auto refused_tensor = [this](std::int64_t offset, const std::vector<std::int64_t>& size,
                                     const std::vector<std::int64_t>& stride, const std::string& reason) {
    expect_refused(torch_zip(state(tensor(storage(4), offset, size, stride))), reason);
  };
  const std::int64_t huge = std::int64_t{1} << 62;
  refused_tensor(1, {4}, {1}, "reaches to element 5 of a storage of 4");
  refused_tensor(0, {2}, {4}, "reaches to element 5");
  refused_tensor(-1, {4}, {1}, "before its storage");
  refused_tensor(0, {2}, {-1}, "negative stride");
  refused_tensor(huge, {1}, {1}, "reaches to element");
  refused_tensor(0, {2, 2}, {huge, huge}, "reaches to element");
  refused_tensor(huge, {3, 3}, {huge, huge}, "strides overflow");
  refused_tensor(0, {huge, huge}, {0, 0}, "size overflows");
  refused_tensor(0, {huge}, {0}, "size overflows");
  refused_tensor(0, {-1}, {1}, "extent -1");
  refused_tensor(0, {2, 2}, {1}, "2 sizes and 1 strides");
  expect_refused(torch_zip(state(tensor(storage(5), 0, {5}, {1}))), "claims 20 bytes, 16 are there");
  expect_refused(torch_zip(state(tensor(storage(huge), 0, {4}, {1}))), "size that is none");
  expect_refused(torch_zip(state(tensor(storage(-4), 0, {4}, {1}))), "size that is none");
  expect_refused(torch_zip(state(tensor(storage(4, "1"), 0, {4}, {1}))), "storage '1' is not there");
  expect_refused(torch_zip(state(tensor(storage(4, "0", "NoStorage"), 0, {4}, {1}))), "unknown class torch.NoStorage");
  // Few elements, each many times: no memory is ever asked for.
  expect_unreadable(torch_zip(state(tensor(storage(4), 0, {std::int64_t{1} << 40}, {0}))), "w", "repeats the elements");
  expect_unreadable(torch_zip(state(tensor(storage(4), 0, {4, 4}, {0, 1}))), "w", "repeats the elements");
}

TEST_F(HostileCheckpointTest, LegacyStreamsThatLie) {
  const std::string four = state(tensor(storage(4), 0, {4}, {1}));
  const std::string keys = "](" + text("0") + "e";
  const std::string floats = little<float>({0, 1, 2, 3});
  expect_refused(torch_legacy(four, keys, little<std::int64_t>(5) + floats), "has 5 elements where 4 are expected");
  expect_refused(torch_legacy(four, keys, little<std::uint64_t>(~std::uint64_t{0}) + floats), "where 4 are expected");
  expect_refused(torch_legacy(four, keys, little<std::int64_t>(4) + floats.substr(1)), "16 bytes wanted, 15 there");
  expect_refused(torch_legacy(four, "]", ""), "storage '0' is not there");
  expect_refused(torch_legacy(four, "](" + text("1") + "e", ""), "'1' belongs to no tensor");
  const std::string twice = little<std::int64_t>(4) + floats + little<std::int64_t>(4) + floats;
  expect_refused(torch_legacy(four, "](" + text("0") + text("0") + "e", twice), "storage '0' is there twice");
  const std::string large = state(tensor(storage(std::int64_t{1} << 58), 0, {4}, {1}));
  expect_refused(torch_legacy(large, keys, little<std::int64_t>(std::int64_t{1} << 58) + floats), "bytes wanted");
  expect_refused(pickle("}"), "none of PyTorch's");
}

TEST_F(HostileCheckpointTest, KeysThatStandTwice) {
  const std::string one = tensor(storage(4), 0, {4}, {1});
  expect_refused(torch_zip(pickle(dict(text("w") + one + text("w") + one))), "key 'w' twice");
  expect_refused(torch_zip(pickle(dict(text("state_dict") + dict(text("w") + one) + text("state_dict") + "}"))),
                 "key 'state_dict' twice");
  expect_refused(torch_zip(pickle(dict(text("a.b") + one + text("a") + dict(text("b") + one)))),
                 "two tensors are named 'a.b'");
  expect_refused(zip_bytes({{.name = "a/data.pkl", .data = "x"}, {.name = "a/data.pkl", .data = "y"}}),
                 "two of its entries are named 'a/data.pkl'");
  expect_refused(zip_bytes({{.name = "a/data.pkl", .data = "x"}, {.name = "b/data.pkl", .data = "y"}}), "two pickles");
}

TEST_F(HostileCheckpointTest, PicklesThatGrow) {
  // Ten levels of a hundred times the one below: 10^20 values in a few kB.
  std::string laughs = text("x") + "q\x01";
  for (int level = 0; level < 10; ++level) {
    laughs.insert(0, "](");
    for (int i = 0; i < 100; ++i) laughs.append("h").push_back(static_cast<char>(level + 1));
    laughs += "eq" + std::string(1, static_cast<char>(level + 2));
  }
  expect_refused(torch_zip(pickle(laughs)), "names of its tensors are too long");
  // A dict that holds itself.
  expect_refused(torch_zip(pickle("}q\x01" + text("a") + "h\x01s")), "contain themselves");
  // A long list copied again and again.
  std::string copies = "(" + std::string(100'000, 'N') + "lq\x01(";
  for (int i = 0; i < 1000; ++i) copies += global("builtins", "set") + "h\x01\x85R";
  expect_refused(torch_zip(pickle(copies + "l")), "copies more than");
  // Nested a hundred thousand deep: nothing here recurses.
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "]";
  for (int i = 0; i < 99'999; ++i) deep += "a";
  expect_refused(torch_zip(pickle(deep)), "nested too deep");
  expect_refused(torch_zip("\x80\x02" + std::string(3'000'000, ']')), "values");
}

TEST_F(HostileCheckpointTest, PicklesThatAreNone) {
  const std::string most("\xff\xff\xff\xff\xff\xff\xff\xff", 8);
  expect_refused(torch_zip("\x80\x02\x8d" + most + "."), "18446744073709551615 bytes wanted");
  expect_refused(torch_zip("\x80\x02\x8e" + most + "."), "bytes wanted");
  expect_refused(torch_zip("\x80\x02X\xff\xff\xff\xff."), "4294967295 bytes wanted");
  expect_refused(torch_zip("\x80\x02\x8b\xff\xff\xff\xff."), "bytes wanted");
  expect_refused(torch_zip("\x80\x09."), "protocol 9");
  for (const char* program :
       {".",  "a.",    "t.",    "R.",    "Q.",    "b.",  "0.",   "1.",    "2.",  "h\x05.", "j....", "s.",
        "u.", "\x85.", "\x93.", "(t(u.", "}(Nu.", "Na.", ")Na.", "Ix\n.", "cos", "\x82.",  "\xff."}) {
    expect_refused(torch_zip(std::string("\x80\x02") + program), "its pickle");
  }
  expect_refused(torch_zip(""), "its pickle ends early");
}

TEST_F(HostileCheckpointTest, ZipsWithEntriesThatOverlapOrLie) {
  const ZipPart pkl{.name = "a/data.pkl", .data = pickle("}")};
  const auto lies = [&](ZipPart part) { return zip_bytes({pkl, std::move(part)}); };
  expect_refused(lies({.name = "a/data/0", .data = "1234", .claimed_offset = 0, .local_name = "a/data.pkl"}),
                 "differs between directory and file");
  // The second entry's header is also the first one's data.
  const std::string inner = zip_bytes({{.name = "b", .data = "xy"}});
  const std::size_t within = 30 + 1;
  expect_refused(zip_bytes({{.name = "a", .data = inner}, {.name = "b", .data = "xy", .claimed_offset = within}}),
                 "overlap");
  expect_refused(lies({.name = "b", .data = "xy", .claimed_size = 3}), "stored in 2 bytes and claims 3");
  expect_refused(lies({.name = "b", .data = "xy", .claimed_size = 1000, .claimed_packed = 1000}), "claims 1000 bytes");
  expect_refused(lies({.name = "b", .data = "xy", .claimed_offset = 0x7fffffff}), "beyond the file");
  expect_refused(lies({.name = "b", .data = "xy", .claimed_offset = 1}), "not where it is said to be");
  expect_refused(lies({.name = "b", .data = "xy", .flags = 1}), "encrypted");
  expect_refused(lies({.name = "b", .data = "xy", .method = 14}), "compressed by method 14");
  const std::uint64_t most = ~std::uint64_t{0};
  for (const bool zip64 : {false, true}) {
    EXPECT_NO_THROW(open_checkpoint(write("good", zip_bytes({pkl}, {.zip64 = zip64, .comment = "hello"}))));
    expect_refused(zip_bytes({pkl}, {.claimed_count = 60000, .zip64 = zip64}), "60000 entries");
    expect_refused(zip_bytes({pkl}, {.claimed_count = 0, .zip64 = zip64}), "bytes too many");
    expect_refused(zip_bytes({pkl}, {.claimed_begin = most, .zip64 = zip64}), "not there");
    expect_refused(zip_bytes({pkl}, {.claimed_size = most, .zip64 = zip64}), "not there");
    expect_refused(zip_bytes({pkl}, {.claimed_begin = 1, .zip64 = zip64}), "directory");
  }
  ZipPart wide = pkl;
  wide.zip64 = true;
  EXPECT_NO_THROW(open_checkpoint(write("good", zip_bytes({wide}))));
  wide.claimed_offset = most;
  expect_refused(zip_bytes({wide}), "beyond the file");
  wide.claimed_offset.reset();
  wide.claimed_size = wide.claimed_packed = most;
  expect_refused(zip_bytes({wide}), "18446744073709551615 bytes");
  std::string end64 = zip_bytes({pkl}, {.zip64 = true});
  end64[end64.size() - 22 - 12] = '\x7f';  // the locator's offset
  expect_refused(end64, "zip64 end record");
}

TEST_F(HostileCheckpointTest, BombsInDeflate) {
  const std::string zeros(std::size_t{32} << 20, '\0');
  const std::string good = state(tensor(storage(4), 0, {4}, {1}));
  // More than deflate can make is seen without looking.
  expect_refused(zip_bytes({{.name = "a.npy", .data = "x", .deflate = true, .claimed_size = 1u << 30}}),
                 "more than deflate can make");
  expect_refused(
      zip_bytes(
          {{.name = "a.npy", .data = "x", .deflate = true, .claimed_size = std::uint64_t{1} << 60, .zip64 = true}}),
      "more than deflate can make");
  // What it can make is held to the limit.
  expect_refused(zip_bytes({{.name = "a.npy", .data = zeros, .deflate = true}}),
                 "the limit is 1000000; raise --max-bytes", {.max_bytes = 1'000'000});
  // A claim of little ends the output there.
  expect_unreadable(zip_bytes({{.name = "a/data.pkl", .data = good},
                               {.name = "a/data/0", .data = zeros, .deflate = true, .claimed_size = 16}}),
                    "w", "more than is declared");
  expect_unreadable(zip_bytes({{.name = "a/data.pkl", .data = good},
                               {.name = "a/data/0", .data = "1234", .deflate = true, .claimed_size = 16}}),
                    "w", "less than is declared");
  expect_refused(zip_bytes({{.name = "a/data.pkl", .data = zeros, .deflate = true, .claimed_size = 100}}),
                 "more than is declared");
  expect_unreadable(zip_bytes({{.name = "a/data.pkl", .data = good},
                               {.name = "a/data/0", .data = "\xff\xff\xff", .claimed_size = 16, .method = 8}}),
                    "w", "compressed data");
}

/// A tar header and its data.
std::string tar_entry(const std::string& name, const std::string& data, char type = '0',
                      const std::string& target = "") {
  std::string header(512, '\0');
  const auto put = [&](std::size_t at, const std::string& value) { header.replace(at, value.size(), value); };
  put(0, name);
  put(100, "0000644");
  put(124, fmt::format("{:011o}", data.size()));
  put(148, "        ");
  put(156, std::string(1, type));
  put(157, target);
  put(257, std::string("ustar\00000", 8));
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  put(148, fmt::format("{:06o}", sum) + '\0');
  return header + data + std::string((512 - data.size() % 512) % 512, '\0');
}

TEST_F(HostileCheckpointTest, TarsThatPointElsewhere) {
  expect_refused(tar_entry("storages", "", '2', "/etc/passwd"), "link or device");
  expect_refused(tar_entry("storages", "", '1', "pickle"), "link or device");
  expect_refused(tar_entry("storages", "", '3'), "link or device");
  expect_refused(tar_entry("../storages", "x"), "points out of the archive");
  expect_refused(tar_entry("a/../../storages", "x"), "points out of the archive");
  expect_refused(tar_entry("..", "x"), "points out of the archive");
  expect_refused(tar_entry("/storages", "x"), "absolute name");
  expect_refused(tar_entry("pickle", "x") + tar_entry("pickle", "y"), "two tar entries are named 'pickle'");
  expect_refused(tar_entry("x", "20 path=../storages\n", 'x') + tar_entry("storages", ""),
                 "extended header with path=");
  expect_refused(tar_entry("pickle", pickle("}")), "without the entry 'storages'");
  std::string lying = tar_entry("storages", "x");
  lying.replace(124, 11, "77777777777");
  expect_refused(lying, "checksum");
  unsigned sum = 0;
  lying.replace(148, 8, "        ");
  for (const char c : lying.substr(0, 512)) sum += static_cast<unsigned char>(c);
  lying.replace(148, 7, fmt::format("{:06o}", sum) + '\0');
  expect_refused(lying, "8589934591 bytes wanted");
}

TEST_F(HostileCheckpointTest, TarsWhoseNumbersLie) {
  const auto archive = [](const std::string& storages, const std::string& tensors) {
    return tar_entry("storages", storages) + tar_entry("tensors", tensors) + tar_entry("pickle", pickle("}"));
  };
  const auto one_storage = [](std::int64_t numel, const std::string& views) {
    return pickle(number(1)) + pickle(tuple(number(5) + text("cpu") + global("torch", "FloatStorage"))) +
           little<std::int64_t>(numel) + little<float>({0, 1}) + pickle(views);
  };
  const auto one_tensor = [](std::int32_t rank, const std::string& rest) {
    return pickle(number(1)) + pickle(tuple(number(1) + number(5) + global("torch", "FloatTensor"))) +
           little<std::int32_t>({rank, 0}) + rest;
  };
  const std::string none = pickle(number(0));
  EXPECT_NO_THROW(
      open_checkpoint(write("good", archive(one_storage(2, "]"), one_tensor(1, little<std::int64_t>({2, 1, 0}))))));
  expect_refused(archive(one_storage(std::int64_t{1} << 60, "]"), none), "bytes wanted");
  expect_refused(archive(one_storage(-1, "]"), none), "overflows");
  expect_refused(archive(one_storage(2, "](" + numbers({6, 5, 1, 2}) + "e"), none), "view covers elements 1 to 2");
  expect_refused(archive(one_storage(2, "](" + numbers({6, 7, 0, 1}) + "e"), none), "storage that is not there");
  expect_refused(archive(one_storage(2, "]"), one_tensor(1, little<std::int64_t>({3, 1, 0}))), "reaches to element 3");
  expect_refused(archive(one_storage(2, "]"), one_tensor(100000, "")), "100000 dimensions");
  expect_refused(archive(one_storage(2, "]"), one_tensor(-1, "")), "dimensions");
  expect_refused(archive(pickle(number(std::int64_t{1} << 60)), none), "ends early");
}

TEST_F(HostileCheckpointTest, FilesOf334BytesThatAskForGigabytes) {
  constexpr std::size_t kBytes = 334;
  const std::string header = R"({"w":{"dtype":"F32","shape":[1073741824],"data_offsets":[0,4294967296]}})";
  std::string safetensors = little<std::uint64_t>(header.size()) + header;
  safetensors.resize(kBytes);
  expect_refused(safetensors, "4294967296 expected");
  const std::string dict = "{'descr': '<f8', 'fortran_order': False, 'shape': (1073741824,)}";
  std::string npy =
      std::string("\x93NUMPY\1\0", 8) + little<std::uint16_t>(static_cast<std::uint16_t>(dict.size())) + dict;
  npy.resize(kBytes);
  expect_refused(npy, "its dtype and shape ask for 8589934592");
  const std::int64_t large = std::int64_t{1} << 31;
  const std::string four = state(tensor(storage(large), 0, {large}, {1}));
  std::string stream = torch_legacy(four, "](" + text("0") + "e", little<std::int64_t>(large));
  ASSERT_LE(stream.size(), kBytes);
  stream.resize(kBytes);
  expect_refused(stream, "8589934592 bytes wanted");
  const std::string zip = torch_zip(pickle("X\xff\xff\xff\x7f"));
  ASSERT_LE(zip.size(), kBytes);
  expect_refused(zip, "2147483647 bytes wanted");
}

TEST_F(HostileCheckpointTest, SafetensorsHeaders) {
  for (const std::uint64_t length : {std::uint64_t{100'000'001}, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
    expect_refused(little<std::uint64_t>(length) + "{}", "at most 100000000");
  }
  expect_refused(little<std::uint64_t>(99'999'999) + "{}", "truncated");
}

}  // namespace
}  // namespace graft
