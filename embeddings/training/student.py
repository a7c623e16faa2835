"""The student: a table with one row for each token, whose sum is the teacher's vector."""
import json
import os

import numpy as np
import scipy.sparse as sparse
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

UNKNOWN = "[UNK]"
SIF = 1e-3  # rows of frequent tokens begin shorter: weight SIF / (SIF + frequency)


def vocabulary(path):
    """The teacher's pieces without special ones and non-Latin scripts: pieces, teacher's ids."""
    with open(path, encoding="utf8") as f:
        pieces = [line.rstrip("\n") for line in f]
    kept = [(t, i) for i, t in enumerate(pieces) if t == UNKNOWN or usable(t)]
    return [t for t, _ in kept], [i for _, i in kept]


def usable(piece):
    special = len(piece) > 1 and piece.startswith("[") and piece.endswith("]")
    return not special and all(ord(c) <= 0x24f for c in piece.removeprefix("##"))


def tokenizer(pieces):
    t = Tokenizer(models.WordPiece({p: i for i, p in enumerate(pieces)}, unk_token=UNKNOWN, max_input_chars_per_word=100))
    t.normalizer, t.pre_tokenizer = normalizers.BertNormalizer(lowercase=True), pre_tokenizers.BertPreTokenizer()
    return t


def bags(tok, pieces, texts, cap=128):
    """The token counts of each text, as a sparse matrix."""
    unknown = pieces.index(UNKNOWN)
    ids = [[i for i in e.ids if i != unknown][:cap] for e in tok.encode_batch(texts, add_special_tokens=False)]
    ends = np.cumsum([0] + [len(i) for i in ids])
    flat = np.array([i for row in ids for i in row], np.int32)
    return sparse.csr_matrix((np.ones(len(flat), np.float32), flat, ends), shape=(len(texts), len(pieces)))


def unit(x):
    return x / (np.linalg.norm(x, axis=1, keepdims=True) + 1e-9)


def basis(vectors, width):
    """The leading singular vectors of the teacher's vectors, each with a fixed sign."""
    b = np.linalg.eigh(vectors.astype(np.float64).T @ vectors)[1][:, ::-1][:, :width]
    return b * np.sign(b[np.abs(b).argmax(0), np.arange(width)])


def start(tokens, bag, b):
    """Initial rows: the teacher's vector of the single token, shorter if the token is frequent."""
    counts = np.asarray(bag.sum(0)).ravel() + .5
    return (((tokens - tokens.mean(0)) @ b) * (SIF / (SIF + counts / counts.sum()))[:, None]).astype(np.float32)


def fit(bag, targets, table, epochs, batch=2048, rate=5e-3, seed=0):
    """Minimise the mean of 1 - cos(sum of rows, target) with Adam; the learning rate falls to 0."""
    rng, table = np.random.default_rng(seed), table.copy()
    m, v, step, total = np.zeros_like(table), np.zeros_like(table), 0, epochs * (bag.shape[0] // batch)
    for epoch in range(epochs):
        order, loss = rng.permutation(bag.shape[0]), 0.0
        for k in range(bag.shape[0] // batch):
            pick = order[k * batch:(k + 1) * batch]
            part = bag[pick]
            rows, columns = np.unique(part.indices, return_inverse=True)
            part = sparse.csr_matrix((part.data, columns.astype(np.int32), part.indptr), shape=(batch, len(rows)))
            cost, gradient = descent(part, table[rows], targets[pick])
            loss, step = loss + cost, step + 1
            m[rows] = .9 * m[rows] + .1 * gradient
            v[rows] = .999 * v[rows] + .001 * gradient * gradient
            move = (m[rows] / (1 - .9 ** step)) / (np.sqrt(v[rows] / (1 - .999 ** step)) + 1e-10)
            table[rows] -= rate * (1 - (step - 1) / total) * move
        print(f"epoch {epoch + 1} of {epochs}: loss {loss / (bag.shape[0] // batch):.4f}", flush=True)
    return table


def descent(bag, rows, targets):
    """The loss of one batch, and its gradient summed over the texts."""
    sums = bag @ rows
    length = np.linalg.norm(sums, axis=1, keepdims=True) + 1e-6
    got = sums / length
    cos = (got * targets).sum(1, keepdims=True)
    return 1 - float(cos.mean()), bag.T @ ((cos * got - targets) / length)


def quantise(table):
    """The table as signed bytes with one scale for each row."""
    scale = np.abs(table).max(1) / 127
    rows = np.round(table / np.maximum(scale, 1e-12)[:, None]).astype(np.int8)
    return rows, (scale / scale.mean()).astype(np.float32)


def save(folder, rows, scale, pieces):
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "model.safetensors")
    save_file({"embeddings": rows, "weights": scale}, path)
    os.chmod(path, 0o644)
    with open(os.path.join(folder, "vocab.txt"), "w", encoding="utf8") as f:
        f.write("\n".join(pieces) + "\n")
    config = {"model_type": "model2vec", "architectures": ["StaticModel"], "hidden_dim": rows.shape[1], "normalize": True,
              "embedding_dtype": "int8", "tokenizer_name": "sentence-transformers/all-MiniLM-L6-v2, Latin pieces"}
    with open(os.path.join(folder, "config.json"), "w", encoding="utf8") as f:
        json.dump(config, f, indent=1)
        f.write("\n")
