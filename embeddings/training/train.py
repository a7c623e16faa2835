#!/usr/bin/env python3
"""Make the built-in embedding model; see README.md beside this file.

usage: train.py [--out DIR] [--cache DIR] [--golden FILE]
"""
import argparse
import hashlib
import os
import re
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # sums in one order: the same bytes in every run

import numpy as np

import corpus
import golden
import student
from teacher import FOLDER, Teacher

HERE = os.path.dirname(os.path.abspath(__file__))
STATIC = os.path.join(HERE, "..", "static")
WIDTH, EPOCHS = 256, 6


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--out", default=os.path.join(STATIC, "model"))
    ap.add_argument("--golden", default=os.path.join(STATIC, "testdata", "golden.json"))
    ap.add_argument("--cache", default=os.path.join(HERE, "..", "..", ".tools", "model-cache"))
    o = ap.parse_args()
    os.makedirs(o.cache, exist_ok=True)
    began = time.time()

    texts = without_evaluation(corpus.build(o.cache), os.path.join(STATIC, "testdata"))
    note(began, f"{len(texts)} texts, sha256 {sha256(chr(10).join(texts).encode())}")
    pieces, ids = student.vocabulary(os.path.join(FOLDER, "vocab.txt"))
    teacher = Teacher(o.cache)
    tokens = teacher.ids([[101, i, 102] for i in ids])
    vectors = teacher.texts(texts)
    note(began, f"{len(pieces)} tokens and all texts embedded by the teacher")

    b = student.basis(vectors, WIDTH)
    tok = student.tokenizer(pieces)
    bag = student.bags(tok, pieces, texts)
    known = np.asarray(bag.sum(1)).ravel() > 0
    targets = student.unit(vectors @ b).astype(np.float32)
    table = student.fit(bag[known], targets[known], student.start(tokens, bag, b), EPOCHS)
    table[pieces.index(student.UNKNOWN)] = 0

    rows, scale = student.quantise(table)
    student.save(o.out, rows, scale, pieces)
    golden.write(o.golden, tok, pieces, rows, scale)
    for name in ("model.safetensors", "vocab.txt"):
        with open(os.path.join(o.out, name), "rb") as f:
            note(began, f"{name}: sha256 {sha256(f.read())}")


def without_evaluation(texts, folder):
    """Drop every text that is a line of the evaluation sets or has six consecutive words of one."""
    held_out = set()
    for name in sorted(os.listdir(folder)):
        if name.endswith(".txt"):
            with open(os.path.join(folder, name), encoding="utf8") as f:
                for line in f:
                    held_out |= runs(line)
    kept = [t for t in texts if not runs(t) & held_out]
    print(f"{len(texts) - len(kept)} texts dropped for their likeness to the evaluation sets")
    return kept


def runs(text, n=6):
    """All sequences of n consecutive words of a text; the whole text if it is shorter."""
    words = re.findall(r"\w+", text.lower())
    return {" ".join(words[i:i + n]) for i in range(max(1, len(words) - n + 1))}


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def note(began, text):
    print(f"{time.time() - began:4.0f} s  {text}", flush=True)


if __name__ == "__main__":
    main()
