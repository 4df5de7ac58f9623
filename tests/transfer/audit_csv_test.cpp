#include "transfer/audit_csv.h"

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

TEST(AuditCsv, ALineForEachClassOfTheTargetHalf) {
  RunResult failed = run_of("r3", "B", {{1, 1}, {1, 1}, {1, 1}});
  failed.status = "failed";
  const std::string text = audit_csv(AuditBy::classes,
                                     {run_of("r1", "B", {{3, 4}, {0, 5}, {0, 0}}), run_of("r2", "A", {{1, 2}, {2, 2}}),
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

TEST(AuditCsv, ARecordThatDoesNotFitTheManifest) {
  EXPECT_THROW(audit_csv(AuditBy::classes, {run_of("r1", "B", {{3, 4}})}, manifest()), Error);
  RunResult other = run_of("r1", "B", {{3, 4}, {0, 5}, {1, 1}});
  other.split = "t";
  EXPECT_THROW(audit_csv(AuditBy::classes, {other}, manifest()), Error);
}

TEST(AuditCsv, ALineForEachSubgroup) {
  Manifest m = manifest();
  m.subgroups = {.file = "light.csv", .names = {"dark", "light"}, .sha256 = ""};
  RunResult r = run_of("r1", "B", {{3, 4}, {0, 5}, {1, 1}});
  r.by_subgroup = {{1, 4}, {3, 6}};
  EXPECT_EQ(audit_csv(AuditBy::subgroups, {r, run_of("base", "A", {{1, 2}, {2, 2}})}, m),
            "run,treatment,split,source,target,n,seed,subgroup,top1,correct,n_test\n"
            "r1,AnB+,s,A,B,2,7,dark,0.25,1,4\n"
            "r1,AnB+,s,A,B,2,7,light,0.5,3,6\n");
  EXPECT_THROW(audit_csv(AuditBy::subgroups, {r}, manifest()), Error);
}

}  // namespace
}  // namespace graft
