#include <gtest/gtest.h>

#include <filesystem>

#include "tests/tools/study_folder_fixture.h"

// Devices that are missing, too old, too small or broken: one line that says what to do, and exit code 4; the emulated
// device is told to be so.
namespace graft::testing {
namespace {

constexpr int kUsage = 2;
constexpr int kDevice = 4;

class DeviceErrors : public StudyFolderTest {
 protected:
  ProcessResult run_on(const std::string& device, const std::vector<std::string>& more = {},
                       const std::string& output = "results") const {
    std::vector<std::string> flags{"--device", "cuda-emulated"};
    flags.insert(flags.end(), more.begin(), more.end());
    return run(flags, output, {.environment = {{"GRAFT_EMULATED_DEVICE", device}}});
  }
  void SetUp() override {
    if (!has_emulated_device()) GTEST_SKIP() << "this build is without the emulated device";
  }
};

TEST_F(DeviceErrors, NoDriver) {
  expect_one_line(run_on("driver=0"), kDevice, {"no NVIDIA driver", "--device cpu"});
  EXPECT_FALSE(std::filesystem::exists(path("results")));
}

TEST_F(DeviceErrors, NoDevice) { expect_one_line(run_on("devices=0"), kDevice, {"no GPU", "--device cpu"}); }

TEST_F(DeviceErrors, DriverOlderThanTheProgram) {
  expect_one_line(run_on("driver=12040"), kDevice,
                  {"driver is for CUDA 12.4", "program for 13.0", "update the driver"});
}

TEST_F(DeviceErrors, ArchitectureTooOld) {
  expect_one_line(run_on("architecture=75"), kDevice, {"compute capability 7.5", "8.0 is the least", "--device cpu"});
}

/// The workspace alone takes 4 MiB: what is left is too little for the network.
TEST_F(DeviceErrors, TooLittleMemory) {
  expect_one_line(run_on("memory=5242880", {"--jobs", "1"}), kDevice,
                  {"out of memory", "MiB wanted", "MiB held", "of 5.0 MiB free", "lower the batch size or --jobs"});
  expect_one_line(run_on("memory=1048576"), kDevice, {"4.0 MiB wanted", "of 1.0 MiB free"});
}

TEST_F(DeviceErrors, LibrariesThatAreNotThere) {
  expect_one_line(run_on("", {"--conv", "cudnn"}), kUsage, {"--conv cudnn", "without cuDNN", "--conv native"});
  expect_one_line(run_on("", {"--gemm", "cublas"}), kUsage, {"--gemm cublas", "without cuBLAS", "--gemm native"});
  expect_one_line(run_on("", {"--conv", "fast"}), kUsage, {"--conv", "fast"});
  expect_one_line(run({"--conv", "cudnn"}), kUsage, {"--device cpu", "--conv"});
  expect_one_line(run({"--tf32"}), kUsage, {"--device cpu", "--tf32"});
}

TEST_F(DeviceErrors, DevicePlanThatCannotBeRead) {
  expect_one_line(run_on("memroy=1"), kUsage, {"GRAFT_EMULATED_DEVICE", "memroy", "memory"});
}

TEST_F(DeviceErrors, DevicesAreListedWhateverTheirState) {
  const ProcessResult result = run_graft({"devices"}, {.environment = {{"GRAFT_EMULATED_DEVICE", "driver=0"}}});
  EXPECT_EQ(result.code, 0) << result.error;
  EXPECT_NE(result.out.find("no NVIDIA driver"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("by oneDNN"), std::string::npos) << result.out;
}

/// As after a kernel's fault on a GPU: every call fails from there on. What was done before is kept.
TEST_F(DeviceErrors, ADeviceThatFailsMidway) {
  edit_study("treatments: [base, BnB, BnB+, AnB, AnB+, random]", "treatments: [base]");
  edit_study("cuts: [1, 3]\n", "");
  edit_study("train_per_class: 12", "train_per_class: 6");
  edit_study("seeds: [0]", "seeds: [0, 1]");
  ProcessResult failed = run_on("launches=250", {"--jobs", "1"});
  ASSERT_EQ(lines_of(failed.error).size(), 2u) << failed.error;
  failed.error = lines_of(failed.error).back();  // the first tells of the run that is done
  expect_one_line(failed, kDevice,
                  {"unspecified launch failure (cudaErrorLaunchFailure", "can no longer use the device",
                   "1 of 2 runs are done", "the same command goes on"});
  const ProcessResult resumed = run_on("", {"--jobs", "1"});
  EXPECT_EQ(resumed.code, 0) << resumed.error;
  ASSERT_EQ(run_on("", {"--jobs", "2", "--no-graph"}, "whole").code, 0);
  EXPECT_EQ(record(), record("whole"));
}

}  // namespace
}  // namespace graft::testing
