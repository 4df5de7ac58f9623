#!/usr/bin/env python3
"""graft's loader beside torchvision's on 500x375 JPEG files, in one run.

    bench/loader.py --graft build/release/bin/graft [--images FOLDER] [--workers N]

Without --images it writes JPEG files of its own (4:2:0, quality 90; scikit-image's photographs where that package is
there, else synthetic scenes) into a temporary folder. Both programs read the same files, resize the shorter side to 256
(bilinear, antialiased), crop 224 and normalise. Every round starts graft and then torchvision; a figure is the median
of the rounds, by processor time of all threads and processes, so that other work on the machine weighs little.
"""

import argparse
import glob
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile

import numpy as np
import torch
import torchvision
from PIL import Image
from torchvision import datasets, transforms


def photographs():
    try:
        import skimage
    except ImportError:
        return []
    folder = os.path.join(os.path.dirname(skimage.__file__), "data")
    names = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "hubble_deep_field.jpg")
    return [p for p in (os.path.join(folder, name) for name in names) if os.path.exists(p)]


def write_images(folder, count):
    rng = np.random.default_rng(3)
    sources = [Image.open(path).convert("RGB") for path in photographs()]
    y, x = np.mgrid[0:375, 0:500]
    for i in range(count):
        path = os.path.join(folder, f"class{i % 4}")
        os.makedirs(path, exist_ok=True)
        if sources:
            source = sources[i % len(sources)]
            share = rng.uniform(0.6, 1.0)
            width, height = int(source.width * share), int(source.height * share)
            left, top = (int(rng.integers(0, n + 1)) for n in (source.width - width, source.height - height))
            image = source.crop((left, top, left + width, top + height)).resize((500, 375), Image.Resampling.LANCZOS)
        else:
            a, b = rng.uniform(0.01, 0.2, 2)
            layers = [127 + 90 * np.sin(a * x + b * y * (c + 1)) + rng.normal(0, 8, x.shape) for c in range(3)]
            image = Image.fromarray(np.clip(np.stack(layers, -1), 0, 255).astype(np.uint8))
        image.save(os.path.join(path, f"{i:04}.jpg"), quality=90)


def processor_seconds():
    return sum(u.ru_utime + u.ru_stime for u in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def torchvision_rate(folder, workers):
    """Images per second of processor time, through a DataLoader whose workers end with the epoch."""
    transform = transforms.Compose(
        [
            transforms.Resize(256),
            transforms.CenterCrop(224),
            transforms.ToTensor(),
            transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ]
    )
    loader = torch.utils.data.DataLoader(datasets.ImageFolder(folder, transform), batch_size=64, num_workers=workers)
    start, images = processor_seconds(), 0
    for batch, _ in loader:
        images += len(batch)
    del loader
    return images / (processor_seconds() - start)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--graft", required=True)
    parser.add_argument("--images", help="a folder with a folder of images a class")
    parser.add_argument("--count", type=int, default=512, help="images to write where none are named")
    parser.add_argument("--workers", type=int, default=0, help="loader threads, and processes of DataLoader")
    parser.add_argument("--rounds", type=int, default=5)
    flags = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        folder = flags.images or temporary
        if not flags.images:
            write_images(folder, flags.count)
        command = [flags.graft, "bench", "loader", "--data-dir", folder, "--json", "--rounds", "1"]
        rows, peers = [], []
        torchvision_rate(folder, flags.workers)
        for _ in range(flags.rounds):
            run = subprocess.run(command + ["--workers", str(flags.workers)], capture_output=True, text=True, check=True)
            rows.append(json.loads(run.stdout))
            peers.append(torchvision_rate(folder, flags.workers))
    ratio = statistics.median(row["loader_per_core"] / peer for row, peer in zip(rows, peers))
    share = statistics.median(row["share"] for row in rows)
    print(f"bare decode and resize   {statistics.median(row['bare_per_core'] for row in rows):7.0f} images/s a core")
    print(f"graft's loader           {statistics.median(row['loader_per_core'] for row in rows):7.0f}   {share:.0%} of bare (floor 90%)")
    print(f"  with random crops      {statistics.median(row['training_per_core'] for row in rows):7.0f}")
    print(f"torchvision {torchvision.__version__:<13}{statistics.median(peers):7.0f}   graft is {ratio:.2f}x (aim 2x)")
    return 0 if share >= 0.9 else 1


if __name__ == "__main__":
    sys.exit(main())
