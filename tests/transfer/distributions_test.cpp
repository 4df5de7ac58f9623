#include "transfer/distributions.h"

#include <gtest/gtest.h>

#include <cmath>

namespace graft {
namespace {

// Expected values are mpmath 1.3.0's at 40 digits; those of coins are sums of whole numbers.

void expect_close(double got, double wanted, double relative = 1e-12) {
  EXPECT_NEAR(got, wanted, relative * std::abs(wanted));
}

TEST(Distributions, IncompleteBeta) {
  struct Case {
    double a, b, x, wanted;
  };
  for (const Case& c : {Case{0.5, 0.5, 0.3, 0.36901011956554538}, Case{2, 3, 0.9, 0.9963},
                        Case{0.001, 5, 0.01, 0.99744106908711243}, Case{800, 1200, 0.41, 0.81947567514571402}}) {
    SCOPED_TRACE(c.x);
    expect_close(incomplete_beta(c.a, c.b, c.x, 1.0 - c.x), c.wanted);
    expect_close(1.0 - incomplete_beta(c.b, c.a, 1.0 - c.x, c.x), c.wanted);
  }
  EXPECT_EQ(incomplete_beta(2, 3, 0.0, 1.0), 0.0);
  EXPECT_EQ(incomplete_beta(2, 3, 1.0, 0.0), 1.0);
}

TEST(Distributions, StudentsT) {
  struct Case {
    double t, degrees_of_freedom, above, relative;
  };
  for (const Case& c :
       {Case{0.0, 3, 0.5, 0}, Case{1e-9, 4, 0.499999999625, 1e-12}, Case{0.5, 1, 0.35241638234956673, 1e-12},
        Case{2.5, 2.5, 0.052284981539077694, 1e-12}, Case{-1.25, 7, 0.87426605171711986, 1e-12},
        Case{12, 3, 0.00062250790039466837, 1e-12}, Case{40, 9, 9.4914992246699132e-12, 1e-12},
        Case{3, 100, 0.0017039576716647248, 1e-12}, Case{5, 1000, 3.3836281823243152e-7, 1e-12},
        Case{-2, 100000, 0.97724851827124677, 1e-11}, Case{2, 1000000, 0.022750266925659604, 1e-9}}) {
    SCOPED_TRACE(c.t);
    expect_close(student_t_above(c.t, c.degrees_of_freedom), c.above, c.relative);
    EXPECT_NEAR(student_t_quantile_above(c.above, c.degrees_of_freedom), c.t, 1e-8 * std::abs(c.t) + 1e-11);
  }
  EXPECT_EQ(student_t_above(INFINITY, 3), 0.0);
  EXPECT_EQ(student_t_above(-INFINITY, 3), 1.0);
}

TEST(Distributions, Normal) {
  struct Case {
    double below, z;
  };
  for (const Case& c :
       {Case{1e-300, -37.047096299361199}, Case{1e-12, -7.0344838253011319}, Case{0.001, -3.0902323061678135},
        Case{0.025, -1.9599639845400542}, Case{0.3, -0.52440051270804082}, Case{0.8, 0.84162123357291436},
        Case{0.975, 1.9599639845400539}, Case{0.999999, 4.7534243088170878}}) {
    SCOPED_TRACE(c.below);
    expect_close(normal_quantile(c.below), c.z);
    expect_close(normal_below(c.z), c.below);
  }
  EXPECT_EQ(normal_quantile(0.5), 0.0);
}

TEST(Distributions, FairCoin) {
  struct Case {
    int heads, n;
    double at_most, exactly;
  };
  for (const Case& c :
       {Case{0, 1, 0.5, 0.5}, Case{1, 1, 1.0, 0.5}, Case{0, 3, 0.125, 0.125}, Case{3, 10, 0.171875, 0.1171875},
        Case{5, 10, 0.623046875, 0.24609375}, Case{480, 1000, 0.10872414660207047, 0.011340982371187727},
        Case{0, 1000, 9.3326361850321888e-302, 9.3326361850321888e-302},
        Case{29500, 60000, 2.2664674802611899e-5, 7.8277095041937774e-7}}) {
    SCOPED_TRACE(c.n);
    expect_close(fair_coin_at_most(c.heads, c.n), c.at_most, 1e-10);
    expect_close(fair_coin_exactly(c.heads, c.n), c.exactly, 1e-10);
  }
  EXPECT_EQ(fair_coin_at_most(0, 0), 1.0);
  EXPECT_EQ(fair_coin_exactly(0, 0), 1.0);
}

}  // namespace
}  // namespace graft
