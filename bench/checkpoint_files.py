#!/usr/bin/env python3
"""A 1 GB checkpoint read, hashed and imported by graft, beside openssl and cp, in one run: `make bench`.

Every round starts each command once, one after the other. A time is the median over rounds, a ratio the median of the
rounds' ratios. Memory is the peak of RssAnon while an import runs. Writes
docs/benchmarks/checkpoint-files-<processor>.md and prints it.
"""
import argparse
import datetime
import json
import os
import re
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from training import ROOT, processor

MODEL, CLASSES = "vgg19", 31500  # 268.6 million parameters: 1.0 GiB


def write_files(folder):
    """The same network as safetensors and as torch.save writes it; in a process of its own, which needs twice the memory."""
    import torch
    import torchvision

    torch.manual_seed(0)
    with torch.device("meta"):
        network = torchvision.models.vgg19(num_classes=CLASSES)
    state = {name: torch.empty(value.shape).uniform_(-1, 1) for name, value in network.state_dict().items()}
    torch.save(state, folder / "network.pth")
    header, offset = {}, 0
    for name, value in state.items():
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [offset, offset + value.nbytes]}
        offset += value.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(folder / "network.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for value in state.values():
            file.write(value.numpy().data)

def anonymous_kib(pid):
    try:
        found = re.search(r"RssAnon:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found.group(1)) if found else 0


def timed(command, watch=False):
    """Seconds, and the peak of RssAnon in KiB if watched: watching costs the watched process time."""
    start, peak = time.monotonic(), 0
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    while watch and process.poll() is None:
        peak = max(peak, anonymous_kib(process.pid))
        time.sleep(0.002)
    error = process.communicate()[1]
    seconds = time.monotonic() - start
    if process.returncode:
        sys.exit(f"bench: {' '.join(map(str, command))} failed:\n{error.decode()[-2000:]}")
    return seconds, peak


def forget(file):
    """Drops the file from the page cache."""
    with open(file, "rb") as opened:
        os.fsync(opened.fileno())
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def cached_bytes(file):
    command = ["fincore", "--bytes", "--noheadings", "--output", "RES", str(file)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def inspect_cold(graft, file):
    forget(file)
    seconds, _ = timed([graft, "inspect", file])
    return seconds, cached_bytes(file)


def measure(graft, file, folder, rounds):
    copy, imported = folder / "copy", folder / "imported.safetensors"
    import_command = [graft, "import", file, "--model", MODEL, "--num-classes", CLASSES, "-o", imported]
    cold = [inspect_cold(graft, file) for _ in range(rounds)]
    timed(["openssl", "dgst", "-sha256", file])  # into the page cache
    runs = []
    for _ in range(rounds):
        run = {}
        for name, command in (("openssl", ["openssl", "dgst", "-sha256", file]), ("hash", [graft, "inspect", "--hash", file]),
                              ("copy", ["sh", "-c", f"cp '{file}' '{copy}' && sync '{copy}'"]), ("import", import_command)):
            run[name] = timed(command)[0]
            for written in (copy, imported):
                written.unlink(missing_ok=True)
        runs.append(run)
        print(f"  {file.name}: " + ", ".join(f"{name} {seconds:.2f} s" for name, seconds in run.items()), file=sys.stderr)
    peak = timed(import_command, watch=True)[1]
    imported.unlink()
    return cold, runs, peak


def rows(kind, cold, runs, peak):
    def median(name):
        return statistics.median(run[name] for run in runs)

    hashing = statistics.median(run["hash"] / run["openssl"] for run in runs)
    importing = statistics.median(run["import"] / (run["openssl"] + run["copy"]) for run in runs)
    inspected = statistics.median(seconds for seconds, _ in cold)
    touched = max(bytes_read for _, bytes_read in cold)
    return [
        f"| {kind} | inspect, file not cached | {inspected:.3f} s, {touched / 1e6:.2f} MB of the file read | under 0.2 s |",
        f"| {kind} | inspect --hash | {median('hash'):.2f} s, openssl dgst -sha256 {median('openssl'):.2f} s: "
        f"**{hashing:.2f}** | 1.3 |",
        f"| {kind} | import | {median('import'):.2f} s, openssl and cp and sync {median('openssl') + median('copy'):.2f} s: "
        f"**{importing:.2f}** | 1.5 |",
        f"| {kind} | import: most anonymous memory (RssAnon) | {peak * 1024 / 1e6:.0f} MB | 100 MB |"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graft", default=str(ROOT / "build/release/bin/graft"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", default=str(ROOT / "build"), help="where 4 GB of files go while it runs")
    parser.add_argument("--no-write", action="store_true", help="print only")
    parser.add_argument("--write-files", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write_files:
        return write_files(options.write_files)
    name, load = processor(), os.getloadavg()[0]
    lines = [f"# A 1 GB checkpoint: {name}, {os.cpu_count()} cores", "",
             f"{datetime.date.today()}, `make bench`: {MODEL} with {CLASSES} classes, {options.rounds} interleaved rounds, files in "
             f"the page cache but for inspect's; the machine's load before was {load:.1f}. Times are medians, a ratio is the "
             "median of the rounds' ratios.", "", "| file | what | measured | at most |", "| --- | --- | --- | --- |"]
    with tempfile.TemporaryDirectory(dir=options.folder) as temporary:
        folder = Path(temporary)
        subprocess.run([sys.executable, __file__, "--write-files", folder], check=True)
        for kind, file in (("safetensors", "network.safetensors"), (".pth", "network.pth")):
            lines += rows(kind, *measure(options.graft, folder / file, folder, options.rounds))
    text = "\n".join(lines) + "\n"
    if not options.no_write:
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        (ROOT / "docs/benchmarks" / f"checkpoint-files-{slug}.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
