"""The golden file of the Go tests: the output of the reference tokenizer and of numpy."""
import json
import random

import numpy as np

import student

SENTENCES = [
    "Specialist in programming problems", "Write a Python function that sorts a list.", "what is my bank balance", "",
    "Café crème, naïve façade!", "c++ & c# 3.14 e-mail", "I\u0307stanbul \u0130stanbul STRASSE straße", "tab\tnew\nline\r\nnbsp\u00a0thin\u2009zero\u200bwidth",
    "中文 and English混合", "null\x00control\x07bell\ufffd", "“quoted” — dash… €5 £3 10%", "supercalifragilisticexpialidocious",
    "x" * 100, "x" * 101, "don't can't it's", "[UNK] [CLS] [SEP] ##ing", "e\u0301 \u00e9 \u1ec7 \ufb01 \u2126", "Привет мир", "😀 smile 😀", "한국어 text",
]


def characters(rng):
    """One character: mostly Latin, also marks, punctuation, control characters and other scripts."""
    low, high = rng.choices([(0x20, 0x7e), (0xa0, 0x24f), (0x300, 0x36f), (0, 0x9f), (0x2000, 0x206f), (0x370, 0x5ff), (0x4e00, 0x9fff)], [8, 4, 2, 1, 2, 2, 1])[0]
    return chr(rng.randint(low, high))


def noise(rng, pieces):
    out = []
    for _ in range(rng.randint(1, 10)):
        word = rng.choice(pieces).removeprefix("##")
        word = rng.choice([word, word.upper(), word.title()])
        cut = rng.randint(0, len(word))
        out.append(word if rng.random() < .6 else word[:cut] + characters(rng) + word[cut:])
        out.append(rng.choice(["", " ", " ", "  ", "\n", characters(rng)]))
    return "".join(out)


def write(path, tok, pieces, rows, scale, seed=7):
    """Write texts with their tokens, and the first ones also with their vectors."""
    rng, cases = random.Random(seed), []
    for k, text in enumerate(SENTENCES + [noise(rng, pieces) for _ in range(200)]):
        ids = [i for i in tok.encode(text, add_special_tokens=False).ids if pieces[i] != student.UNKNOWN]
        case = {"text": text, "tokens": [pieces[i] for i in ids]}
        if ids and k < 10:
            total = (rows[ids].astype(np.float64) * scale[ids][:, None]).sum(0)
            case["vector"] = [round(float(x), 6) for x in total / np.linalg.norm(total)]
        cases.append(case)
    with open(path, "w", encoding="utf8") as f:
        f.write("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
