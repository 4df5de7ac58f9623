#!/usr/bin/env python3
"""Compares every backbone of graft with PyTorch: each stage's output, and for one training step every gradient and
every updated batch-norm buffer; then loads what graft exports with strict=True. `make parity` runs it.

Fails if any number is farther from PyTorch in float64 than measure.py allows, or if a planted fault is not seen."""
import argparse
import sys
import tempfile
import time
from pathlib import Path

import torch

import cases
import faults
import measure


def has_avx512():
    try:
        return "avx512f" in Path("/proc/cpuinfo").read_text()
    except OSError:
        return False


def exported_is_same(model, case, exported, numbers):
    """What graft saved loads strictly and is the same bits, so PyTorch computes the same."""
    other = case.make()
    other.load_state_dict(exported, strict=True)
    state = model.state_dict()
    same = all(torch.equal(state[name], tensor) for name, tensor in other.state_dict().items())
    with torch.no_grad():
        return same and torch.equal(model.eval()(numbers["input"]), other.eval()(numbers["input"]))


def compare(case, program, folder, seed):
    """(the distances of every tensor, the round trip's result)."""
    model = measure.make_model(case, seed)
    weights = measure.save_model(case, model, folder)
    numbers = measure.make_input(case, seed)
    exact = measure.run_pytorch(model, case, numbers, torch.float64)
    single = measure.run_single(model, case, numbers)
    graft, exported = measure.run_graft(program, case, folder, weights, numbers)
    factor = measure.WINOGRAD_FACTOR if measure.uses_winograd(model, has_avx512()) else measure.FACTOR
    return measure.distances(graft, single, exact, factor), exported_is_same(model, case, exported, numbers)


def report(case, found, same, seconds, verbose):
    """Prints a network's line, and every tensor that is too far; true iff nothing is."""
    wrong = [d for d in found if not d.share <= 1.0]
    worst = max(found, key=lambda d: d.share)
    print(f"{case.name:22} {'x'.join(map(str, case.shape)):12} {len(found):5} {worst.factor:3.0f}  "
          f"{worst.share:8.2f}  {worst.graft:8.1e}  {worst.pytorch:8.1e}  {'same' if same else 'DIFFERS':8} "
          f"{seconds:6.1f}  {worst.name}", flush=True)
    for d in found if verbose else wrong:
        print(f"    {'far: ' if d in wrong else ''}{d.name}  graft {d.graft:.2e}  PyTorch {d.pytorch:.2e}")
    return not wrong and same


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/release/bin/parity_run")
    parser.add_argument("--quick", action="store_true", help="a network of each family instead of all")
    parser.add_argument("--only", nargs="*", help="these networks")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", action="store_true", help="every tensor's distances")
    options = parser.parse_args()
    torch.set_num_threads(1)
    chosen = [c for c in cases.all_cases() if c.quick or not options.quick]
    if options.only:
        chosen = [c for c in cases.all_cases() if c.name in options.only]
    print(f"{'model':22} {'input':12} {'count':>5} {'by':>3}  {'share':>8}  {'graft':>8}  {'PyTorch':>8}  {'export':8} "
          f"{'s':>6}  worst tensor")
    good = True
    for case in chosen:
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            found, same = compare(case, options.program, Path(folder), options.seed)
        good &= report(case, found, same, time.monotonic() - start, options.verbose)
    if not options.only:
        good &= faults.all_seen(options.program, options.seed)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
