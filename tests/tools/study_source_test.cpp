// A study whose source is a file of weights.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "engine/io/checkpoint.h"
#include "tests/tools/study_folder_fixture.h"
#include "transfer/record.h"

namespace graft::testing {
namespace {

namespace fs = std::filesystem;

class StudySource : public StudyFolderTest {
 protected:
  StudySource() { edit_study("samples:", "images: published\nsamples:"); }

  fs::path weights_of(const std::string& output, const RunResult& run) const {
    return path(output) / "runs" / run.id / "checkpoint.safetensors";
  }
  const RunResult& find(const std::vector<RunResult>& runs, const std::string& treatment, int cut,
                        const std::string& target) const {
    return *std::find_if(runs.begin(), runs.end(), [&](const RunResult& run) {
      return run.treatment == treatment && run.cut == cut && run.target == target;
    });
  }
  /// The study once more with the weights of `file` as its source.
  void take_source_from(const fs::path& file) const {
    edit_study("  source: [Trouser, Sandal, Sneaker]",
               "  source: {checkpoint: \"" + file.string() + "\", license: none}");
  }
};

std::string bytes_of(const fs::path& file) {
  const auto checkpoint = open_checkpoint(file);
  std::string bytes;
  for (const CheckpointTensor& tensor : checkpoint->tensors()) {
    std::string part(tensor.nbytes, '\0');
    checkpoint->read(tensor, std::as_writable_bytes(std::span(part)));
    bytes += tensor.name + part;
  }
  return bytes;
}

/// The base network of the source half, handed over as a file, gives the bits that it gives from within the study.
TEST_F(StudySource, AFileOfWeightsIsAsGoodAsTheBaseThatItIs) {
  ASSERT_EQ(run({}, "within").code, 0);
  const std::vector<RunResult> within = read_results(path("within"));
  take_source_from(weights_of("within", find(within, "base", 0, "A")));
  const ProcessResult result = run({}, "from-file");
  ASSERT_EQ(result.code, 0) << result.error;
  const std::vector<RunResult> from_file = read_results(path("from-file"));
  EXPECT_EQ(from_file.size() + 1, within.size()) << "the source has no base network to train";
  for (const RunResult& run : from_file) {
    const RunResult& twin = find(within, run.treatment, run.cut, run.target);
    EXPECT_EQ(run.correct, twin.correct) << run.treatment << run.cut;
    EXPECT_EQ(run.id == twin.id, !run.treatment.starts_with("AnB")) << run.treatment << run.cut;
    EXPECT_EQ(bytes_of(weights_of("from-file", run)), bytes_of(weights_of("within", twin))) << run.treatment << run.cut;
  }
  EXPECT_NE(read(path("from-file") / "manifest.json").find("\"source\": \""), std::string::npos);

  // All there: the file is not needed to say so, but another one is another study.
  const fs::path other = weights_of("within", find(within, "base", 0, "B"));
  fs::copy_file(other, path("other.safetensors"));
  edit_study(weights_of("within", find(within, "base", 0, "A")).string(), path("other.safetensors").string());
  expect_one_line(run({}, "from-file"), 3, {"another study", "split.source.checkpoint"});
}

/// Several seeds share the features of published weights, several workers at a time; without the cache the record is
/// the same, and what it claims can be computed again.
TEST_F(StudySource, ProbesOfAFileAreTheSameWithTheCacheAndWithout) {
  ASSERT_EQ(run({}, "within").code, 0);
  const std::vector<RunResult> within = read_results(path("within"));
  take_source_from(weights_of("within", find(within, "base", 0, "A")));
  edit_study("treatments: [base, BnB, BnB+, AnB, AnB+, random]", "treatments: [base, AnB, probe]");
  edit_study("seeds: [0]", "seeds: [0, 1, 2]");
  const ProcessResult plan = run_graft({"study", "plan", path("small.yaml").string(), "--data-dir", data().string()});
  EXPECT_EQ(plan.code, 0) << plan.error;
  const ProcessResult cached = run({"--jobs", "3"}, "cached");
  ASSERT_EQ(cached.code, 0) << cached.error;
  EXPECT_NE(cached.out.find("\nAnB at 1: "), std::string::npos) << cached.out;
  EXPECT_EQ(cached.out.find("\nprobe at 1: "), std::string::npos) << "no verdict about transfer: " << cached.out;
  EXPECT_NE(read(path("cached") / "report.html").find("probe"), std::string::npos);
  ASSERT_EQ(run({"--jobs", "1", "--no-feature-cache"}, "plain").code, 0);
  EXPECT_EQ(record("cached"), record("plain"));
  EXPECT_EQ(read_results(path("cached")).size(), 15u);
  EXPECT_FALSE(fs::exists(path("cached") / "features"));
  const ProcessResult verified =
      run_graft({"study", "verify", path("cached").string(), "--data-dir", data().string(), "--threads", "1"});
  EXPECT_EQ(verified.code, 0) << verified.out << verified.error;
}

TEST_F(StudySource, WeightsThatChangedMakeOtherRuns) {
  ASSERT_EQ(run({}, "within").code, 0);
  const std::vector<RunResult> within = read_results(path("within"));
  fs::copy_file(weights_of("within", find(within, "base", 0, "A")), path("source.safetensors"));
  take_source_from(path("source.safetensors"));
  ASSERT_EQ(run({}, "from-file").code, 0);
  fs::copy_file(weights_of("within", find(within, "base", 0, "B")), path("source.safetensors"),
                fs::copy_options::overwrite_existing);
  expect_one_line(run({}, "from-file"), 3, {"source weights", "another folder with --output"});
}

TEST_F(StudySource, BadWeightsEndInOneLine) {
  take_source_from(path("nothing.pth"));
  expect_one_line(run(), 3, {"nothing.pth"});
  write(path("nothing.pth"), "not a checkpoint");
  expect_one_line(run(), 3, {"nothing.pth"});
  edit_study("model: convnet6", "model: cifar_resnet20");
  edit_study("cuts: [1, 3]", "cuts: [1]");
  ASSERT_EQ(run_graft({"train", "--model", "convnet6", "--data-dir", data().string(), "--epochs", "1", "-b", "16",
                       "--threads", "1", "--output", path("out").string()})
                .code,
            0);
  edit_study(path("nothing.pth").string(), (path("out") / "last.safetensors").string());
  expect_one_line(run(), 3, {"last.safetensors"});
}

}  // namespace
}  // namespace graft::testing
