#!/usr/bin/env python3
"""Inference speed of graft beside PyTorch, batch norms folded in both, in one run: `make bench`.

Interleaved as bench/training.py does it. Writes docs/benchmarks/inference-<processor>.md and prints it.
"""
import argparse
import datetime
import math
import os
import re
import statistics
import sys
from pathlib import Path

from training import ROOT, TUNED, interleave, peer_version, processor, ratio

NETWORKS = [("resnet18", 32, 224), ("resnet50", 32, 224)]


def programs(graft, name, batch, size, dtype, steps):
    shape = ["--model", name, "--batch", str(batch), "--size", str(size), "--dtype", dtype, "--steps", str(steps),
             "--warmup", "2"]
    peer = [sys.executable, str(ROOT / "bench/peers/pytorch_inference.py"), *shape]
    return {"graft": ([graft, "bench", "inference", *shape, "--json"], None), "PyTorch": (peer, None),
            "PyTorch, tuned malloc": (peer, TUNED)}


def table(graft, rounds, steps, only, dtypes):
    lines = ["| network | batch | size | dtype | graft images/s | PyTorch | tuned | ratio | to tuned |",
             "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for dtype in dtypes:
        ratios = []
        for name, batch, size in NETWORKS:
            if only and name not in only:
                continue
            print(f"{name} {dtype}", file=sys.stderr)
            runs = interleave(programs(graft, name, batch, size, dtype, steps), rounds, "ms_per_batch")
            rate = {p: statistics.median(r["images_per_second"] for r in rs) for p, rs in runs.items()}
            plain, tuned = (ratio(runs, peer, "ms_per_batch") for peer in ("PyTorch", "PyTorch, tuned malloc"))
            ratios.append((plain, tuned))
            lines.append(f"| {name} | {batch} | {size} | {dtype} | {rate['graft']:.1f} | {rate['PyTorch']:.1f} | "
                         f"{rate['PyTorch, tuned malloc']:.1f} | {plain:.2f} | {tuned:.2f} |")
        means = [math.exp(statistics.fmean(math.log(pair[i]) for pair in ratios)) for i in (0, 1)]
        lines.append(f"| geometric mean | | | {dtype} | | | | **{means[0]:.2f}** | **{means[1]:.2f}** |")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graft", default=str(ROOT / "build/release/bin/graft"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--only", nargs="*", help="names of networks; default all")
    parser.add_argument("--dtypes", nargs="*", default=["f32", "bf16"])
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args()
    name = processor()
    load = os.getloadavg()[0]
    lines = [f"# Inference beside PyTorch: {name}, {os.cpu_count()} cores", "",
             f"{datetime.date.today()}, {peer_version()} (batch norms folded by torch.fx, channels_last, inference_mode; bf16: "
             f"weights cast once), `make bench`: {options.rounds} interleaved rounds of {options.steps} timed batches after 2; "
             f"the machine's load before was {load:.1f}. Rates are medians; a ratio is PyTorch's time over graft's, the "
             "median of the rounds' ratios. Tuned: PyTorch with GLIBC_TUNABLES that keep freed memory.", ""]
    lines += table(options.graft, options.rounds, options.steps, options.only, options.dtypes)
    text = "\n".join(lines) + "\n"
    if not options.no_write:
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        file = ROOT / "docs/benchmarks" / f"inference-{slug}.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
