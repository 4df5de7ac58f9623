#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "transfer/manifest.h"
#include "transfer/report_data.h"

namespace graft {

/// What divides test images into parts whose right answers are counted apart.
enum class AuditBy { classes, subgroups };
/// "class" or "subgroup".
const char* part_word(AuditBy by);
/// "classes" or "subgroups".
const char* parts_word(AuditBy by);

/// Right answers of a network by part: {right, tested}; empty where its record does not count them.
const std::vector<std::array<std::int64_t, 2>>& counts_of(const RunResult& run, AuditBy by);
/// The names of those parts, in the same order. Throws Error(data) naming the run if it counts another number of parts
/// than the manifest has: of its half's classes, or of subgroups.
const std::vector<std::string>& part_names(const RunResult& run, const Manifest& manifest, AuditBy by);

/// Fewer test images say nothing of a part: at an accuracy of .8 the sampling error alone of 30 is .07.
inline constexpr std::int64_t kFewestImages = 30;

/// A number of an arm's networks beside that of the base networks that they are paired with.
struct Change {
  double base = 0.0;  ///< means
  double treated = 0.0;
  IntervalEstimate difference;  ///< treated - base, paired, over the study's units
  bool falls() const { return difference.half_width && difference.mean + *difference.half_width < 0.0; }
  bool rises() const { return difference.half_width && difference.mean - *difference.half_width > 0.0; }
};

/// What an arm does to the accuracy on one part.
struct PartEffect {
  std::string name;
  Change accuracy;
};

/// An arm against base, part by part.
struct ArmAudit {
  ArmRow row;
  bool carries_over = false;      ///< its layers come from another half than it is tested on
  std::vector<PartEffect> parts;  ///< the largest loss first
  Change worst;                   ///< accuracy on each network's own worst part
  Change gap;                     ///< between each network's own best and worst part

  /// The part with the lowest mean accuracy; "" without parts.
  std::string worst_part() const;
  /// A part's loss is shown, and one of the mean over all images is not.
  bool hides_a_loss() const;
};

/// A part with fewer than kFewestImages test images wherever it occurs.
struct ThinPart {
  std::string name;
  std::int64_t images = 0;  ///< the most that a network was tested on
};

struct Audit {
  AuditBy by = AuditBy::classes;
  std::vector<std::string> parts;  ///< with images enough, sorted
  std::vector<ThinPart> thin;      ///< sorted
  double level = 0.95;             ///< of the interval of each part
  double extremes_level = 0.95;    ///< of those of worst and gap
  std::vector<ArmAudit> arms;      ///< all but base, in the report's order
};

/// Intervals of parts are at 1 - 0.05 / C, so that all C of an arm hold together (Bonferroni); likewise those of the
/// worst part, and of the gap, of a treatment at all its cuts. Left out are networks that did not train, records
/// without counts, and a part of a network with fewer than kFewestImages images; worst and gap need two parts of a
/// network. What has no pair is empty. Throws Error(data) as part_names.
Audit audit_by(AuditBy by, const ReportData& data, const Manifest& manifest);

}  // namespace graft
