#!/usr/bin/env python3
"""Training speed of graft beside PyTorch, in one run: `make bench`.

Every round starts each program once, one after the other, so that a change of the machine's speed meets all alike. A
figure is the median over rounds of a program's own median step; a ratio is the median of the rounds' ratios. Writes
docs/benchmarks/training-<processor>.md and prints it.
"""
import argparse
import datetime
import json
import math
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NETWORKS = [("cifar_resnet20", 128, 32), ("resnet18_cifar", 64, 32), ("resnet18", 16, 224), ("resnet50", 16, 224)]
TUNED = {"GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=4294967296:glibc.malloc.trim_threshold=4294967296"}


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def peer_version():
    """Asked of another process: a child's peak memory counts from its parent's size, so this one has to stay small."""
    command = [sys.executable, "-c", "import torch; print('PyTorch', torch.__version__)"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def run_json(command, environment=None):
    done = subprocess.run(command, env={**os.environ, **(environment or {})}, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"bench: {' '.join(map(str, command))} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def step_programs(graft, name, batch, size, dtype, steps):
    shape = ["--model", name, "--batch", str(batch), "--size", str(size), "--dtype", dtype, "--steps", str(steps),
             "--warmup", "3"]
    peer = [sys.executable, str(ROOT / "bench/peers/pytorch_step.py"), *shape]
    return {"graft": ([graft, "bench", "step", *shape, "--json"], None), "PyTorch": (peer, None),
            "PyTorch, tuned malloc": (peer, TUNED)}


def interleave(programs, rounds, figure):
    runs = {name: [] for name in programs}
    for index in range(rounds):
        order = list(programs.items())
        for name, (command, environment) in order[index % len(order):] + order[: index % len(order)]:
            runs[name].append(run_json(command, environment))
            print(f"  {name}: {runs[name][-1][figure]:.1f}", file=sys.stderr, flush=True)
    return runs


def ratio(runs, peer, figure):
    return statistics.median(b[figure] / a[figure] for a, b in zip(runs["graft"], runs[peer]))


def training_table(graft, rounds, steps, only):
    lines = ["| network | batch | size | dtype | graft ms | PyTorch ms | tuned ms | ratio | to tuned | graft MiB | PyTorch MiB |",
             "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    ratios = {}
    for dtype in ("f32", "bf16"):
        for name, batch, size in NETWORKS:
            if only and name not in only:
                continue
            print(f"{name} {dtype}", file=sys.stderr)
            runs = interleave(step_programs(graft, name, batch, size, dtype, steps), rounds, "ms_per_step")
            median = {p: statistics.median(r["ms_per_step"] for r in rs) for p, rs in runs.items()}
            memory = {p: statistics.median(r["peak_rss_mib"] for r in rs) for p, rs in runs.items()}
            plain, tuned = ratio(runs, "PyTorch", "ms_per_step"), ratio(runs, "PyTorch, tuned malloc", "ms_per_step")
            ratios.setdefault(dtype, []).append((plain, tuned))
            lines.append(f"| {name} | {batch} | {size} | {dtype} | {median['graft']:.1f} | {median['PyTorch']:.1f} | "
                         f"{median['PyTorch, tuned malloc']:.1f} | {plain:.2f} | {tuned:.2f} | {memory['graft']:.0f} | "
                         f"{memory['PyTorch']:.0f} |")
    for dtype, pairs in ratios.items():
        means = [math.exp(statistics.fmean(math.log(pair[i]) for pair in pairs)) for i in (0, 1)]
        lines.append(f"| geometric mean | | | {dtype} | | | | **{means[0]:.2f}** | **{means[1]:.2f}** | | |")
    return lines


def timed_grid(graft, amp, folder):
    """The demo's grid with seed 0 by `graft study run`, in a fresh results folder; peak memory by wait4."""
    study = (ROOT / "studies/fashion-mnist-clothing.yaml").read_text()
    study = re.sub(r"(?m)^seeds:.*$", "seeds: [0]", study)
    file = Path(folder) / "grid.yaml"
    file.write_text(study)
    output = tempfile.mkdtemp(dir=folder)
    start = time.perf_counter()
    child = subprocess.Popen([graft, "study", "run", str(file), "--output", output, "--amp", amp],
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    error = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"bench: graft study run failed:\n{error[-2000:]}")
    return {"seconds": time.perf_counter() - start, "peak_rss_mib": usage.ru_maxrss / 1024}


def grid_table(graft, rounds):
    runs = {"graft": [], "graft bf16": [], "PyTorch": []}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            runs["graft"].append(timed_grid(graft, "none", folder))
            runs["PyTorch"].append(run_json([sys.executable, str(ROOT / "bench/peers/pytorch_grid.py")]))
            runs["graft bf16"].append(timed_grid(graft, "bf16", folder))
            print("  " + ", ".join(f"{p}: {rs[-1]['seconds']:.0f} s" for p, rs in runs.items()), file=sys.stderr, flush=True)
    lines = ["| program | seconds | PyTorch's seconds over it | peak MiB |", "| --- | --- | --- | --- |"]
    for program, results in runs.items():
        shares = [peer["seconds"] / own["seconds"] for own, peer in zip(results, runs["PyTorch"])]
        lines.append(f"| {program} | {statistics.median(r['seconds'] for r in results):.1f} | {statistics.median(shares):.2f} | "
                     f"{statistics.median(r['peak_rss_mib'] for r in results):.0f} |")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graft", default=str(ROOT / "build/release/bin/graft"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--grid-rounds", type=int, default=2)
    parser.add_argument("--only", nargs="*", help="names of networks; default all")
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args()
    name = processor()
    lines = [f"# Training beside PyTorch: {name}, {os.cpu_count()} cores", "",
             f"{datetime.date.today()}, {peer_version()} (channels_last, SGD with momentum; bf16 by autocast), "
             f"`make bench`: {options.rounds} interleaved rounds of {options.steps} timed steps after 3. Milliseconds a step are "
             "medians; a ratio is PyTorch's time over graft's, the median of the rounds' ratios. Tuned: PyTorch with "
             "GLIBC_TUNABLES that keep freed memory. MiB: peak resident memory.", ""]
    lines += training_table(options.graft, options.rounds, options.steps, options.only)
    if options.grid_rounds:
        lines += ["", f"The demo's grid, seed 0 (32 networks), one thread a network, {options.grid_rounds} interleaved rounds; "
                  "the peer is bench/peers/pytorch_grid.py. PyTorch's peak is its largest worker's times the workers.", ""]
        lines += grid_table(options.graft, options.grid_rounds)
    text = "\n".join(lines) + "\n"
    if not options.no_write:
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        file = ROOT / "docs/benchmarks" / f"training-{slug}.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
