#include "transfer/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <regex>

#include "engine/base/error.h"
#include "engine/io/file.h"
#include "tests/transfer/study_fixture.h"
#include "transfer/figure.h"
#include "transfer/figure_gnuplot.h"
#include "transfer/figure_style.h"
#include "transfer/report_data.h"

namespace graft {
namespace {

using ::testing::HasSubstr;
using testing::invented_results;
using ::testing::Not;
using testing::plan_of;
using testing::shipped_study;

Study demo() { return read_study(shipped_study("fashion-mnist-clothing")); }

/// The page of a shipped study with these results.
std::string page_of(const TemporaryFolder& folder, const std::string& study, const std::vector<RunResult>& results) {
  testing::write_results_folder(folder.path(), study, results);
  write_report(folder.path());
  return read_text(folder.path() / "report.html");
}

RunResult& find(std::vector<RunResult>& results, const std::string& treatment, int cut, std::uint64_t seed) {
  return *std::find_if(results.begin(), results.end(), [&](const RunResult& r) {
    return r.treatment == treatment && r.cut == cut && r.seed == seed && r.target == "B";
  });
}

TEST(Report, HasEveryPart) {
  const TemporaryFolder folder;
  const std::string page = page_of(folder, "fashion-mnist-clothing", invented_results(plan_of(demo())));
  for (const char* part :
       {"<!doctype html>", "name=\"viewport\"", "prefers-color-scheme: dark", "Which stages of convnet6",
        "What the runs say", "Accuracy against the cut", "Differences to base", "What did not train", "Settings",
        "Provenance", "How to make this page again", "graft study report .", "&#39;my data&#39;", "Yosinski",
        "for this split only", "Every network (96)", "training.warmup_steps", "an invented processor", "conv4"}) {
    EXPECT_THAT(page, HasSubstr(part));
  }
  for (const char* hash : {"5555", "6666", "7777", "8888", "bbbb"}) EXPECT_THAT(page, HasSubstr(hash));
  for (const char* name : {"accuracy", "accuracy_narrow", "differences", "differences_narrow"}) {
    EXPECT_THAT(read_text(folder.path() / "figures" / (std::string(name) + ".svg")), HasSubstr("</svg>"));
  }
}

TEST(Report, NeedsNothingBesideItself) {
  const TemporaryFolder folder;
  const std::string page = page_of(folder, "fashion-mnist-clothing", invented_results(plan_of(demo())));
  for (const char* outside : {"<script", "<link", "<img", "<iframe", "@import", "@font-face", "src="}) {
    EXPECT_THAT(page, Not(HasSubstr(outside)));
  }
  // every reference points into the page; addresses occur only as names of XML vocabularies
  const std::regex reference("(?:href|url)[=(]['\"]?([^'\") >]*)");
  for (std::sregex_iterator found(page.begin(), page.end(), reference), end; found != end; ++found) {
    EXPECT_EQ((*found)[1].str().rfind('#', 0), 0u) << found->str();
  }
  const std::regex address("([a-z:]*)=\"https?://[^\"]*\"|https?://");
  for (std::sregex_iterator found(page.begin(), page.end(), address), end; found != end; ++found) {
    EXPECT_EQ((*found)[1].str().rfind("xmlns", 0), 0u) << found->str();
  }
}

TEST(Report, IdsAreUniqueAndReferencesResolve) {
  const TemporaryFolder folder;
  const std::string page = page_of(folder, "fashion-mnist-clothing", invented_results(plan_of(demo())));
  std::vector<std::string> ids;
  const std::regex id("\\sid=['\"]([^'\"]*)");
  for (std::sregex_iterator found(page.begin(), page.end(), id), end; found != end; ++found) ids.push_back((*found)[1]);
  ASSERT_GT(ids.size(), 10u);
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(std::adjacent_find(ids.begin(), ids.end()), ids.end());
  const std::regex reference("href='#([^']*)'");
  for (std::sregex_iterator found(page.begin(), page.end(), reference), end; found != end; ++found) {
    EXPECT_TRUE(std::binary_search(ids.begin(), ids.end(), (*found)[1].str())) << found->str();
  }
}

TEST(Report, RebuiltFromTheSameFilesItIsTheSameBytes) {
  const TemporaryFolder folder;
  const TemporaryFolder elsewhere;
  auto results = invented_results(plan_of(demo()));
  const std::string first = page_of(folder, "fashion-mnist-clothing", results);
  write_report(folder.path());
  EXPECT_EQ(read_text(folder.path() / "report.html"), first);
  std::reverse(results.begin(), results.end());  // workers finish in any order
  EXPECT_EQ(page_of(elsewhere, "fashion-mnist-clothing", results), first);
}

TEST(Report, EveryRunIsADot) {
  const TemporaryFolder folder;
  page_of(folder, "fashion-mnist-clothing", invented_results(plan_of(demo())));
  const std::string svg = read_text(folder.path() / "figures" / "accuracy.svg");
  std::size_t marks = 0;
  const std::regex use("<use xlink:href='#accuracy-gpPt\\d+' transform='translate");
  for (std::sregex_iterator found(svg.begin(), svg.end(), use), end; found != end; ++found) ++marks;
  // 93 networks on the target half, of which random at cut 5 with seed 0 lies below the axis: 92 dots, 1 triangle,
  // and a mark in the key for each of five treatments
  EXPECT_EQ(marks, 92u + 1 + 5);
}

/// Random networks of two neighbouring cuts lie below the axis: in the narrow drawing their accuracies would not stand
/// side by side.
TEST(Report, AccuraciesBelowTheAxisDoNotOverlapAndHaveTheirTheme) {
  std::vector<RunResult> results = invented_results(plan_of(demo()));
  for (RunResult& run : results) {
    if (run.treatment == "random" && run.cut >= 5) run.top1 = run.seed == 0 ? 0.21 : 0.3;
  }
  const TemporaryFolder folder;
  const std::string page = page_of(folder, "fashion-mnist-clothing", results);
  const std::regex label(
      "translate\\(([0-9.]+),([0-9.]+)\\)\" stroke=\"none\" fill=\"([^\"]*)\"[^>]*>\\s*<text>0.21–0.30<");
  struct Place {
    double x, y;
  };
  std::vector<Place> places;  // of cuts 5 and 6 in the wide drawing, then in the narrow one
  for (std::sregex_iterator found(page.begin(), page.end(), label), end; found != end; ++found) {
    places.push_back({std::stod((*found)[1]), std::stod((*found)[2])});
    EXPECT_EQ((*found)[3].str(), "var(--random)");
  }
  ASSERT_EQ(places.size(), 4u);
  constexpr double kLength = 9 * 0.6;  // nine characters, in sizes of the font
  EXPECT_EQ(places[0].y, places[1].y);
  EXPECT_GT(places[1].x - places[0].x, kLength * kWideFigure.font);
  EXPECT_LT(places[3].x - places[2].x, kLength * kNarrowFigure.font);
  EXPECT_GT(places[2].y - places[3].y, kNarrowFigure.font);
}

/// A network's dot has the mark of its policy, not of its treatment alone.
TEST(Report, DotsAreThoseOfTheirPolicy) {
  const Study study = read_study(shipped_study("fashion-mnist-resnet20-batch-norm"));
  const Plan plan = make_plan(study, testing::fake_fashion_mnist(), 4, {.device_kind = "avx2", .data_hash = "d"});
  std::vector<RunResult> results = invented_results(plan);
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (freezes(plan.runs[i].treatment)) results[i].batch_norm_policy = name_of(plan.runs[i].bn_policy);
    results[i].top1 = label_of(results[i]) == "AnB bn-batch" ? 0.7515 : 0.8;
  }
  const std::string script = accuracy_script(make_report_data(study, results), {}, kWideFigure, "accuracy");
  std::size_t found = 0;
  const std::regex dots("\\$(dots\\d+) u 1:2 w p pt (\\d+)");
  for (std::sregex_iterator use(script.begin(), script.end(), dots), end; use != end; ++use) {
    const std::size_t at = script.find("$" + (*use)[1].str() + " <<");
    const bool theirs = script.substr(at, script.find("EOD\n", at + 20) - at).find(" 0.751500") != std::string::npos;
    EXPECT_EQ(theirs, std::stoi((*use)[2].str()) == style_of("AnB bn-batch").point) << use->str();
    ++found;
  }
  EXPECT_EQ(found, 6u);
}

TEST(Report, FailedAndMissingRunsAndAMixOfPrograms) {
  const TemporaryFolder folder;
  auto results = invented_results(plan_of(demo()));
  RunResult& failed = find(results, "AnB", 3, 1);
  failed.status = "failed";
  failed.error = "[conv2d] <no> memory & no hope";
  find(results, "BnB", 2, 0).binary = std::string(64, 'c');
  results.erase(results.begin() + (&find(results, "random", 6, 2) - results.data()));
  const std::string page = page_of(folder, "fashion-mnist-clothing", results);
  EXPECT_THAT(page, HasSubstr("What failed"));
  EXPECT_THAT(page, HasSubstr("[conv2d] &lt;no&gt; memory &amp; no hope"));
  EXPECT_THAT(page, HasSubstr("made by 2 different programs"));
  EXPECT_THAT(page, HasSubstr("not complete: 91 of 93"));
  const std::string table = report_table(demo(), results);
  EXPECT_THAT(table, HasSubstr("1 failed"));
  EXPECT_THAT(table, HasSubstr("1 not run yet"));
  EXPECT_THAT(table, HasSubstr("AnB cut 3 target B seed 1: [conv2d] <no> memory & no hope"));
}

TEST(Report, OneSeedGivesNoIntervals) {
  const TemporaryFolder folder;
  auto results = invented_results(plan_of(demo()));
  std::erase_if(results, [](const RunResult& r) { return r.seed != 0; });
  const std::string page = page_of(folder, "fashion-mnist-clothing", results);
  EXPECT_THAT(page, HasSubstr("There are not enough pairs for an interval yet"));
  EXPECT_THAT(page, HasSubstr("not enough pairs</td>"));
  EXPECT_THAT(page, Not(HasSubstr("&plusmn;")));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "figures" / "differences.svg"));
}

TEST(Report, NoResultsYet) {
  const TemporaryFolder folder;
  EXPECT_THAT(page_of(folder, "fashion-mnist-clothing", {}), HasSubstr("not complete: 0 of 93"));
}

TEST(Report, SeveralSplitsCountHalvesOfSplits) {
  const TemporaryFolder folder;
  const Study study = read_study(shipped_study("fashion-mnist-random"));
  const std::string page = page_of(folder, "fashion-mnist-random", invented_results(plan_of(study)));
  EXPECT_THAT(page, HasSubstr("over target halves of splits"));
  EXPECT_THAT(page, Not(HasSubstr("for this split only")));
  EXPECT_THAT(page, HasSubstr("random3"));
  const ReportData data = make_report_data(study, invented_results(plan_of(study)));
  EXPECT_EQ(data.find_row({"AnB", 2})->difference.difference.units, 8);
  EXPECT_EQ(data.find_row({"AnB", 2})->difference.pairs, 24);
}

TEST(ReportTable, MeansDifferencesAndWhatDidNotTrain) {
  const auto results = invented_results(plan_of(demo()));
  const std::string table = report_table(demo(), results);
  double sum = 0.0;
  for (const RunResult& r : results) {
    if (r.treatment == "AnB" && r.cut == 6) sum += r.top1;
  }
  EXPECT_THAT(table, HasSubstr(fmt::format("{:.4f}", sum / 3)));
  EXPECT_THAT(table, HasSubstr("1 did not train (without: "));
  EXPECT_THAT(table, HasSubstr("random cut 5 target B seed 0: its training loss 1.609 is what guessing costs"));
  EXPECT_THAT(table, HasSubstr("it speaks for this split only"));
  EXPECT_EQ(table.find('\t'), std::string::npos);
}

TEST(ReportData, WhatDidNotTrainStaysInAndStandsApart) {
  const auto results = invented_results(plan_of(demo()));
  const ReportData data = make_report_data(demo(), results);
  const ArmRow& row = *data.find_row({"random", 5});
  EXPECT_EQ(row.untrained, 1);
  EXPECT_EQ(row.mean.runs, 3);
  EXPECT_EQ(row.trained_mean.runs, 2);
  EXPECT_EQ(row.difference.pairs, 3);
  EXPECT_EQ(row.trained_difference.pairs, 2);
  EXPECT_LT(row.mean.mean, row.trained_mean.mean);
  EXPECT_EQ(data.source_bases.size(), 3u);  // of half A, no target: compared with nothing
  EXPECT_EQ(data.find_row({"base", 0})->mean.runs, 3);
}

TEST(FigureGnuplot, MissingNamesThePackage) {
  const std::string path = std::getenv("PATH");
  ::setenv("PATH", "/nonexistent", 1);
  std::string message;
  try {
    run_gnuplot("plot x");
  } catch (const Error& error) {
    message = error.what();
  }
  ::setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(message, "[figure] gnuplot is not installed: apt-get install gnuplot-nox");
}

TEST(FigureGnuplot, ARejectedScriptSaysWhy) {
  try {
    run_gnuplot("set terminal svg\nplot nosuchthing\n");
    FAIL() << "gnuplot took it";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("[figure] gnuplot drew nothing: "));
    EXPECT_THAT(error.what(), HasSubstr("nosuchthing"));
    EXPECT_THAT(error.what(), Not(HasSubstr("\n")));
  }
}

TEST(FigureGnuplot, QuotedTextRunsNothing) {
  const std::string text = "a`echo run`b $HOME \"q\" \\ c\nplot";
  const std::string svg =
      run_gnuplot("set terminal svg noenhanced name 'x'\nset label " + gnuplot_quoted(text) + " at 0,0\nplot x\n");
  EXPECT_THAT(svg, HasSubstr("a`echo run`b $HOME"));
  EXPECT_THAT(svg, HasSubstr("\\ cplot"));
}

TEST(FigureGnuplot, InlinedFiguresShareNoIdAndTakeTheTextsColour) {
  const std::string svg = run_gnuplot("set terminal svg dynamic name 'one'\nplot x with points\n");
  const std::string inlined = inline_svg(svg, "one", "a \"line\" & more");
  EXPECT_EQ(inlined.rfind("<svg role=\"img\" aria-label=\"a &quot;line&quot; &amp; more\"", 0), 0u);
  EXPECT_THAT(inlined, HasSubstr("'#one-gpPt"));
  EXPECT_THAT(inlined, Not(HasSubstr("'#gpPt")));
  EXPECT_THAT(inlined, Not(HasSubstr("black")));
  EXPECT_THAT(inline_svg(run_gnuplot("set terminal svg\nplot '+' using 1:1:1 with yerrorbars pt 7\n"), "two", ""),
              Not(HasSubstr("color='white'")));
  EXPECT_THAT(standalone_svg(inlined), HasSubstr("background:#fff"));
}

}  // namespace
}  // namespace graft
