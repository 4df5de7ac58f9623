#include "transfer/figure_style.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace graft {
namespace {

using ::testing::HasSubstr;
using Triple = std::array<double, 3>;
using Matrix = std::array<Triple, 3>;

/// What each kind of vision makes of linear RGB: normal, and without one kind of cone (Machado, Oliveira and Fernandes
/// 2009, severity 1: protanopia, deuteranopia, tritanopia).
constexpr std::array<Matrix, 4> kVisions{
    {{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}},
     {{{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}}},
     {{{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}}},
     {{{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}}}}};

Triple times(const Matrix& matrix, const Triple& v) {
  Triple product{};
  for (std::size_t i = 0; i < 3; ++i) product[i] = matrix[i][0] * v[0] + matrix[i][1] * v[1] + matrix[i][2] * v[2];
  return product;
}

/// sRGB "#0072b2" without its gamma (IEC 61966-2-1).
Triple linear(const std::string& hex) {
  Triple rgb{};
  for (std::size_t i = 0; i < 3; ++i) {
    const double c = std::stoi(hex.substr(1 + 2 * i, 2), nullptr, 16) / 255.0;
    rgb[i] = c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
  }
  return rgb;
}

/// Ottosson 2020: distances in it are about as large as they look; black and white are 1 apart.
Triple oklab(Triple rgb) {
  for (double& c : rgb) c = std::clamp(c, 0.0, 1.0);
  constexpr Matrix kCones{{{0.4122214708, 0.5363325363, 0.0514459929},
                           {0.2119034982, 0.6806995451, 0.1073969566},
                           {0.0883024619, 0.2817188376, 0.6299787005}}};
  constexpr Matrix kLab{{{0.2104542553, 0.7936177850, -0.0040720468},
                         {1.9779984951, -2.4285922050, 0.4505937099},
                         {0.0259040371, 0.7827717662, -0.8086757660}}};
  Triple cones = times(kCones, rgb);
  for (double& c : cones) c = std::cbrt(c);
  return times(kLab, cones);
}

/// How far apart two colours look to whoever tells them apart worst.
double distance(const std::string& a, const std::string& b) {
  double least = 1.0;
  for (const Matrix& vision : kVisions) {
    const Triple x = oklab(times(vision, linear(a)));
    const Triple y = oklab(times(vision, linear(b)));
    least = std::min(least, std::hypot(x[0] - y[0], x[1] - y[1], x[2] - y[2]));
  }
  return least;
}

/// WCAG 2.1's ratio of luminances.
double contrast(const std::string& a, const std::string& b) {
  const auto luminance = [](const Triple& c) { return 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2] + 0.05; };
  const double x = luminance(linear(a));
  const double y = luminance(linear(b));
  return std::max(x, y) / std::min(x, y);
}

std::vector<std::string> labels() {
  std::vector<std::string> all{"base"};
  for (const char* frozen : {"BnB", "AnB", "random", "probe"}) {
    for (const char* policy : {"", " bn-batch", " bn-update"}) all.push_back(std::string(frozen) + policy);
  }
  for (const char* tuned : {"BnB+", "AnB+"}) {
    for (const char* policy : {"", " lp-ft", " gradual", " llrd", " l2-sp"}) all.push_back(std::string(tuned) + policy);
  }
  return all;
}

TEST(FigureStyle, TheMeasureKnowsColoursThatAreConfused) {
  EXPECT_NEAR(distance("#000000", "#ffffff"), 1.0, 1e-3);
  EXPECT_NEAR(contrast("#000000", "#ffffff"), 21.0, 1e-9);
  EXPECT_NEAR(contrast("#777777", "#ffffff"), 4.48, 0.01);  // the ratio that WCAG's tools give for it
  // A red and a green of one lightness: far apart, but not without the cones for red or green.
  EXPECT_LT(distance("#c8553d", "#7d8b2f"), 0.06);
}

TEST(FigureStyle, TreatmentsAreToldApartWithAnyColourVision) {
  const std::vector<std::string> treatments{"base", "BnB", "BnB+", "AnB", "AnB+", "random", "probe"};
  for (std::size_t i = 0; i < treatments.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const ThemeColour a = style_of(treatments[i]).theme;
      const ThemeColour b = style_of(treatments[j]).theme;
      EXPECT_GT(distance(a.light, b.light), 0.08) << treatments[i] << " and " << treatments[j];
      EXPECT_GT(distance(a.dark, b.dark), 0.08) << treatments[i] << " and " << treatments[j] << ", dark";
    }
  }
}

TEST(FigureStyle, ColoursThatCouldBeConfusedDifferInPointAndDash) {
  const std::vector<std::string> all = labels();
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const TreatmentStyle a = style_of(all[i]);
      const TreatmentStyle b = style_of(all[j]);
      const double apart = std::min(distance(a.theme.light, b.theme.light), distance(a.theme.dark, b.theme.dark));
      const bool marked = a.point != b.point && std::string(a.dash) != b.dash;
      EXPECT_TRUE(apart > 0.08 || marked) << all[i] << " and " << all[j] << ": " << apart;
    }
  }
}

TEST(FigureStyle, EveryColourStandsOutFromItsPage) {
  for (const std::string& label : labels()) {
    EXPECT_GE(contrast(style_of(label).theme.light, "#ffffff"), 3.0) << label;
    EXPECT_GE(contrast(style_of(label).theme.dark, "#15171a"), 3.0) << label;
  }
}

TEST(FigureStyle, AFigureFollowsThePagesTheme) {
  EXPECT_EQ(themed("<g stroke='rgb( 10,  58, 120)'/><g color=\"rgb(  1,   2,   3)\"/>"),
            "<g stroke='var(--bnb)'/><g color=\"rgb(  1,   2,   3)\"/>");
  const std::string style = theme_style();
  EXPECT_THAT(style, HasSubstr("--bnb: #0a3a78;"));
  EXPECT_LT(style.find("--bnb: #0a3a78;"), style.find("prefers-color-scheme: dark"));
  EXPECT_LT(style.find("prefers-color-scheme: dark"), style.find("--bnb: #4f7df0;"));
}

}  // namespace
}  // namespace graft
