#!/usr/bin/env python3
"""What a linear classifier makes of a gesture set when it sees one count image of each gesture and no time.

    python3 bench/count_image_baseline.py data/gestures

Clockwise and counter-clockwise gestures leave the same events behind, so that ridge regression on count images must
stay near chance (50 %) on the pairs 4/5 and 6/7; a network that does better there uses time. Reads the layout of DVS128
Gesture; needs NumPy.
"""

import csv
import pathlib
import sys

import numpy as np

SENSOR = 128  # pixels
CELLS = 32  # of the count image, in each direction
RIDGE = 0.1  # regularisation, as a share of the mean squared length of a sample


def read_aedat3(path):
    """t, x, y and polarity of the valid polarity events of an AEDAT 3.1 file."""
    data = path.read_bytes()
    end = b"#!END-HEADER\r\n"
    at = data.index(end) + len(end)
    packets = []
    while at < len(data):
        kind = int.from_bytes(data[at : at + 2], "little")
        size, _, overflow, capacity = np.frombuffer(data, "<u4", 4, at + 4)
        if kind == 1:
            words = np.frombuffer(data, "<u4", 2 * int(capacity), at + 28).reshape(-1, 2)
            words = words[words[:, 0] & 1 == 1]
            t = words[:, 1].astype(np.int64) | (int(overflow) << 31)
            packets.append((t, words[:, 0] >> 17, words[:, 0] >> 2 & 0x7FFF, words[:, 0] >> 1 & 1))
        at += 28 + int(size) * int(capacity)
    return [np.concatenate(column) for column in zip(*packets)]


def count_images(folder, split):
    """One image (logarithm of ON and OFF counts) and class for each gesture of a split."""
    images, classes = [], []
    for name in (folder / f"trials_to_{split}.txt").read_text().split():
        t, x, y, on = read_aedat3(folder / name)
        with open(folder / (name.removesuffix(".aedat") + "_labels.csv"), newline="") as labels:
            for row in csv.DictReader(labels):
                chosen = (t >= int(row["startTime_usec"])) & (t < int(row["endTime_usec"]))
                cell = (on[chosen], y[chosen] * CELLS // SENSOR, x[chosen] * CELLS // SENSOR)
                image = np.zeros((2, CELLS, CELLS))
                np.add.at(image, cell, 1)
                images.append(np.log1p(image).ravel())
                classes.append(int(row["class"]))
    return np.array(images), np.array(classes)


def ridge_accuracy(train, train_class, test, test_class):
    """Correct and total of one-against-all ridge regression, solved in the space of samples."""
    names = np.unique(train_class)
    target = np.where(train_class[:, None] == names, 1.0, -1.0)
    middle = train.mean(0)
    centred = train - middle
    gram = centred @ centred.T
    gram += RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram))
    weights = np.linalg.solve(gram, target - target.mean(0))
    score = (test - middle) @ centred.T @ weights + target.mean(0)
    return int((names[score.argmax(1)] == test_class).sum()), len(test_class)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: count_image_baseline.py FOLDER")
    folder = pathlib.Path(sys.argv[1])
    train, test = count_images(folder, "train"), count_images(folder, "test")
    for label, wanted in (
        ("all 11 gestures", range(1, 12)),
        ("4 or 5: right arm clockwise or counter-clockwise", (4, 5)),
        ("6 or 7: left arm clockwise or counter-clockwise", (6, 7)),
    ):
        parts = [(images[np.isin(classes, wanted)], classes[np.isin(classes, wanted)]) for images, classes in (train, test)]
        correct, total = ridge_accuracy(*parts[0], *parts[1])
        print(f"{label}: {correct}/{total} = {100 * correct / total:.1f} %")


if __name__ == "__main__":
    main()
