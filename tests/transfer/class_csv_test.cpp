#include "transfer/class_csv.h"

#include <gtest/gtest.h>

#include "engine/base/error.h"

namespace graft {
namespace {

RunResult run_of(const std::string& id, const std::string& target, std::vector<std::array<std::int64_t, 2>> by_class) {
  RunResult r;
  r.id = id;
  r.treatment = "AnB+";
  r.cut = 2;
  r.split = "s";
  r.source = "A";
  r.target = target;
  r.seed = 7;
  r.by_class = std::move(by_class);
  return r;
}

Manifest manifest() {
  Manifest m;
  m.splits = {{"s", {"cat, wild", "dog"}, {"bus", "a \"car\"", "tram"}, ""}};
  return m;
}

TEST(ClassCsv, ALineForEachClassOfTheTargetHalf) {
  RunResult failed = run_of("r3", "B", {{1, 1}, {1, 1}, {1, 1}});
  failed.status = "failed";
  const std::string text = class_csv({run_of("r1", "B", {{3, 4}, {0, 5}, {0, 0}}), run_of("r2", "A", {{1, 2}, {2, 2}}),
                                      failed, run_of("old", "B", {})},
                                     manifest());
  EXPECT_EQ(text,
            "run,treatment,split,source,target,n,seed,class,top1,correct,n_test\n"
            "r1,AnB+,s,A,B,2,7,bus,0.75,3,4\n"
            "r1,AnB+,s,A,B,2,7,\"a \"\"car\"\"\",0,0,5\n"
            "r1,AnB+,s,A,B,2,7,tram,0,0,0\n"
            "r2,AnB+,s,A,A,2,7,\"cat, wild\",0.5,1,2\n"
            "r2,AnB+,s,A,A,2,7,dog,1,2,2\n");
}

TEST(ClassCsv, ARecordThatDoesNotFitTheManifest) {
  EXPECT_THROW(class_csv({run_of("r1", "B", {{3, 4}})}, manifest()), Error);
  RunResult other = run_of("r1", "B", {{3, 4}, {0, 5}, {1, 1}});
  other.split = "t";
  EXPECT_THROW(class_csv({other}, manifest()), Error);
}

}  // namespace
}  // namespace graft
