#!/usr/bin/env python3
"""The demo's grid for one seed in plain PyTorch: the peer of `graft study run studies/fashion-mnist-clothing.yaml`.

One process a core, one thread each; frozen layers run without gradients. Prints a CSV of treatment,cut,seed,top1 to the
file named by --output and one JSON object with the wall time and the largest process's peak memory.
"""
import argparse
import copy
import csv
import gzip
import json
import os
import resource
import time
from multiprocessing import get_context

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

SOURCE = [1, 5, 7, 8, 9]  # Trouser, Sandal, Sneaker, Bag, Ankle boot
TARGET = [0, 2, 3, 4, 6]  # T-shirt/top, Pullover, Dress, Coat, Shirt
PER_CLASS, EPOCHS, BATCH, WARMUP, LR = 600, 10, 64, 50, 0.05


def read_idx(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rb") as file:
        raw = file.read()
    rank = raw[3]
    shape = [int.from_bytes(raw[4 + 4 * i : 8 + 4 * i], "big") for i in range(rank)]
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(shape)


def load(folder, classes, seed):
    def part(name):
        def file(kind):
            path = os.path.join(folder, f"{name}-{kind}")
            return path if os.path.exists(path) else path + ".gz"

        images = torch.from_numpy(read_idx(file("images-idx3-ubyte")).copy()).float()
        labels = torch.from_numpy(read_idx(file("labels-idx1-ubyte")).astype(np.int64))
        return ((images / 255 - 0.286) / 0.353).unsqueeze(1), labels

    generator = torch.Generator().manual_seed(seed)
    images, labels = part("train")
    chosen, answers = [], []
    for index, label in enumerate(classes):
        items = torch.nonzero(labels == label).flatten()
        chosen.append(items[torch.randperm(len(items), generator=generator)[:PER_CLASS]])
        answers.append(torch.full((PER_CLASS,), index))
    test_images, test_labels = part("t10k")
    keep = torch.isin(test_labels, torch.tensor(classes))
    test_answers = torch.tensor([classes.index(int(label)) for label in test_labels[keep]])
    return images[torch.cat(chosen)], torch.cat(answers), test_images[keep], test_answers


def network():
    def conv(inputs, outputs, *after):
        return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(), *after)

    stages = nn.Sequential(conv(1, 16, nn.MaxPool2d(2)), conv(16, 32), conv(32, 32, nn.MaxPool2d(2)), conv(32, 64),
                           conv(64, 64), nn.Sequential(nn.Flatten(), nn.Linear(64 * 49, 128), nn.ReLU()),
                           nn.Linear(128, 5))
    for module in stages.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight)
            nn.init.zeros_(module.bias)
    return stages


def train(job):
    treatment, cut, seed, classes, weights, folder = job
    torch.set_num_threads(1)
    images, labels, test_images, test_labels = load(folder, classes, seed)
    torch.manual_seed(1000 * seed + len(treatment) * 10 + cut)
    model = network()
    if weights is not None:
        own = model.state_dict()
        own.update({name: torch.from_numpy(value) for name, value in weights.items() if int(name.split(".")[0]) < cut})
        model.load_state_dict(own)
    frozen = cut if treatment in ("BnB", "AnB", "random") else 0
    for stage in model[:frozen]:
        stage.requires_grad_(False)
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=LR, momentum=0.9,
                                weight_decay=5e-4)
    steps = len(labels) // BATCH
    total = EPOCHS * steps
    t = 0
    for _ in range(EPOCHS):
        order = torch.randperm(len(labels))
        for step in range(steps):
            batch = order[step * BATCH : (step + 1) * BATCH]
            for group in optimizer.param_groups:
                group["lr"] = LR * min(1, (t + 1) / WARMUP) * (1 - t / total)
            loss = F.cross_entropy(model(images[batch]), labels[batch])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            t += 1
    with torch.no_grad():
        right = sum(int((model(test_images[i : i + BATCH]).argmax(1) == test_labels[i : i + BATCH]).sum())
                    for i in range(0, len(test_labels), BATCH))
    state = {name: value.numpy() for name, value in model.state_dict().items()} if treatment == "base" else None
    return treatment, cut, seed, right / len(test_labels), state, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", default="/usr/share/datasets/fashion-mnist")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--output", default=os.devnull)
    options = parser.parse_args()
    start = time.perf_counter()
    with get_context("spawn").Pool(options.processes) as pool:
        bases = pool.map(train, [("base", 0, options.seed, classes, None, options.data_dir) for classes in (SOURCE, TARGET)],
                         chunksize=1)
        weights_a, weights_b = bases[0][4], bases[1][4]
        jobs = [(treatment, cut, options.seed, TARGET, weights, options.data_dir)
                for treatment, weights in (("BnB", weights_b), ("BnB+", weights_b), ("AnB", weights_a),
                                           ("AnB+", weights_a), ("random", None)) for cut in range(1, 7)]
        results = [bases[1]] + list(pool.imap_unordered(train, jobs, chunksize=1))
    seconds = time.perf_counter() - start
    with open(options.output, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["treatment", "cut", "seed", "top1"])
        writer.writerows([r[:3] + (round(r[3], 4),) for r in results])
    print(json.dumps({"program": f"PyTorch {torch.__version__}", "networks": len(results) + 1, "seconds": seconds,
                      "peak_rss_mib": max(r[5] for r in bases + results) * options.processes / 1024}))


if __name__ == "__main__":
    main()
