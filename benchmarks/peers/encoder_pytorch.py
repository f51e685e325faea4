#!/usr/bin/env python3
"""The encoder of DrQ-v2 (Yarats et al. 2021) in eager PyTorch: the peer of `./ne bench pixels`.

  encoder_pytorch.py --batch 64 --size 84 --channels 9 --filters 32 --threads 1

Four 3 x 3 convolutions with ReLUs, the first one with stride 2; backward by all parameters, not by the image.

Prints one JSON line with versions when it is ready. Then every line of standard input is a number of seconds; it works about so long
and prints one JSON line {"forward": s, "backward": s}, the seconds of a batch; with one thread, the processor's. In between it waits.
"""

import argparse
import json
import sys
import time

import torch
import torch.nn as nn


def encoder(channels, filters):
    layers, before = [], channels
    for stride in (2, 1, 1, 1):
        layers += [nn.Conv2d(before, filters, 3, stride), nn.ReLU()]
        before = filters
    return nn.Sequential(*layers)


def main():
    parser = argparse.ArgumentParser()
    for name in ("batch", "size", "channels", "filters", "threads"):
        parser.add_argument("--" + name, type=int, required=True)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    net = encoder(options.channels, options.filters)
    image = torch.rand(options.batch, options.channels, options.size, options.size) - 0.5
    weight = torch.rand_like(net(image).detach()) - 0.5
    print(json.dumps({"torch": torch.__version__, "python": sys.version.split()[0], "threads": torch.get_num_threads()}), flush=True)

    clock = time.process_time if options.threads == 1 else time.perf_counter

    for line in sys.stdin:
        end, forward, backward, count = time.perf_counter() + float(line), 0.0, 0.0, 0
        while count == 0 or time.perf_counter() < end:
            net.zero_grad(set_to_none=True)
            began = clock()
            features = net(image)
            middle = clock()
            features.backward(weight)
            forward, backward, count = forward + middle - began, backward + clock() - middle, count + 1
        print(json.dumps({"forward": forward / count, "backward": backward / count}), flush=True)


main()
