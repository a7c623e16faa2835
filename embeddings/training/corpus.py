"""The training texts: a dictionary, third-party code and documentation, generated prompts."""
import random

import prompts
import sources
import topics

SEED = 20250
# How many texts of each kind; together about 65,000.
GLOSSES, EXAMPLES, NOUNS, ASKED, CODE, SUMS, STORIES, DOCS, SNIPPETS, SERVICES, LONG = (
    15000, 12000, 12000, 14000, 4000, 2500, 2500, 2500, 2500, 1500, 3000)


def subjects():
    return [(s, [t.strip() for t in listed.split(";")]) for s, listed in topics.SUBJECTS.items()]


def glosses(rng, found, n):
    for lemmas, gloss in rng.sample(found, n):
        form = rng.random()
        if form < .25:
            yield gloss
        elif form < .75:
            yield f"{lemmas[0]}: {gloss}"
        elif form < .9:
            yield ", ".join(lemmas)
        else:
            yield f"What does {lemmas[0]} mean?"


def common_nouns(rng, nouns, n):
    """Nouns, equally many of each category; frequent nouns are more likely."""
    kinds = [k for k in sorted(nouns) if k in topics.NOUNS]
    for _ in range(n):
        kind = rng.choice(kinds)
        words = [w for w, _ in nouns[kind]]
        weights = [2 * u + .3 for _, u in nouns[kind]]
        yield rng.choice(topics.NOUNS[kind]).format(n=rng.choices(words, weights)[0])


def asked(rng, n):
    """Questions, instructions and descriptions about the subjects."""
    listed = subjects()
    for _ in range(n):
        s, ts = rng.choice(listed)
        t, u, v = rng.sample(ts, 3)
        forms, share = rng.choice(((topics.QUESTIONS, .4), (topics.INSTRUCTIONS, .4), (topics.DESCRIPTIONS, 0)))
        start = rng.choice(prompts.STARTS) if rng.random() < share else ""
        text = start + rng.choice(forms).format(s=s, t=t, u=u, v=v)
        yield text[:1].upper() + text[1:] if rng.random() < .7 else text


def common(nouns, kind, least=2):
    return sorted({w for w, u in nouns[kind] if u >= least and w.isascii()})


def stories(rng, nouns, n):
    people, things = common(nouns, "person"), common(nouns, "artifact") + common(nouns, "location")
    for _ in range(n):
        yield prompts.story(rng, people, things)


def docs(rng, n, snippets):
    """First sentences of docstrings, some as a request, and source code, some with a question."""
    found = sorted({f for p in sources.LIBRARIES for f in sources.functions(p)})
    described = [(d, c) for d, c in found if 30 < len(d) < 300]
    for d, _ in rng.sample(described, n):
        yield d if rng.random() < .7 else f"Write a function: {d}"
    asks = ["", "", "What does this code do?\n", "Find the bug in this code:\n", "Explain this:\n", "Write tests for this function.\n", "why does this not work\n"]
    for _, c in rng.sample(described, snippets):
        yield rng.choice(asks) + c[:600]


def long(rng, texts, n):
    """Longer prompts, made of consecutive parts such as a role, context and a question."""
    roles = ["You are a helpful assistant.", "You are an expert.", "Answer in detail.", "Here is some context.", "Answer in English.", ""]
    listed = subjects()
    for _ in range(n):
        if rng.random() < .5:
            s, ts = rng.choice(listed)
            parts = [rng.choice(topics.QUESTIONS + topics.INSTRUCTIONS).format(s=s, t=rng.choice(ts), u=rng.choice(ts)) for _ in range(rng.randint(2, 5))]
        else:
            parts = rng.sample(rng.choice(texts), rng.randint(2, 4))
        yield " ".join([rng.choice(roles)] + parts).strip()


def build(cache):
    """All training texts, without duplicates, in an order determined by the seed."""
    rng = random.Random(SEED)
    found, examples, nouns = sources.wordnet(sources.fetch_wordnet(cache))
    code = [prompts.code(rng) for _ in range(CODE)]
    sums = [prompts.sum_(rng) for _ in range(SUMS)]
    written = list(stories(rng, nouns, STORIES))
    services = sorted(set(sources.services()))
    texts = [
        *glosses(rng, found, GLOSSES), *rng.sample(examples, EXAMPLES), *common_nouns(rng, nouns, NOUNS), *asked(rng, ASKED),
        *code, *sums, *written, *docs(rng, DOCS, SNIPPETS), *rng.sample(services, SERVICES), *long(rng, [code, sums, written], LONG),
    ]
    texts = list(dict.fromkeys(t.strip() for t in texts if t.strip()))
    rng.shuffle(texts)
    return texts
