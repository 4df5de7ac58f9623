"""Faults planted in PyTorch's side of a comparison: each must be seen as a difference."""
import tempfile
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

import cases
import measure


class ShiftedPadding(nn.Module):
    """A convolution whose padding lies after the image alone: the output has the right shape."""

    def __init__(self, conv):
        super().__init__()
        self.conv = conv
        self.padding = conv.padding
        conv.padding = (0, 0)

    def forward(self, x):
        rows, columns = self.padding
        return self.conv(functional.pad(x, (0, 2 * columns, 0, 2 * rows)))


def wrong_padding(model):
    model.layer2[0].conv1 = ShiftedPadding(model.layer2[0].conv1)


def wrong_eps(model):
    model.layer3[0].bn2.eps = 1e-3


def wrong_momentum(model):
    model.layer4[1].bn1.momentum = 0.01


FAULTS = {  # what is planted and a tensor that must show it
    "padding": (wrong_padding, "stage/layer2"),
    "eps": (wrong_eps, "stage/layer3"),
    "momentum": (wrong_momentum, "buffer/layer4.1.bn1.running_mean"),
}


def as_graft_names(results):
    """ShiftedPadding's convolution is one level deeper."""
    return {name.replace("conv1.conv.", "conv1."): tensor for name, tensor in results.items()}


def all_seen(program, seed):
    """Compares a ResNet-18 with sound and with faulty ones; true iff the sound one passes and every fault fails."""
    case = next(c for c in cases.all_cases() if c.name == "resnet18")
    good = True
    with tempfile.TemporaryDirectory() as folder:
        model = measure.make_model(case, seed)
        weights = measure.save_model(case, model, Path(folder))
        numbers = measure.make_input(case, seed)
        graft, _ = measure.run_graft(program, case, Path(folder), weights, numbers)
        for name, (plant, witness) in {"none": (lambda model: None, None), **FAULTS}.items():
            faulty = measure.copy_of(model)
            plant(faulty)
            exact = as_graft_names(measure.run_pytorch(faulty, case, numbers, torch.float64))
            single = [as_graft_names(run) for run in measure.run_single(faulty, case, numbers)]
            far = {d.name for d in measure.distances(graft, single, exact, measure.WINOGRAD_FACTOR) if d.share > 1}
            as_wanted = not far if witness is None else witness in far
            print(f"planted fault: {name:10} {len(far):4} tensors differ: {'as it must be' if as_wanted else 'WRONG'}")
            good &= as_wanted
    return good
