#!/usr/bin/env python3
"""Compares `graft contrasts --json` with SciPy and statsmodels on random tables of runs.

    contrasts.py --graft build/release/bin/graft

Every table is written as CSV, paired and averaged once more here, and each figure is recomputed: the paired t-test and
its interval (scipy.stats.ttest_rel), equivalence (statsmodels' ttost_paired), Holm's correction over cuts (statsmodels'
multipletests), and the BCa bootstrap (scipy.stats.bootstrap), this one twice: on the very resamples that graft draws,
which is exact, and on SciPy's own with another bound, the Monte Carlo error of both. Prints a line a figure with the worst
difference and its bound; exits 1 if one is exceeded or a figure was never compared.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import scipy.stats
import statsmodels.stats.multitest
import statsmodels.stats.weightstats

LEVEL, MARGIN, RESAMPLES, SEED = 0.9, 0.006, 9999, 7
TREATMENTS = ("BnB", "AnB", "BnB+", "AnB+")
CONTRASTS = [(t, "base") for t in TREATMENTS] + [("AnB", "BnB"), ("BnB+", "BnB"), ("AnB+", "BnB+")]


def random_table(rng, number):
    """Rows of one group of splits, with a few networks missing, normal or skewed noise. Table 0 has a unit only, in table
    1 AnB+ and BnB+ share no target half."""
    splits, seeds, cuts = int(rng.integers(1, 15)), int(rng.integers(1, 5)), int(rng.integers(1, 7))
    if number == 0:
        splits, seeds = 1, 1
    skewed = rng.integers(2)
    noise = lambda: float((rng.exponential() - 1 if skewed else rng.normal()) * 0.006)
    effects = {(t, n): rng.normal(0, 0.008) for t in TREATMENTS for n in range(1, cuts + 1)}
    rows = []
    for split in range(splits):
        for target in "AB":
            of_half = {arm: noise() for arm in effects}
            for seed in range(seeds):
                rows.append((f"random{split}", target, "base", 0, seed, 0.7 + noise()))
                rows += [(f"random{split}", target, t, n, seed, 0.7 + effects[t, n] + of_half[t, n] + noise())
                         for t, n in effects if rng.random() < 0.95
                         and not (number == 1 and (t, target) in (("AnB+", "A"), ("BnB+", "B")))]
    return rows, splits


def write(path, rows):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["run", "treatment", "split", "source", "target", "n", "top1", "seed", "final_train_loss"])
        for i, (split, target, treatment, n, seed, top1) in enumerate(rows):
            source = target if treatment[0] in "bB" else "AB"[target == "A"]
            writer.writerow([f"run{i}", treatment, split, source, target, n, repr(top1), seed, 0.5])


def units_of(rows, splits, treatment, reference, n):
    """Treated and reference accuracies by independent unit, in the order of units' names."""
    found = {(s, g, t, m, seed): top1 for s, g, t, m, seed, top1 in rows}
    units = {}
    for (s, g, t, m, seed), top1 in found.items():
        partner = found.get((s, g, reference, 0 if reference == "base" else n, seed))
        if t == treatment and m == n and partner is not None:
            units.setdefault(f"{s}/{g}" if splits > 1 else str(seed), []).append((top1, partner))
    return np.array([np.mean(units[name], axis=0) for name in sorted(units)]).reshape(-1, 2)


def philox(counter, key):
    """Philox4x32-10 (Salmon et al. 2011) of columns of counters."""
    c = [np.asarray(word, np.uint64) for word in counter]
    low = np.uint64(0xFFFFFFFF)
    k0, k1 = key & 0xFFFFFFFF, key >> 32
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [(p1 >> np.uint64(32)) ^ c[1] ^ np.uint64(k0), p1 & low, (p0 >> np.uint64(32)) ^ c[3] ^ np.uint64(k1), p0 & low]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c


def mix_bits(word):
    """The finaliser of SplitMix64."""
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) % 2**64
    return word ^ (word >> 31)


def stream_key(seed, name):
    stream = 0xCBF29CE484222325
    for letter in name.encode():
        stream = ((stream ^ letter) * 0x100000001B3) % 2**64
    return mix_bits((mix_bits((seed + 0x9E3779B97F4A7C15) % 2**64) + stream) % 2**64)


def grafts_resamples(n, resamples, seed):
    """Indices [resamples, n] that graft draws: number i of step r of the stream "bootstrap"."""
    step, index = np.meshgrid(np.arange(resamples, dtype=np.uint64), np.arange(n, dtype=np.uint64), indexing="ij")
    words = philox([index, index * np.uint64(0), step, step * np.uint64(0)], stream_key(seed, "bootstrap"))
    bound = np.uint64(n)
    return ((words[1] * bound + ((words[0] * bound) >> np.uint64(32))) >> np.uint64(32)).astype(int)


def mean_in_order(x, axis=-1):
    """Summed in graft's order, so that equal resamples tie in both."""
    x = np.moveaxis(x, axis, 0)
    return np.add.accumulate(x, axis=0)[-1] / x.shape[0]


def bca(differences, **options):
    return scipy.stats.bootstrap((differences,), mean_in_order, confidence_level=LEVEL, method="BCa", **options)


class Figures:
    """The worst difference of each figure over its bound."""

    def __init__(self):
        self.worst = {}

    def compare(self, figure, got, expected, bound):
        count, worst, worst_bound = self.worst.get(figure, (0, 0.0, bound))
        far = float("inf") if got is None or np.isnan(got) else abs(got - expected)
        if count == 0 or far / bound > worst / worst_bound:
            worst, worst_bound = far, bound
        self.worst[figure] = (count + 1, worst, worst_bound)

    def report(self, wanted):
        good = True
        for figure in wanted:
            count, worst, bound = self.worst.get(figure, (0, float("inf"), 0.0))
            fits = count > 0 and worst <= bound
            good = good and fits
            print(f"{figure:34} {count:6} compared, worst difference {worst:.2e}, bound {bound:.2e}  {'ok' if fits else 'FAILED'}")
        return good


def compare_bootstrap(figures, row, differences, rng):
    if len(differences) < 12:
        figures.compare("no BCa below 12 units", float(row["bca"] is not None), 0.0, 0.5)
        return
    drawn = mean_in_order(differences[grafts_resamples(len(differences), RESAMPLES, SEED)])
    given = type("Resamples", (), {"bootstrap_distribution": drawn})
    same = bca(differences, n_resamples=0, bootstrap_result=given).confidence_interval
    figures.compare("BCa, the same resamples: lower", row["bca"]["lo"], same.low, 1e-12)
    figures.compare("BCa, the same resamples: upper", row["bca"]["hi"], same.high, 1e-12)
    own = [bca(differences, n_resamples=RESAMPLES, rng=rng).confidence_interval for _ in range(12)]
    for end, name in enumerate(("lower", "upper")):
        ends = [interval[end] for interval in own]
        bound = 6 * np.std(ends, ddof=1) * np.sqrt(1 + 1 / len(ends))
        figures.compare(f"BCa, SciPy's resamples: {name}", row["bca"]["lo" if end == 0 else "hi"], np.mean(ends), bound)


def compare_family(figures, answers, rows, splits, treatment, reference, rng, bootstrap):
    """One contrast at all its cuts."""
    name = f"{treatment} - {reference}"
    answers = [a for a in answers if a["contrast"] == name]
    tested, p_values, equivalences = [], [], []
    for row in answers:
        units = units_of(rows, splits, treatment, reference, row["n"])
        figures.compare("units", row["units"], len(units), 0.5)
        figures.compare("refused where nothing is shared", float(row["refused"]), float(len(units) == 0), 0.5)
        if len(units) == 0:
            figures.compare("no number in a refusal", float(row["mean"] is not None or not row["reason"]), 0.0, 0.5)
            continue
        differences = units[:, 0] - units[:, 1]
        figures.compare("mean", row["mean"], differences.mean(), 1e-12)
        if len(units) < 2:
            figures.compare("no interval of one unit", float(row["half_width"] is not None), 0.0, 0.5)
            continue
        test = scipy.stats.ttest_rel(units[:, 0], units[:, 1])
        interval = test.confidence_interval(LEVEL)
        figures.compare("t interval: lower", row["lo"], interval.low, 1e-11)
        figures.compare("t interval: upper", row["hi"], interval.high, 1e-11)
        figures.compare("p of the paired t-test", row["p"], test.pvalue, 1e-9)
        same = statsmodels.stats.weightstats.ttost_paired(units[:, 0], units[:, 1], -MARGIN, MARGIN)[0]
        figures.compare("p of equivalence", row["p_equivalence"], same, 1e-9)
        tested.append(row)
        p_values.append(test.pvalue)
        equivalences.append(same)
        if bootstrap:
            compare_bootstrap(figures, row, differences, rng)
    if not tested:
        return
    holm = lambda p: statsmodels.stats.multitest.multipletests(p, alpha=1 - LEVEL, method="holm")
    rejected, adjusted = holm(p_values)[:2]
    equivalent, adjusted_equivalences = holm(equivalences)[:2]
    for i, row in enumerate(tested):
        figures.compare("p by Holm", row["p_holm"], adjusted[i], 1e-9)
        figures.compare("p of equivalence by Holm", row["p_equivalence_holm"], adjusted_equivalences[i], 1e-9)
        excludes = row["holm_lo"] > 0 or row["holm_hi"] < 0
        figures.compare("Holm's interval excludes 0", float(excludes), float(rejected[i]), 0.5)
        verdict = row["verdict"] in ("equivalent", "does not matter")
        figures.compare("verdict of equivalence", float(verdict), float(equivalent[i]), 0.5)
        shown = row["verdict"] in ("gain", "loss", "transfers", "negative transfer")
        figures.compare("verdict of a gain or a loss", float(shown), float(rejected[i] and not equivalent[i]), 0.5)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graft", required=True, help="the command")
    parser.add_argument("--tables", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng, figures = np.random.default_rng(options.seed), Figures()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "runs.csv")
        for table in range(options.tables):
            rows, splits = random_table(rng, table)
            write(path, rows)
            out = subprocess.run([options.graft, "contrasts", path, "--json", f"--level={LEVEL}", f"--margin={MARGIN}",
                                  f"--resamples={RESAMPLES}", f"--seed={SEED}"], check=True, capture_output=True).stdout
            answers = json.loads(out)
            for treatment, reference in CONTRASTS:
                compare_family(figures, answers, rows, splits, treatment, reference, rng, bootstrap=table < 12)
    wanted = ["units", "refused where nothing is shared", "no number in a refusal", "mean", "t interval: lower", "t interval: upper",
              "p of the paired t-test", "p by Holm", "Holm's interval excludes 0", "p of equivalence",
              "p of equivalence by Holm", "verdict of equivalence", "verdict of a gain or a loss", "no interval of one unit",
              "no BCa below 12 units", "BCa, the same resamples: lower", "BCa, the same resamples: upper",
              "BCa, SciPy's resamples: lower", "BCa, SciPy's resamples: upper"]
    return 0 if figures.report(wanted) else 1


if __name__ == "__main__":
    sys.exit(main())
