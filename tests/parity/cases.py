"""The networks that are compared: how PyTorch builds each, and which of its modules ends which of graft's stages."""
from dataclasses import dataclass
from typing import Callable

import timm
import torch
import torchvision
from torch import nn
from torch.nn import functional

from caffenet import STAGES as CAFFENET_STAGES
from caffenet import CaffeNet

SMALL = (2, 3, 64, 64)  # N, C, H, W: reduced from 224x224 where the network takes any size
PUBLISHED = (2, 3, 224, 224)
FINDINGS = 14  # of CheXNet


@dataclass
class Case:
    name: str  # graft's
    build: Callable[[int], nn.Module]  # from the number of classes
    stages: list[tuple]  # (graft's stage, the module whose output is the same[, what follows it])
    shape: tuple[int, int, int, int] = SMALL
    classes: int = 10
    quick: bool = False  # in CI's subset
    above: str = "^$"  # matches the names of batch norms that a residual is added to
    several_labels: bool = False  # an image has any number of the classes
    legacy: bool = False  # weights are read from PyTorch's stream of before 1.6, too

    def make(self):
        """The network with numbers undefined, but for counters: none is drawn only to be replaced."""
        with torch.device("meta"):
            model = self.build(self.classes)
        model.to_empty(device="cpu")
        for name, buffer in model.named_buffers():
            if name.endswith("num_batches_tracked"):
                buffer.zero_()
        return model


def torchvision_model(name, **options):
    return lambda classes: getattr(torchvision.models, name)(num_classes=classes, **options)


def resnets():
    stages = [("stem", "maxpool")] + [(f"layer{i}", f"layer{i}") for i in range(1, 5)]
    for name in ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "resnext50_32x4d", "resnext101_32x8d",
                 "resnext101_64x4d", "wide_resnet50_2", "wide_resnet101_2"):
        last = "bn2" if name in ("resnet18", "resnet34") else "bn3"
        yield Case(name, torchvision_model(name), stages, above=rf"{last}$|downsample",
                   quick=name in ("resnet18", "resnet50", "resnext50_32x4d"))


def alexnet():
    stages = [(f"conv{i + 1}", f"features.{place}") for i, place in enumerate([2, 5, 7, 9, 12])]
    stages += [("fc6", "classifier.2"), ("fc7", "classifier.5")]
    yield Case("alexnet", torchvision_model("alexnet", dropout=0.0), stages, shape=PUBLISHED, quick=True)


def caffenets():
    yield Case("caffenet", CaffeNet, CAFFENET_STAGES, shape=(2, 3, 227, 227), quick=True)
    # Extents that Caffe's pools round up: 18 to 9, 4 to 2.
    yield Case("caffenet", lambda classes: CaffeNet(classes, extent=2), CAFFENET_STAGES, shape=(2, 3, 79, 79))


def vgg_stages(model):
    """A stage ends in front of the next convolution, or in front of the classifier."""
    ends = []
    block, conv, last = 1, 0, 0
    for place, layer in enumerate(model.features):
        if isinstance(layer, nn.Conv2d):
            conv += 1
            ends.append([f"conv{block}_{conv}", None])
        if isinstance(layer, nn.MaxPool2d):
            block, conv = block + 1, 0
        ends[-1][1] = f"features.{place}"
    return [tuple(end) for end in ends] + [("fc6", "classifier.1"), ("fc7", "classifier.4")]


def vggs():
    for depth in (11, 13, 16, 19):
        for norm in ("", "_bn"):
            name = f"vgg{depth}{norm}"
            build = torchvision_model(name, dropout=0.0)
            with torch.device("meta"):
                stages = vgg_stages(build(10))
            quick = name == "vgg11_bn"
            # The last pool's 2x2 are spread over the 7x7 that the classifier wants, but for one network's.
            yield Case(name, build, stages, shape=(1, 3, 224, 224) if quick else SMALL, quick=quick)


def densenets():
    stages = [("conv0", "features.pool0")]
    for i in range(1, 5):
        stages += [(f"denseblock{i}", f"features.denseblock{i}"), (f"transition{i}", f"features.transition{i}")]
    stages[-1] = ("norm5", "features.norm5", functional.relu)
    for depth in (121, 161, 169, 201):
        yield Case(f"densenet{depth}", torchvision_model(f"densenet{depth}"), stages, quick=depth == 121)
    yield Case("chexnet", torchvision_model("densenet121"), stages, classes=FINDINGS, several_labels=True)


def mobilenets():
    stages = [(f"features.{i}", f"features.{i}") for i in range(19)]
    yield Case("mobilenet_v2", torchvision_model("mobilenet_v2", dropout=0.0), stages, quick=True,
               legacy=True)


def efficientnets():
    stages = [("stem", "bn1")] + [(f"blocks.{i}", f"blocks.{i}") for i in range(7)] + [("conv_head", "bn2")]
    names = [f"efficientnet_b{i}" for i in range(8)] + [f"tf_efficientnet_b{i}" for i in range(8)]
    names += [f"tf_efficientnet_lite{i}" for i in range(5)]
    for name in names:
        # 75 columns: an odd extent, where TensorFlow's padding differs on both sides.
        yield Case(name, lambda classes, name=name: timm.create_model(name, num_classes=classes), stages,
                   shape=(2, 3, 64, 75), quick=name.endswith(("_b0", "_lite0")))


def all_cases():
    return [*resnets(), *alexnet(), *caffenets(), *vggs(), *densenets(), *mobilenets(), *efficientnets()]
