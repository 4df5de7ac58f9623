// studies/yosinski2014.yaml: its plan without ImageNet, and a reduced form on tiny images in folders of ImageNet's
// classes, with the same splits and the authors' results beside.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "engine/base/philox.h"
#include "tests/tools/study_folder_fixture.h"
#include "transfer/expected_data.h"
#include "transfer/record.h"

namespace graft::testing {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = GRAFT_SOURCE_DIR;

class PaperStudy : public StudyFolderTest {
 protected:
  /// One image of 8 x 8 a class in both parts, of a hue that the class keeps.
  void write_images() const {
    const auto classes = expected_data(parse_study(reduced_study(), "reduced.yaml")).target.train->class_names();
    std::uint32_t number = 0;
    for (const std::string& name : classes) {
      for (const char* part : {"train", "val"}) {
        std::string bytes = "P6\n8 8\n255\n";
        const RandomStream random{.seed = number, .stream = stream_of(part)};
        for (std::uint32_t i = 0; i < 3 * 8 * 8; ++i) {
          bytes += static_cast<char>((40 * (number % (5 + i % 3)) + random.word(0, i) % 60) % 256);
        }
        const fs::path file = path("imagenet") / part / name / "0.ppm";
        fs::create_directories(file.parent_path());
        write(file, bytes);
      }
      ++number;
    }
  }

  std::string reduced_study(int images = 1000) const {
    return fmt::format(
        "name: reduced\ndataset: imagefolder\nmodel: convnet6\nexpects: {{train: {0}, test: {0}}}\n"
        "split: {{splits: {1}/studies/splits/yosinski2014.yaml, both_directions: true}}\n"
        "treatments: [base, BnB, BnB+, AnB, AnB+, random]\ncuts: [conv3]\nseeds: [0]\n"
        "images: {{size: 8, crop_pct: 0.9}}\n"
        "training: {{iterations: 4, batch_size: 32, lr: 0.02, schedule: step, milestones: [2], random_crop: true, "
        "flip: true}}\n"
        "reference: {{file: {1}/studies/reference/yosinski2014_runs.csv, source: the authors}}\n",
        images, kRoot.string());
  }
  ProcessResult study(const std::string& action) const {
    return run_graft({"study", action, path("reduced.yaml").string(), "--data-dir", path("imagenet").string(),
                      "--output", path("reduced").string(), "--jobs", "1"});
  }
};

TEST_F(PaperStudy, ThePlanNeedsNoImages) {
  std::string text = read(kRoot / "studies" / "yosinski2014.yaml");
  for (std::size_t at = 0; (at = text.find("studies/", at)) != std::string::npos; at += kRoot.string().size() + 9) {
    text.insert(at, kRoot.string() + "/");
  }
  write(path("paper.yaml"), text);
  const ProcessResult plan =
      run_graft({"study", "plan", path("paper.yaml").string(), "--data-dir", path("nowhere").string()});
  EXPECT_EQ(plan.code, 3);
  EXPECT_NE(plan.error.find("nowhere"), std::string::npos) << plan.error;
  for (const char* part : {"GPU-hours", "360", "1 conv1", "7 fc7", "GB for the weights of 360 runs", "1281167"}) {
    EXPECT_NE(plan.out.find(part), std::string::npos) << part << " in " << plan.out;
  }
}

TEST_F(PaperStudy, AReducedFormRunsFromPlanToVerify) {
  write(path("reduced.yaml"), reduced_study());
  write_images();
  const ProcessResult plan = study("plan");
  EXPECT_EQ(plan.code, 0) << plan.error;
  EXPECT_NE(plan.out.find("60 runs, 0 done, 60 to do"), std::string::npos) << plan.out;
  const ProcessResult run = study("run");
  ASSERT_EQ(run.code, 0) << run.error;
  EXPECT_NE(run.out.find("splits random"), std::string::npos) << run.out;
  EXPECT_NE(run.out.find("splits natural_manmade"), std::string::npos);
  std::multiset<std::string> splits;
  for (const RunResult& result : read_results(path("reduced"))) {
    EXPECT_EQ(result.status, "ok") << result.error;
    EXPECT_EQ(result.n_test, result.classes);
    splits.insert(result.split + result.target + std::to_string(result.classes));
  }
  EXPECT_EQ(splits.count("natural_manmadeA449"), 6u);
  EXPECT_EQ(splits.count("natural_manmadeB551"), 6u);
  EXPECT_EQ(splits.count("random3A500"), 6u);
  const std::string page = read(path("reduced") / "report.html");
  EXPECT_NE(page.find("Beside published results"), std::string::npos);
  EXPECT_NE(page.find("the authors"), std::string::npos);
  EXPECT_TRUE(fs::exists(path("reduced") / "figures" / "accuracy_natural_manmade.svg"));

  const auto verify = [&] {
    return run_graft({"study", "verify", path("reduced").string(), "--data-dir", path("imagenet").string()});
  };
  EXPECT_EQ(verify().code, 0) << verify().out;
  const std::string table = read(path("reduced") / "reference.csv");
  write(path("reduced") / "reference.csv", table + "x,base,random0,A,A,0,0.5,1,1,1\n");
  const ProcessResult changed = verify();
  EXPECT_EQ(changed.code, 3);
  EXPECT_NE(changed.error.find("reference.csv"), std::string::npos) << changed.error;

  write(path("reduced.yaml"), reduced_study(999));
  EXPECT_EQ(study("run").code, 3);  // not the images that it expects
}

}  // namespace
}  // namespace graft::testing
