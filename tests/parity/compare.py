#!/usr/bin/env python3
"""Compares `graft compare --json` with the same figures from PyTorch in float64: CKA of every stage of two ResNet-18s over the
same minibatches, churn, weight distances, and the loss on the line between both with batch-norm statistics estimated anew.

    compare.py --graft build/release/bin/graft

Prints a line a figure with the worst difference and its bound; exits 1 if one is exceeded."""
import argparse
import copy
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torchvision.models import resnet18

from contrasts import philox, stream_key

CLASSES, SIZE, BATCH, STEPS, STATISTICS = 3, 32, 16, 4, 32
STAGES = ("stem", "layer1", "layer2", "layer3", "layer4")


def make_images(root, rng):
    """Folders of noisy stripes; {part: (images in the order of graft's listing, labels)}."""
    parts = {}
    for part, count in (("train", 20), ("val", 14)):
        images, labels = [], []
        for c in range(CLASSES):
            folder = root / part / f"c{c}"
            folder.mkdir(parents=True)
            for i in range(count):
                pixels = rng.integers(0, 120, (SIZE, SIZE, 3)) + 120 * ((np.arange(SIZE) // (c + 1)) % 2)[:, None, None]
                Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{i:03}.png")
                images.append(pixels)
                labels.append(c)
        scaled = torch.tensor(np.array(images) / 255.0).permute(0, 3, 1, 2)
        parts[part] = ((scaled - 0.5) / 0.25, torch.tensor(labels))
    return parts


def mixed_order(count):
    """graft's order of epoch 0 under role "compare" and seed 0: Fisher and Yates, keyed."""
    key = stream_key(0, "order:compare")
    order = list(range(count))
    for i in range(count, 1, -1):
        words = [int(w) for w in philox([np.uint64(i - 1), np.uint64(0), np.uint64(0), np.uint64(0)], key)]
        j = (words[1] * i + (words[0] * i >> 32)) >> 32
        order[i - 1], order[j] = order[j], order[i - 1]
    return torch.tensor(order)


def stage_outputs(model, x):
    y = model.maxpool(model.relu(model.bn1(model.conv1(x))))
    outputs = [y]
    for name in STAGES[1:]:
        y = getattr(model, name)(y)
        outputs.append(y)
    return outputs


def hsic(k, l):
    """Song et al. 2012, equation 5, as written there."""
    n, one = k.shape[0], np.ones(k.shape[0])
    k, l = k - np.diag(np.diag(k)), l - np.diag(np.diag(l))
    return (np.trace(k @ l) + (one @ k @ one) * (one @ l @ one) / ((n - 1) * (n - 2)) - 2 / (n - 2) * (one @ k @ l @ one)) / (n * (n - 3))


def cka(first, second, images):
    order = mixed_order(len(images))
    terms = np.zeros((len(STAGES), 3))
    for start in range(0, len(images) - BATCH + 1, BATCH):
        x = images[order[start:start + BATCH]]
        for i, (a, b) in enumerate(zip(stage_outputs(first, x), stage_outputs(second, x))):
            k, l = ((f := y.flatten(1).numpy()) @ f.T for y in (a, b))
            terms[i] += hsic(k, l), hsic(k, k), hsic(l, l)
    return terms[:, 0] / np.sqrt(terms[:, 1] * terms[:, 2])


def loss_and_accuracy(model, images, labels):
    logits = model.eval()(images)
    return torch.nn.functional.cross_entropy(logits, labels).item(), (logits.argmax(1) == labels).double().mean().item()


def on_line(first, second, t, parts):
    model, a, b = copy.deepcopy(first), first.state_dict(), second.state_dict()
    model.load_state_dict({k: ((1 - t) * a[k] + t * b[k]).float().double() if a[k].is_floating_point() else a[k] for k in a})
    if 0 < t < 1:
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.reset_running_stats()
                module.momentum = None  # the mean over batches
        images = parts["train"][0][mixed_order(len(parts["train"][0]))]
        model.train()
        for start in range(0, min(len(images) - BATCH + 1, STATISTICS), BATCH):
            model(images[start:start + BATCH])
    return loss_and_accuracy(model, *parts["val"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graft", required=True, help="the command")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        parts = make_images(root / "data", np.random.default_rng(1))
        models = []
        for seed in (1, 2):
            torch.manual_seed(seed)
            models.append(resnet18(num_classes=CLASSES))
            for name, buffer in models[-1].named_buffers():
                if name.endswith("running_mean"):
                    buffer.normal_(0, 0.1)
                if name.endswith("running_var"):
                    buffer.uniform_(0.5, 2)
            save_file(models[-1].state_dict(), root / f"{seed}.safetensors")
            models[-1] = models[-1].double().eval()
        out = subprocess.run([options.graft, "compare", root / "1.safetensors", root / "2.safetensors", "--model", "resnet18",
                              "--dataset", "imagefolder", "--data-dir", root / "data", f"--img-size={SIZE}", "--crop-pct=1",
                              "--mean=0.5,0.5,0.5", "--std=0.25,0.25,0.25", f"-b{BATCH}", f"--steps={STEPS}",
                              f"--statistics-images={STATISTICS}", "--threads=1", "--json"], check=True, capture_output=True).stdout
    got, (first, second) = json.loads(out), models
    images, labels = parts["val"]
    figures = []
    figures.append(("stages", float([s["stage"] for s in got["stages"]] != list(STAGES)), 0.5))
    expected = cka(first, second, images)
    figures.append(("CKA", max(abs(s["cka"] - e) for s, e in zip(got["stages"], expected)), 1e-5))
    a, b = first(images).argmax(1), second(images).argmax(1)
    churn = {"changed": a != b, "both_right": (a == labels) & (b == labels), "only_first_right": (a == labels) & (b != labels),
             "only_second_right": (a != labels) & (b == labels), "both_wrong_alike": (a == b) & (a != labels)}
    figures.append(("churn", max(abs(got["churn"][k] - int(v.sum())) for k, v in churn.items()), 0.5))
    x, y = (torch.cat([p.flatten() for p in m.parameters()]).numpy() for m in models)
    figures.append(("L2 distance, relative", abs(got["weights"]["l2"] / np.linalg.norm(y - x) - 1), 1e-9))
    figures.append(("cosine", abs(got["weights"]["cosine"] - x @ y / np.linalg.norm(x) / np.linalg.norm(y)), 1e-9))
    line = [on_line(first, second, i / STEPS, parts) for i in range(STEPS + 1)]
    figures.append(("loss on the line", max(abs(p["loss"] - e[0]) for p, e in zip(got["line"], line)), 1e-4))
    figures.append(("accuracy on the line", max(abs(p["accuracy"] - e[1]) for p, e in zip(got["line"], line)), 1e-9))
    height = max(e[0] - (1 - i / STEPS) * line[0][0] - i / STEPS * line[-1][0] for i, e in enumerate(line))
    figures.append(("barrier", abs(got["barrier"] - height), 1e-4))
    for name, far, bound in figures:
        print(f"{name:24} worst difference {far:.2e}, bound {bound:.2e}  {'ok' if far <= bound else 'FAILED'}")
    print("CKA", [round(float(e), 4) for e in expected], "losses", [round(e[0], 4) for e in line])
    return 0 if all(far <= bound for _, far, bound in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
